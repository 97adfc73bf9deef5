//! Signed packages, by real gpg and rpm: what enters a stage that demands signatures, and what hosts then take.

mod forge;
mod hosts;
mod keyring;
mod matrix;
mod release;
mod remembered;
mod stages;
