//! What one line of the audit log says.

use jiff::Timestamp;
use nevra::Sha256;
use plan::Answer;
use serde::{Deserialize, Serialize};
use store::Manifest;

use crate::account::Account;
use crate::grounds::Grounds;

/// Is what a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// A request was refused, was a dry run, or had nothing to do.
    Answer,
    /// A generation was published.
    Generation,
    /// The chain begins here; the lines before it were written by a program that made none.
    Began,
    /// What was torn, or not known to be durable, counts for nothing; or the log had lost lines, which is said here.
    Healed,
    /// The file of a package in the pool was found damaged.
    Damaged,
    /// It was found sound again.
    Mended,
    /// A configuration that no generation names, by which requests were answered.
    Configured,
    /// Something that a newer program records.
    #[serde(other)]
    Other,
}

/// Is one line of the log.
///
/// Unknown fields are ignored, so that an older program reads the log of a newer one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this form, 1.
    pub format: u32,
    /// When the line was written.
    pub at: Timestamp,
    /// What it is about.
    pub kind: RecordKind,
    /// The digest of the line before, which makes the log a chain; set when the line is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Sha256>,
    /// The digest of the last line that was durable when this one was written, if that is not `previous`: the
    /// lines between are of the same write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Sha256>,
    /// Whether the line makes good one that was lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub healed: bool,
    /// Generations whose manifests name a line that is not in the log any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<u64>,
    /// The claim that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The generation that was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// The digest of that generation's manifest, which holds the answers of the requests settled in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Sha256>,
    /// The claims settled in that generation, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<String>,
    /// The answer that no generation carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What that request was decided on; absent where an older program decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grounds: Option<Box<Grounds>>,
    /// The configuration, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// The package that was found damaged, or sound again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Sha256>,
    /// What is wrong with it, and every place that lists it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}

impl Record {
    /// Makes a record of this kind that says nothing else yet.
    pub fn new(at: Timestamp, kind: RecordKind) -> Record {
        Record {
            format: 1,
            at,
            kind,
            previous: None,
            batch: None,
            healed: false,
            lost: Vec::new(),
            claim: None,
            id: None,
            owner: None,
            generation: None,
            manifest: None,
            settled: Vec::new(),
            answer: None,
            grounds: None,
            configuration: None,
            package: None,
            words: Vec::new(),
        }
    }

    /// Records that the file of a package in the pool is damaged, how, and which places list it.
    pub fn of_damage(at: Timestamp, package: Sha256, words: Vec<String>) -> Record {
        Record { package: Some(package), words, ..Record::new(at, RecordKind::Damaged) }
    }

    /// Records that the file of a package in the pool is sound again.
    pub fn of_mending(at: Timestamp, package: Sha256) -> Record {
        Record { package: Some(package), ..Record::new(at, RecordKind::Mended) }
    }

    /// Records a configuration that no generation names.
    pub fn of_configuration(at: Timestamp, configuration: &[u8]) -> Record {
        let text = String::from_utf8_lossy(configuration).into_owned();
        Record { configuration: Some(text), ..Record::new(at, RecordKind::Configured) }
    }

    /// Records an answer that changed nothing.
    pub fn of_answer(at: Timestamp, answer: &Answer, grounds: Option<Grounds>) -> Record {
        Record {
            grounds: grounds.map(Box::new),
            claim: Some(answer.claim.clone()),
            id: Some(answer.id.clone()),
            owner: Some(answer.owner.clone()),
            answer: Some(answer.clone()),
            ..Record::new(at, RecordKind::Answer)
        }
    }

    /// Records that a generation was published; the answers stand in its manifest, whose digest is `digest`.
    pub fn of_generation(at: Timestamp, manifest: &Manifest, digest: Sha256) -> Record {
        let account = Account::of(manifest.number, &manifest.account);
        let requests = account.map(|account| account.requests).unwrap_or_default();
        Record {
            generation: Some(manifest.number),
            manifest: Some(digest),
            settled: requests.into_iter().map(|settled| settled.answer.claim).collect(),
            ..Record::new(at, RecordKind::Generation)
        }
    }

    /// The last line that was durable when this one was written.
    pub(super) fn durable(&self) -> Option<Sha256> {
        self.batch.or(self.previous)
    }
}
