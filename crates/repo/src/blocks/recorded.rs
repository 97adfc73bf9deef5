//! How the blocks of a file are put on record: three numbers for each, so that an index of thousands is small.

use serde::{Deserialize, Serialize};

use super::{Block, Blocks};
use crate::document::Document;
use crate::packing::Compression;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded {
    document: String,
    compression: Compression,
    head: u64,
    /// The bytes packed, the bytes unpacked, the packages.
    blocks: Vec<(u64, u64, usize)>,
    foot: u64,
}

impl From<Blocks> for Recorded {
    fn from(blocks: Blocks) -> Self {
        let Blocks { document, compression, head, blocks, foot } = blocks;
        let blocks = blocks.into_iter().map(|block| (block.packed, block.open, block.packages)).collect();
        Self { document: document.to_string(), compression, head, blocks, foot }
    }
}

impl TryFrom<Recorded> for Blocks {
    type Error = String;

    fn try_from(recorded: Recorded) -> Result<Self, String> {
        let Recorded { document, compression, head, blocks, foot } = recorded;
        let all = [Document::Primary, Document::Filelists, Document::Other];
        let document = all
            .into_iter()
            .find(|one| one.as_str() == document)
            .ok_or_else(|| "it is about no list of packages".to_owned())?;
        let block = |(packed, open, packages)| Block { packed, open, packages };
        let blocks =
            Self { document, compression, head, blocks: blocks.into_iter().map(block).collect(), foot };
        let sum = |of: fn(&Block) -> u64| blocks.blocks.iter().map(of).try_fold(0, u64::checked_add);
        let packages = blocks.blocks.iter().map(|block| block.packages).try_fold(0, usize::checked_add);
        let packed = sum(|block| block.packed).and_then(|sum| sum.checked_add(head)?.checked_add(foot));
        // A gibibyte in one block was not written here.
        let are_sane = blocks.blocks.iter().all(|block| block.open < 1 << 30 && block.packed < 1 << 30);
        match (packed, packages) {
            (Some(_), Some(_)) if are_sane => Ok(blocks),
            _ => Err("its numbers are those of no file".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_on_record_comes_back() {
        let (_, blocks) =
            Blocks::write(Document::Other, Compression::Gzip, &[b"<package></package>\n".as_slice(); 3]);
        let text = serde_json::to_string(&blocks).unwrap();
        assert!(text.starts_with(r#"{"document":"other","compression":"gzip","head":"#), "{text}");
        assert_eq!(serde_json::from_str::<Blocks>(&text).unwrap(), blocks);
        for (from, to) in [
            ("other", "repomd"),
            (r#""foot":"#, r#""foot":1844674407370955161"#),
            (r#"[["#, r#"[[9999999999,1,1],["#),
            (r#""head":"#, r#""more":1,"head":"#),
        ] {
            let text = text.replacen(from, to, 1);
            assert!(serde_json::from_str::<Blocks>(&text).is_err(), "{text}");
        }
    }
}
