//! The stable names of what can be wrong with a configuration, and with the ground a site stands on.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($variant:ident $text:literal $meaning:literal)*) => {
        /// Names a fault for programs; texts may change, codes do not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $meaning] $variant,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// Writes the code as it is shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// Says in one sentence what the code means.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    Syntax "config/syntax" "The file is no TOML, no UTF-8, or larger than 1 MiB."
    Missing "config/missing" "A key or a table that must be there is not."
    UnknownKey "config/unknown-key" "A key is not known where it stands."
    Value "config/value" "A value is not of the form its key needs."
    Twice "config/twice" "A product, platform, stage or route stands in the file twice."
    UnknownStage "config/unknown-stage" "A route, or the `views` of a product, names a stage that the product has not."
    RouteLoop "config/route-loop" "Routes lead back to the stage they come from."
    SamePath "config/same-path" "Two repositories have the same path or the same name."
    NestedPath "config/nested-path" "A repository, or the control directory, would lie inside another."
    ReservedPath "config/reserved-path" "A path uses a name that has another meaning in the web root."
    Clients "config/clients" "Metadata would be written in a form that its clients do not read, or that nobody writes."
    Comps "config/comps" "A file with groups is not there, larger than 16 MiB, or not XML that every client takes."
    NoSuchKey "config/no-such-key" "A stage or product names a key that no `[[key]]` table has."
    NoSuchContext "config/no-such-context" "The `closure` of a stage names what is neither a `[[context]]` nor another stage of its product, or is both."
    UnusedContext "config/unused-context" "No stage names a context; a warning."
    DirectImport "config/direct-import" "Who may import into a stage does so past the soak, the approvals or the external gates of a route that leads there; a warning."
    UnnamedPerson "config/unnamed-person" "Who asks or approves along a route does so as users, keys or names at the door, and `[people]` does not say who one of them is."
    NoSuchGate "config/no-such-gate" "A route names an external gate that no `[[external]]` table has."
    Key "config/key" "The file of a key is not there, is no certificate or holds its secret half, or is not the one its fingerprint says."
    KeyEnds "config/key-ends" "A key is expired, revoked or weak, or ends within 90 days; a warning."
    UnknownAccount "config/unknown-account" "This host does not know a user or group."
    TwoFileSystems "config/two-file-systems" "A directory of the root lies on another file system, or behind another mount, than the root."
    NotOwned "config/not-owned" "A directory of the root does not belong to the user who writes there."
    NetworkFileSystem "config/network-file-system" "The root lies on a file system that other machines or programs serve, such as NFS."
    Overlay "config/overlay" "The root lies on an overlay, such as the inside of a container."
    NoHardLinks "config/no-hard-links" "The root lies on a file system without hard links."
    Label "config/label" "The SELinux type of the root keeps web servers out; a warning."
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Writes every code and its meaning as a Markdown table, for the documentation.
pub fn table() -> String {
    let mut table = String::from("| code | meaning |\n|---|---|\n");
    for code in Code::ALL {
        table.push_str(&format!("| `{}` | {} |\n", code.as_str(), code.meaning()));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_told_apart_and_stand_in_the_table() {
        let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        assert!(texts.iter().all(|text| text.starts_with("config/")));
        let table = table();
        assert_eq!(table.lines().count(), Code::ALL.len() + 2);
        assert!(table.lines().all(|line| line.matches('|').count() == 3), "{table}");
    }
}
