//! A file that is made of parts of an older one and of new bytes.

use std::io::SeekFrom;
use std::ops::Range;

use camino::Utf8Path;
use nevra::Sha256;

use super::{Half, Staging};
use crate::files::FileFacts;
use crate::trees::SEALED_FILE;
use crate::{Error, Modified, Part, Reading, Writing};

/// How much is copied at once.
const PIECE: usize = 1 << 18;

impl Staging<'_> {
    /// Writes a file as its parts say.
    pub(super) fn splice(
        &mut self,
        (half, of): (Half, Half),
        path: &Utf8Path,
        from: &str,
        (parts, sha256, modified): (&[Part], Sha256, Modified),
    ) -> Result<FileFacts, Error> {
        let Some(parent) = self.parent.as_ref().and_then(|parent| self.others.get(&parent.number)) else {
            return Err(self.refuse(format!("`{path}` cannot be made of another file: there is no parent")));
        };
        let (old, place) = self.untouched(of, parent, from)?;
        let is_inside = |range: &Range<u64>| range.start <= range.end && range.end <= old.size;
        if parts.iter().any(|part| matches!(part, Part::Old(range) if !is_inside(range))) {
            return Err(self.refuse(format!("`{path}` is to be made of bytes that `{from}` does not have")));
        }
        let at = self.at(half, path);
        self.make_room(&at)?;
        let mut reading = self.store.disk.open(&place)?;
        let mut writing = self.store.disk.create(&at, SEALED_FILE)?;
        let mut size = 0;
        for part in parts {
            match part {
                Part::New(bytes) => {
                    writing.write_all(bytes).map_err(|cause| Error::disk("write", &at, cause))?;
                    size += bytes.len() as u64;
                }
                Part::Old(range) => {
                    copy((&mut *reading, &place), range, (&mut *writing, &at))?;
                    size += range.end - range.start;
                }
            }
        }
        writing.set_modified(modified)?;
        let facts = FileFacts { size, sha256, modified, until: None };
        self.wrote(at, writing, facts)?;
        Ok(facts)
    }
}

/// Copies bytes of one file to the end of another.
fn copy(
    (reading, place): (&mut dyn Reading, &Utf8Path),
    range: &Range<u64>,
    (writing, at): (&mut dyn Writing, &Utf8Path),
) -> Result<(), Error> {
    let failed = |cause: std::io::Error| Error::disk("read", place, cause);
    reading.seek(SeekFrom::Start(range.start)).map_err(failed)?;
    let mut left = range.end - range.start;
    let mut buffer = vec![0; PIECE];
    while left > 0 {
        let piece = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
        let piece = &mut buffer[..piece];
        reading.read_exact(piece).map_err(failed)?;
        writing.write_all(piece).map_err(|cause| Error::disk("write", at, cause))?;
        left -= piece.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trees::sha256_of;
    use crate::workshop::{Workshop, second};
    use crate::{CommitError, Source};

    /// Publishes a list made of parts of the last one.
    fn splice(shop: &Workshop, parts: Vec<Part>, text: &str) -> Result<(), CommitError> {
        let mut draft = shop.plain();
        let modified = Modified::of_seconds(second(draft.number).as_second());
        let sha256 = sha256_of(text.as_bytes());
        let source = Source::Spliced { from: "x/repodata/list".into(), parts, sha256, modified };
        draft.public.insert("x/repodata/next".into(), source);
        let generation = shop.store.commit(&shop.lock, draft)?;
        shop.store.finish(&shop.lock, generation.number).unwrap();
        Ok(())
    }

    #[test]
    fn a_file_is_made_of_parts_of_the_last_one() {
        let shop = Workshop::with(1);
        assert_eq!(shop.read("public/current/x/repodata/list"), "1 packages");
        let parts = vec![Part::New(b"2".into()), Part::Old(1..9), Part::Old(9..10), Part::New(b"!".into())];
        splice(&shop, parts, "2 packages!").unwrap();
        assert_eq!(shop.read("public/current/x/repodata/next"), "2 packages!");
        assert_eq!(shop.read("public/current/x/repodata/list"), "1 packages");
    }

    #[test]
    fn what_is_not_what_was_asked_for_is_not_published() {
        let check = |shop: &Workshop, parts: Vec<Part>, words: &str| {
            let refused = splice(shop, parts, "1 packages").unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
            assert!(!shop.has("public/current/x/repodata/next"));
        };
        let shop = Workshop::with(1);
        check(&shop, vec![Part::Old(1..10)], "its bytes are not those that were written");
        let shop = Workshop::with(1);
        check(&shop, vec![Part::Old(0..11)], "is to be made of bytes that `x/repodata/list` does not have");
        let shop = Workshop::with(1);
        shop.scribble("public/@1/x/repodata/list", "9 packages");
        check(&shop, vec![Part::Old(0..10)], "somebody wrote into generation 1");
    }
}
