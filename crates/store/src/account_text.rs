//! The account in a manifest: JSON that the store keeps as it was written, and does not look inside.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// What a manifest says of requests and changes, as text.
///
/// It may tell of 50,000 packages. A tree of values of them takes six times the memory of the text, and most who read a manifest
/// want nothing of it.
///
/// ```
/// use store::AccountText;
///
/// let text = AccountText::of(&serde_json::json!({"settled": [1]}))?;
/// assert_eq!(text.read::<serde_json::Value>()?["settled"][0], 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountText(Box<RawValue>);

impl AccountText {
    /// Writes an account.
    ///
    /// # Errors
    ///
    /// It cannot be written as JSON.
    pub fn of<T: Serialize + ?Sized>(account: &T) -> serde_json::Result<Self> {
        to_raw_value(account).map(Self)
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// It is another account than the one that is wanted.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.0.get())
    }
}

impl Default for AccountText {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl PartialEq for AccountText {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}
