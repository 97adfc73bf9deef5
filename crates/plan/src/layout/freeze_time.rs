//! The calendar of freezes.

use jiff::Timestamp;

/// Says when nothing enters or leaves a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreezeTime {
    /// The product; every product if there is none.
    pub product: Option<String>,
    /// The stage; every stage if there is none.
    pub stage: Option<String>,
    /// From when on.
    pub from: Timestamp,
    /// Until when, that instant not included.
    pub until: Timestamp,
    /// Why, for people.
    pub reason: String,
}

impl FreezeTime {
    /// Says whether it is about a stage.
    pub fn is_for(&self, product: &str, stage: &str) -> bool {
        self.product.as_deref().is_none_or(|frozen| frozen == product)
            && self.stage.as_deref().is_none_or(|frozen| frozen == stage)
    }

    /// Says whether an instant lies in it.
    pub fn holds(&self, instant: Timestamp) -> bool {
        self.from <= instant && instant < self.until
    }

    /// Writes what the calendar says.
    pub fn evidence(&self) -> String {
        format!("by the calendar frozen from {} until {}: {}", self.from, self.until, self.reason)
    }
}
