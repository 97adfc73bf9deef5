//! The signatures of the metadata that is written: made and verified before the draft is whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use store::planted::{self, Bug};
use store::{Modified, Source};

use super::Publication;
use crate::account::Shelved;
use crate::error::Error;
use crate::signing::{Announced, CERTIFICATES, SIGNATURE, beside_repomd};

impl Publication<'_> {
    /// Has every repomd.xml signed that is written here and is to be signed; one that is carried keeps its signature.
    pub(super) fn write_signatures(
        &mut self,
        listings: &BTreeMap<String, Shelved>,
        modified: Modified,
        public: &mut BTreeMap<Utf8PathBuf, Source>,
    ) -> Result<(), Error> {
        let mut wanted: Vec<(&Shelved, Arc<Announced>)> = Vec::new();
        for shelved in listings.values() {
            let is_written =
                matches!(public.get(&beside_repomd(&shelved.path, "repomd.xml")), Some(Source::Bytes { .. }));
            if !is_written {
                continue;
            }
            // What an earlier repomd.xml had belongs to that one.
            public.remove(&beside_repomd(&shelved.path, SIGNATURE));
            public.remove(&beside_repomd(&shelved.path, CERTIFICATES));
            if let Some(announced) = self.config.announced(&shelved.repository())? {
                wanted.push((shelved, announced));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let mut jobs = Vec::new();
        for (shelved, announced) in &wanted {
            if let Some(Source::Bytes { bytes, .. }) = public.get(&beside_repomd(&shelved.path, "repomd.xml"))
            {
                jobs.push(announced.job(&shelved.path, bytes));
            }
        }
        // A clock that was set back revives no key.
        let now = self.now.max(self.witness.time);
        let made = self.signing.sign_all(self.config, &jobs, now)?;
        let parent = self.parent.map(|(parent, _)| &parent.files.public);
        for ((shelved, announced), signature) in wanted.into_iter().zip(made) {
            let file = beside_repomd(&shelved.path, SIGNATURE);
            let is_there = parent.is_some_and(|files| files.contains_key(file.as_str()));
            let source = match is_there && planted::is(Bug::SignatureCarried) {
                true => Source::Carry,
                false => Source::Bytes { bytes: signature, modified, until: None },
            };
            public.insert(file, source);
            let file = beside_repomd(&shelved.path, CERTIFICATES);
            let bytes = announced.certificates.clone();
            let known = parent.and_then(|files| files.get(file.as_str()));
            let is_same = known.is_some_and(|facts| facts.sha256 == repo::sha256(&bytes));
            public.insert(
                file,
                match is_same {
                    true => Source::Carry,
                    false => Source::Bytes { bytes, modified, until: None },
                },
            );
        }
        Ok(())
    }
}
