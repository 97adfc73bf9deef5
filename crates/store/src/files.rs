//! `files.json`: every file of both halves of a generation, but itself and `manifest.json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::Modified;

/// What a generation consists of.
///
/// Paths are relative to their half and in the order of their bytes, so the same generation always gives
/// the same bytes. Directories are not listed: they are those the paths need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// The format of this file: 1.
    pub format: u32,
    /// The files of the public half.
    pub public: BTreeMap<String, FileFacts>,
    /// The files of the private half, but `manifest.json` and `files.json`.
    pub private: BTreeMap<String, FileFacts>,
    /// The symlinks of the public half, each with its text: `../../packages/<repository>`.
    pub packages_links: BTreeMap<String, String>,
    /// The symlinks of the private half, each with its text: `../../public/packages/<repository>/...`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub private_links: BTreeMap<String, String>,
}

/// What is recorded of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// The size in bytes.
    pub size: u64,
    /// The digest of the bytes.
    pub sha256: Sha256,
    /// When the file was modified last, as web servers show it.
    pub modified: Modified,
    /// Until when the file is kept, where it is superseded already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}
