//! Why a request is not done: stable codes, their exit codes and meanings, and the refusal that carries one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::lacking::Lacking;
use crate::plan::GateSeen;

macro_rules! codes {
    ($($variant:ident $text:literal $exit:literal $meaning:literal)*) => {
        /// Names an outcome for programs; texts may change, codes do not.
        ///
        /// The first four are no refusals: they are what an answer says when all is well.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
            /// Why a procedure does not take a step.
            Step(workflow::Code),
        }

        /// The codes that are no procedure's, in the order of the table.
        const OWN: &[Code] = &[$(Code::$variant,)*];

        impl Code {
            /// Writes the code as answers carry it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$variant => $text,)*
                    Code::Step(code) => code.as_str(),
                }
            }

            /// Says with which exit code the command line ends.
            pub fn exit(self) -> u8 {
                match self {
                    $(Code::$variant => $exit,)*
                    Code::Step(code) => code.exit(),
                }
            }

            /// Says in one sentence what the code means.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Code::$variant => $meaning,)*
                    Code::Step(code) => code.meaning(),
                }
            }
        }
    };
}

codes! {
    Done "done" 0 "The request was carried out; the answer names the generation."
    Planned "planned" 0 "A dry run: the answer holds the plan, nothing was changed."
    NothingToDo "nothing-to-do" 0 "Everything was already as the request wants it."
    AlreadyThere "already-there" 0 "The packages are already where the request wants them."
    Truncated "truncated" 2 "The file ends too early: TOML ends with the line `[end]`, JSON is one whole value."
    NotARegularFile "not-a-regular-file" 2 "The request is a FIFO, socket or device."
    Symlink "symlink" 2 "The request is a symbolic link."
    Directory "directory" 2 "The request is a directory."
    HardLinked "hard-linked" 2 "The request file has more than one name."
    Unreadable "unreadable" 2 "The daemon may not read the request: it was written with a umask like 077."
    WritableByOthers "writable-by-others" 2 "Others than its owner may write the request file."
    TooLarge "too-large" 2 "The request is larger than 64 KiB."
    Malformed "malformed" 2 "The request is not valid TOML or JSON, or a value is not of the form it needs."
    NotUtf8 "not-utf8" 2 "The request is not UTF-8."
    DuplicateKey "duplicate-key" 2 "The request says a key twice."
    WrongType "wrong-type" 2 "A value is of another type than its key needs."
    UnknownKey "unknown-key" 2 "The request holds a key that its action does not know."
    UnknownAction "unknown-action" 2 "The request names an action there is not."
    WrongFormat "wrong-format" 2 "The request does not say `format = 1`."
    BadName "bad-name" 2 "A name breaks the rules for names of generations."
    Ambiguous "ambiguous" 2 "The request fits several things; name exactly one."
    DigestMismatch "digest-mismatch" 2 "A file does not have the digest that its name, or the metadata to adopt, says."
    EmptyFile "empty-file" 2 "A file has no bytes at all."
    NotAPackage "not-a-package" 2 "A file is no RPM."
    PackageCutShort "package-cut-short" 2 "An RPM ends before its headers do."
    OversizedHeader "oversized-header" 2 "A header claims more entries or bytes than any RPM needs."
    DamagedPackage "damaged-package" 2 "A header is broken, or differs from its own digest."
    ControlCharacter "control-character" 2 "Text of a package holds a character that XML cannot carry."
    BadPackageName "bad-package-name" 2 "Name, version, release or architecture cannot stand in a file name or URL."
    ReaderDied "reader-died" 2 "Reading a package took more memory or time than any package needs, or ended the process that read it."
    BadPackage "bad-package" 2 "A file is not a sound RPM."
    ArchitectureNotTaken "architecture-not-taken" 2 "No platform asked for takes packages of that architecture."
    NoRepository "no-repository" 5 "The folder to adopt holds no `repodata/repomd.xml`."
    BadMetadata "bad-metadata" 2 "The metadata of the repository to adopt cannot be read, or is not complete."
    SizeMismatch "size-mismatch" 2 "A file of the repository to adopt has not the size its metadata says."
    CountMismatch "count-mismatch" 2 "The metadata to adopt claims other packages than it lists, or its files list different ones."
    HrefOutside "href-outside" 2 "The metadata to adopt names a file that lies outside of its repository."
    DocumentType "document-type" 2 "The metadata to adopt has a DOCTYPE, which could make entities grow."
    UnpacksTooLarge "unpacks-too-large" 2 "A metadata file to adopt unpacks to far more than is believable."
    MissingFile "missing-file" 5 "A file that the metadata to adopt names is not there."
    RetireNeeded "retire-needed" 2 "The configuration no longer knows a repository that is published."
    UnknownOwner "unknown-owner" 3 "The owner of the request file has no account here."
    RoleNotAllowed "role-not-allowed" 3 "The requester has none of the roles that may do this."
    DoorOnly "as-not-allowed" 3 "Only the door may ask on somebody's behalf, with `as`."
    DoorNeedsAs "as-missing" 3 "The door asks for somebody else, and the request does not say with `as` for whom."
    FolderNotAllowed "folder-not-allowed" 3 "The request came through the door and names a folder of this host."
    UnknownSshKey "unknown-ssh-key" 3 "No key that may sign requests made the signature."
    SshKeyNotValid "ssh-key-not-valid" 3 "The key that signed the request may not sign now, or not requests."
    BadSignature "bad-request-signature" 3 "The signature of the request does not fit it, or is none."
    UnboundSignature "unbound-signature" 3 "A signed request lacks `id`, `expires` or `site`, or expires too far ahead: it could be handed in again, or elsewhere."
    OtherSite "other-site" 3 "The request says with `site` that it is for another site."
    Expired "expired" 3 "The request's `expires` has passed."
    OtherContent "other-content" 3 "Another file of the same name, version, release and architecture is listed."
    VariantUndecided "variant-undecided" 3 "Another repository lists another file of the same name, and nobody decided that both may be."
    VariantAlike "variant-alike" 3 "Two files of one name were built in the same second or would share a URL, so hosts could not tell them apart."
    Purged "purged" 3 "The package was purged from this site and may not come back."
    PoolDamaged "pool-damaged" 3 "The file of a package in the pool has other bytes than it came with."
    Older "older" 3 "The target lists something newer of the same name and architecture."
    NoVersionBefore "no-version-before" 3 "A meta-package pins a rejected package of which hosts of the stage are offered no older version."
    StillOffered "still-offered" 3 "Another stage that hosts draw from lists a rejected package as well, so they would not go back."
    SharedPin "shared-pin" 3 "Another product pins a rejected package, and does not offer it itself."
    ReleaseTaken "release-taken" 3 "The release for a meta-package that is built anew is taken, or not newer than the one it has."
    NotAMetaPackage "not-a-meta-package" 3 "A package that would be built anew brings files that are no documentation, and the configuration does not name it."
    PinNotUnderstood "pin-not-understood" 3 "What would be pinned otherwise stands in a rich dependency, is not there, or meta-packages pin each other in a circle."
    NotRebuildable "not-rebuildable" 3 "The header of a meta-package cannot be edited faithfully: it is not UTF-8, is as old as rpm 3, or was not laid out by rpm."
    Unsigned "unsigned" 3 "A package is not signed, and the stage demands it."
    SignerUnknown "signer-unknown" 3 "A package is signed by a key that the configuration does not name."
    SignerNotAllowed "signer-not-allowed" 3 "A package is signed by a key that the stage does not take, or not at this time."
    SignerExpired "signer-expired" 3 "The key that signed a package is expired, or was not valid when it signed; or the signature itself has expired."
    SignerRevoked "signer-revoked" 3 "The key that signed a package, or its subkey, is revoked."
    SignerWeak "signer-weak" 3 "The key that signed a package is too short, is not bound as it must be, or is not meant for signing."
    SignatureWeak "signature-weak" 3 "A package is signed by way of MD5, SHA-1 or RIPEMD-160."
    SignatureBad "signature-bad" 3 "A signature of a package does not fit it, or is none that hosts can read."
    PayloadTampered "payload-tampered" 3 "The payload of a package is not the one its digests state."
    DigestMissing "digest-missing" 3 "A package states no digest of its header or payload that means anything, so its signature vouches for less than all."
    SignaturesUnread "signatures-unread" 3 "The signatures of a package could not be read."
    NotInstallable "not-installable" 3 "Something that would enter or stay could not be installed."
    MetaPackageBroken "meta-package-broken" 3 "A meta-package could no longer be installed, or hosts that have it could not update."
    InstallableUnknown "installable-unknown" 3 "It could not be judged whether something can be installed, which counts as a no."
    ContextMissing "context-missing" 3 "A repository that hosts draw from beside the stage is not there, or was never fetched."
    ContextCorrupt "context-corrupt" 3 "A repository that hosts draw from beside the stage is damaged."
    ContextTooLarge "context-too-large" 3 "The repositories that hosts draw from beside the stage take more memory than the daemon gives them."
    ContextStale "context-stale" 3 "A repository that hosts draw from beside the stage was not looked at for longer than its `max_age`."
    ExternalFailed "external-gate-failed" 3 "A gate outside of Sluice does not let the plan pass."
    ExternalMissing "external-gate-missing" 3 "A gate outside of Sluice has not said yet what it thinks of the plan."
    ExternalUnusable "external-gate-unusable" 3 "What a gate outside of Sluice says cannot be had or not be believed, which counts as a no."
    MovedOn "moved-on" 3 "What the request to undo moved has moved on since."
    CannotUndo "cannot-undo" 3 "What the request did has no inverse, or it did nothing."
    Soaking "soaking" 3 "A package has not been long enough in the stage it leaves."
    ApprovalsMissing "approvals-missing" 3 "Too few people approve of the plan."
    NotWaivable "not-waivable" 3 "Nobody can answer for the gate."
    Frozen "frozen" 4 "The stage is frozen by a request, a file in the control directory, or the calendar."
    VariantInUse "variant-in-use" 4 "Both files that a variant is about are listed: it cannot end before one of them left."
    StandingFull "standing-full" 4 "As many waivers, freezes or approvals stand as may, of one person or of all; or as many advisories are on record as taken back, or wait, as may."
    UsedId "used-id" 4 "The requester has used the id for another request."
    NameTaken "name-taken" 4 "The name was given before: it belongs to one generation for ever, and does not come back once it ended."
    PlanChanged "plan-changed" 4 "The plan is no longer the one the request asks for."
    UnknownProduct "unknown-product" 5 "There is no such product."
    UnknownStage "unknown-stage" 5 "The product has no such stage."
    UnknownRoute "unknown-route" 5 "The product has no such route."
    UnknownPlatform "unknown-platform" 5 "The product has no such platform."
    NoSuchPackage "no-such-package" 5 "Nothing in the stage fits."
    NotListed "advisory-names-absent" 5 "An advisory would name a package that the stage does not list."
    NoSuchAdvisory "no-such-advisory" 5 "No stage of the product has the advisory."
    NoSuchUpload "no-such-upload" 5 "A file the request refers to is not in `upload/`, or the folder holds no package."
    FolderNotReadable "folder-not-readable" 5 "The daemon cannot read the folder the request refers to."
    NoSuchName "no-such-name" 5 "No generation bears the name."
    NoSuchRequest "no-such-request" 5 "No settled request bears the name."
    NoSuchWaiver "no-such-waiver" 5 "No waiver in force has the id."
    NoSuchFreeze "no-such-freeze" 5 "No freeze in force has the id."
    NoSuchVariant "no-such-variant" 5 "No variant that stands has the id."
    Gone "gone" 5 "The generation is no longer kept, or does not hold what is asked for."
    TryLater "try-later" 75 "Something passing is in the way; the same request may succeed later."
    NeedsPerson "needs-a-person" 78 "The site is in a state that only a person can put right."
    Internal "internal" 1 "The program found itself in error and stopped before it changed anything."
}

impl Code {
    /// Lists every code, in the order of the table.
    pub fn all() -> impl Iterator<Item = Code> {
        OWN.iter().copied().chain(workflow::Code::ALL.iter().copied().map(Code::Step))
    }

    /// Finds a code by its text.
    pub fn named(text: &str) -> Option<Code> {
        Code::all().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
        let text = String::deserialize(deserializer)?;
        Code::named(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a code")))
    }
}

/// Writes every code, its exit code and its meaning as a Markdown table, for the documentation.
pub fn table() -> String {
    let mut table = String::from("| code | exit | meaning |\n|---|---|---|\n");
    for code in Code::all() {
        table.push_str(&format!("| `{}` | {} | {} |\n", code.as_str(), code.exit(), code.meaning()));
    }
    table
}

/// Says why a request is not done.
///
/// A refusal changes nothing. The sentence is plain and complete, without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// What is wrong, in one sentence.
    pub sentence: String,
    /// Particulars, one a line: candidates, packages, near misses.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// What to do instead, where it is known.
    #[serde(default)]
    pub hint: Option<String>,
    /// What each gate saw, if the request came so far.
    #[serde(default)]
    pub gates: Vec<GateSeen>,
    /// The packages whose signatures must be read before there is more to say.
    #[serde(skip)]
    pub(crate) lacking: Box<Lacking>,
}

impl Refusal {
    /// Makes a refusal of a code and a sentence.
    pub fn new(code: Code, sentence: impl Into<String>) -> Refusal {
        let (reasons, gates, lacking) = (Vec::new(), Vec::new(), Box::default());
        Refusal { code, sentence: sentence.into(), reasons, hint: None, gates, lacking }
    }

    /// Adds what to do instead.
    pub fn hint(mut self, hint: impl Into<String>) -> Refusal {
        self.hint = Some(hint.into());
        self
    }

    /// Adds particulars.
    pub fn reasons(mut self, reasons: impl IntoIterator<Item = String>) -> Refusal {
        self.reasons.extend(reasons);
        self
    }

    /// Adds what the gates saw.
    pub fn gates(mut self, gates: Vec<GateSeen>) -> Refusal {
        self.gates = gates;
        self
    }
}

impl From<workflow::Refusal> for Refusal {
    fn from(refused: workflow::Refusal) -> Refusal {
        let workflow::Refusal { code, sentence, reasons, hint } = refused;
        Refusal { hint, ..Refusal::new(Code::Step(code), sentence).reasons(reasons) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.sentence, self.code)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_kebab_case_and_told_apart() {
        let texts: BTreeSet<&str> = Code::all().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::all().count());
        for text in texts {
            assert!(text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{text}");
            assert_eq!(Code::named(text).unwrap().as_str(), text);
        }
        assert_eq!(Code::named("no such"), None);
    }

    #[test]
    fn only_what_went_well_exits_with_zero() {
        let well: Vec<&str> = Code::all().filter(|code| code.exit() == 0).map(|code| code.as_str()).collect();
        assert_eq!(well, ["done", "planned", "nothing-to-do", "already-there"]);
        assert!(Code::all().all(|code| [0, 1, 2, 3, 4, 5, 75, 78].contains(&code.exit())));
    }

    #[test]
    fn the_table_has_one_row_for_each_code() {
        let table = table();
        assert_eq!(table.lines().count(), Code::all().count() + 2);
        assert!(table.contains("| `older` | 3 | The target lists something newer"));
        assert!(table.lines().all(|line| line.matches('|').count() == 4), "{table}");
    }

    #[test]
    fn a_refusal_survives_json() {
        let refusal =
            Refusal::new(Code::Gone, "generation `7` is no longer kept").hint("see `sluice history`");
        let text = serde_json::to_string(&refusal).unwrap();
        assert_eq!(serde_json::from_str::<Refusal>(&text).unwrap(), refusal);
        assert_eq!(refusal.to_string(), "generation `7` is no longer kept (gone)");
        assert!(serde_json::from_str::<Code>("\"nonsense\"").is_err());
    }
}
