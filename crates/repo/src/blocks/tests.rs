use nevra::Algorithm;

use super::*;
use crate::repomd::{Measure, Open};
use crate::unpack;

const DOCUMENT: Document = Document::Filelists;

/// Hashes what is read, whatever it was.
const HASHING: Hashing<'_> =
    Hashing { algorithm: Algorithm::Sha256, is_opened: true, known: None, prepared: None };

fn fragment(number: usize, size: usize) -> Vec<u8> {
    let mut text = format!("<package pkgid=\"{number}\">").into_bytes();
    let mut random = fastrand::Rng::with_seed(number as u64);
    while text.len() < size {
        text.extend_from_slice(format!("<file>/usr/share/{}</file>", random.u32(..)).as_bytes());
    }
    text.extend_from_slice(b"</package>\n");
    text
}

fn lent(fragments: &[Vec<u8>]) -> Vec<&[u8]> {
    fragments.iter().map(Vec::as_slice).collect()
}

/// What the file says if it is put together by hand.
fn plain(fragments: &[Vec<u8>]) -> Vec<u8> {
    let mut text = DOCUMENT.header(fragments.len());
    fragments.iter().for_each(|fragment| text.extend_from_slice(fragment));
    text.extend_from_slice(DOCUMENT.footer());
    text
}

/// A file, and how much was read and packed anew when it changed.
struct File {
    bytes: Vec<u8>,
    blocks: Blocks,
    read: usize,
    anew: usize,
}

impl File {
    fn of(compression: Compression, fragments: &[Vec<u8>]) -> Self {
        let (bytes, blocks) = Blocks::write(DOCUMENT, compression, &lent(fragments));
        Self { bytes, blocks, read: 0, anew: 0 }
    }

    fn change(&mut self, gone: &BTreeSet<usize>, new: &[Vec<u8>]) {
        let mut read = 0;
        let old = &self.bytes;
        let slice = |range: &Range<u64>| &old[range.start as usize..range.end as usize];
        let algorithm = Algorithm::Sha256;
        let known = crate::digest(algorithm, old);
        let counts = self.blocks.packages() - gone.len() + new.len();
        let lend = &mut |range: Range<u64>| Ok::<_, Error>(slice(&range).to_vec());
        let known = Hashing { known: Some(&known), ..HASHING };
        let prepared = self.blocks.prepare(&BTreeSet::from([counts]), &known, lend).unwrap();
        let hashing = Hashing { prepared: Some(&prepared), ..known };
        let changed = self.blocks.change(gone, &lent(new), &hashing, &mut |range| {
            read += 1;
            Ok::<_, Error>(slice(&range).to_vec())
        });
        let changed = changed.unwrap();
        // What is not prepared is read, and comes out the same.
        let unprepared = Hashing { prepared: None, ..hashing };
        assert_eq!(self.blocks.change(gone, &lent(new), &unprepared, lend).unwrap(), changed);
        // Without the digest of what it unpacks to it is the same file, and what was prepared for the other tells nothing.
        let closed = Hashing { is_opened: false, ..hashing };
        let prepared = self.blocks.prepare(&BTreeSet::from([counts]), &closed, lend).unwrap();
        for hashing in [closed, Hashing { prepared: Some(&prepared), ..closed }] {
            let closed = self.blocks.change(gone, &lent(new), &hashing, lend).unwrap();
            let open = changed.open.clone().map(|open| Open { checksum: None, ..open });
            assert_eq!(closed, Changed { open, ..changed.clone() });
        }
        let swapped = Hashing { prepared: Some(&prepared), ..hashing };
        assert_eq!(self.blocks.change(gone, &lent(new), &swapped, lend).unwrap(), changed);
        let Changed { parts, blocks, file, open } = changed;
        let anew = parts.iter().map(|part| if let Part::New(bytes) = part { bytes.len() } else { 0 }).sum();
        let bytes = parts.iter().flat_map(|part| match part {
            Part::Old(range) => slice(range).to_vec(),
            Part::New(bytes) => bytes.clone(),
        });
        *self = Self { bytes: bytes.collect(), blocks, read, anew };
        assert_eq!(file, Measure::of(algorithm, &self.bytes));
        let text = unpack(&self.bytes, 1 << 30).unwrap();
        let is_packed = Compression::of(&self.bytes) != Compression::None;
        assert_eq!(open, is_packed.then(|| Measure::of(algorithm, &text).into()));
        assert_eq!(self.blocks.open_size(), text.len() as u64);
    }

    #[track_caller]
    fn check(&self, fragments: &[Vec<u8>]) {
        assert!(unpack(&self.bytes, 1 << 30).unwrap() == plain(fragments), "it says something else");
        assert_eq!(self.blocks.packages(), fragments.len());
        assert_eq!(self.blocks.size(), self.bytes.len() as u64);
        for (at, fragment) in fragments.iter().enumerate().step_by(7) {
            let (bytes, place) = self.blocks.place_of(at).unwrap();
            let open = unpack(&self.bytes[bytes.start as usize..bytes.end as usize], 1 << 30).unwrap();
            let text = Text::cut(open);
            assert!(text.bytes_of(place..place + 1) == fragment.as_slice());
        }
        assert_eq!(self.blocks.place_of(fragments.len()), None);
    }
}

#[test]
fn a_file_in_blocks_says_what_one_in_one_piece_does() {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        for count in [0, 1, 2, 300] {
            let fragments: Vec<_> = (0..count).map(|number| fragment(number, 5000)).collect();
            let file = File::of(compression, &fragments);
            file.check(&fragments);
            let blocks = file.blocks.blocks();
            assert_eq!(blocks.len(), if count == 300 { 6 } else { count.min(1) }, "{blocks:?}");
        }
    }
}

#[test]
fn a_change_reads_and_packs_what_it_touches() {
    let mut fragments: Vec<_> = (0..2000).map(|number| fragment(number, 5000)).collect();
    let mut file = File::of(Compression::Gzip, &fragments);
    let whole = file.bytes.len();
    let new = vec![fragment(2000, 5000)];
    file.change(&BTreeSet::new(), &new);
    fragments.extend(new);
    file.check(&fragments);
    assert_eq!(file.read, 1, "the last block takes what is new");
    assert!(file.anew * 25 < whole, "{} of {whole}", file.anew);
    let new = vec![fragment(2001, 5000)];
    file.change(&BTreeSet::from([1000]), &new);
    fragments.remove(1000);
    fragments.extend(new);
    file.check(&fragments);
    assert!(file.anew * 15 < whole, "{} of {whole}", file.anew);
    assert!(
        file.read <= file.blocks.blocks().len() / 2 + 2,
        "what stands in front of what left is hashed: {}",
        file.read
    );
    // What is listed nowhere changes nothing but what must.
    file.change(&BTreeSet::new(), &[]);
    file.check(&fragments);
    assert_eq!(file.read, 0);
}

#[test]
fn many_changes_leave_no_crumbs_and_say_what_one_writing_does() {
    for seed in 0..6 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut next = 0;
        let mut some = |random: &mut fastrand::Rng, count: usize| -> Vec<Vec<u8>> {
            (0..count)
                .map(|_| {
                    next += 1;
                    // Now and then one that is larger than a block.
                    let size = if random.u8(..) == 0 { 3 * BLOCK / 2 } else { random.usize(100..20_000) };
                    fragment(next, size)
                })
                .collect()
        };
        let mut fragments = some(&mut random, 200);
        let compression = if seed % 2 == 0 { Compression::None } else { Compression::Zstd };
        let mut file = File::of(compression, &fragments);
        for round in 0..40 {
            let count = if random.u8(..) < 20 { fragments.len() } else { random.usize(0..6) };
            let gone: BTreeSet<usize> =
                (0..count.min(fragments.len())).map(|_| random.usize(0..fragments.len())).collect();
            let count = random.usize(0..8);
            let new = some(&mut random, count);
            file.change(&gone, &new);
            let mut at = 0;
            fragments.retain(|_| {
                at += 1;
                !gone.contains(&(at - 1))
            });
            fragments.extend(new);
            file.check(&fragments);
            let open: u64 = file.blocks.blocks().iter().map(|block| block.open).sum();
            let most = open / SMALL as u64 + 2;
            let blocks = file.blocks.blocks().len() as u64;
            assert!(blocks <= most, "{blocks} blocks of {open} bytes, seed {seed}, round {round}");
        }
    }
}

#[test]
fn a_block_that_is_not_what_is_known_of_it_is_named() {
    let fragments: Vec<_> = (0..10).map(|number| fragment(number, 500)).collect();
    let file = File::of(Compression::None, &fragments);
    let check = |bytes: Vec<u8>, words: &str| {
        let read = &mut |_| Ok::<_, Error>(bytes.clone());
        let said = file.blocks.change(&BTreeSet::from([3]), &[], &HASHING, read).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    };
    let open = fragments.concat();
    check(
        open[..open.len() - 20].to_vec(),
        "block 1 of filelists, bytes 114 to 5468: failed to match filelists with primary: it holds 9 packages",
    );
    check([&*open, b" "].concat(), "more than");
    check(b"\x1f\x8bnonsense".to_vec(), "gzip");
    let read = &mut |_| Err(Error::UnknownCompression { text: "x".into() });
    assert!(file.blocks.change(&BTreeSet::from([3]), &[], &HASHING, read).is_err());
}

#[test]
fn another_file_is_not_taken_for_the_one_that_is_known() {
    let fragments: Vec<_> = (0..200).map(|number| fragment(number, 5000)).collect();
    for compression in [Compression::None, Compression::Gzip] {
        let File { mut bytes, blocks, .. } = File::of(compression, &fragments);
        let known = crate::digest(Algorithm::Sha256, &bytes);
        // In a block that is copied, and where nothing but the digest tells.
        let at = bytes.len() / 2;
        bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
        let read = &mut |range: Range<u64>| Ok(bytes[range.start as usize..range.end as usize].to_vec());
        let hashing = Hashing { known: Some(&known), ..HASHING };
        let changed = blocks.change::<Error>(&BTreeSet::from([0]), &[], &hashing, read);
        let prepared = blocks.prepare::<Error>(&BTreeSet::from([7]), &hashing, read);
        assert!(changed.is_err() && prepared.is_err(), "{compression}");
    }
}

#[test]
fn packages_are_read_by_their_places() {
    let fragments: Vec<_> = (0..300).map(|number| fragment(number, 5000)).collect();
    let File { bytes, blocks, .. } = File::of(Compression::Gzip, &fragments);
    let mut reads = 0;
    let mut read = |range: Range<u64>| {
        reads += 1;
        Ok::<_, Error>(bytes[range.start as usize..range.end as usize].to_vec())
    };
    let wanted = BTreeSet::from([0, 1, 150, 299]);
    let found = blocks.fragments(&wanted, &mut read).unwrap();
    assert!(found.iter().zip(&wanted).all(|(found, at)| *found == fragments[*at]));
    assert!(blocks.fragments(&BTreeSet::from([5, 300]), &mut read).is_err());
    assert_eq!(reads, 3 + 1);
}

#[test]
fn an_end_tag_written_otherwise_is_found_again() {
    let odd: [&[u8]; 3] = [b"<package>1</package >", b"<package>2</package\n>\n", b"<package>3</package>"];
    let (file, blocks) = Blocks::write(Document::Other, Compression::None, &odd);
    assert!(
        String::from_utf8(file.clone()).unwrap().contains(">\n<package>2</package>\n<package>3</package>\n")
    );
    let read =
        &mut |range: Range<u64>| Ok::<_, Error>(file[range.start as usize..range.end as usize].to_vec());
    assert_eq!(blocks.fragments(&BTreeSet::from([1]), read).unwrap(), [b"<package>2</package>\n"]);
}
