//! Signed packages, by real gpg and rpm: what enters a stage that demands signatures, and what hosts then take.

mod forge;
mod hosts;
pub(crate) mod keyring;
mod matrix;
mod release;
mod remembered;
mod stages;
