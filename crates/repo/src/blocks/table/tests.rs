use std::sync::LazyLock;

use super::*;
use crate::Error;
use crate::blocks::{Cutter, Found, Gathered, Gatherer, PackedBlock};
use nevra::Algorithm;

const SHA: Algorithm = Algorithm::Sha256;
const OTHER: Document = Document::Other;
/// They fill some 27 blocks.
const PACKAGES: usize = 500;

fn fragments(count: usize) -> Vec<Vec<u8>> {
    let fragment = |number: usize| {
        let words = format!("word {} ", number * 7919 % 1013).repeat(1500 + number % 13);
        format!("<package pkgid=\"{number}\">{words}</package>\n").into_bytes()
    };
    (0..count).map(fragment).collect()
}

fn gathered(compression: Compression, fragments: &[Vec<u8>], algorithm: Algorithm) -> Gathered {
    let (mut cutter, mut gatherer) =
        (Cutter::new(), Gatherer::new(OTHER, compression, algorithm, fragments.len()));
    for fragment in fragments {
        cutter.push(fragment).into_iter().for_each(|block| gatherer.put(block.pack(compression)));
    }
    cutter.flush().into_iter().for_each(|block| gatherer.put(block.pack(compression)));
    gatherer.finish(algorithm).unwrap()
}

fn find(file: &[u8]) -> Option<Found> {
    let slice = |range: Range<u64>| file[range.start as usize..range.end as usize].to_vec();
    Blocks::find(OTHER, file.len() as u64, &mut |range| Ok::<_, Error>(slice(range))).unwrap()
}

/// What is known once the whole file was read.
fn past(file: &[u8], algorithm: Algorithm) -> Option<super::super::Past> {
    let found = find(file)?;
    let read = found.read(algorithm, &mut |range, hasher| {
        hasher.update(&file[range.start as usize..range.end as usize]);
        Ok::<_, Error>(())
    });
    let (digest, past) = read.unwrap();
    assert_eq!(digest, crate::digest(algorithm, file));
    past
}

/// Tells how many of all blocks need not be opened where none of them changes.
fn closed(file: &[u8]) -> Option<usize> {
    let past = past(file, SHA)?;
    let (blocks, packages) = (past.blocks().blocks().len(), past.blocks().packages());
    Some(past.first(blocks, packages, SHA)?.closed())
}

/// A file with a table, and where that begins.
fn with_table(compression: Compression) -> (Vec<u8>, usize) {
    static FILES: LazyLock<[(Vec<u8>, usize); 2]> = LazyLock::new(|| {
        [Compression::Gzip, Compression::Zstd].map(|compression| {
            let gathered = gathered(compression, &fragments(PACKAGES), SHA);
            let body = gathered.blocks.unwrap().size() as usize;
            (gathered.pieces.concat(), body)
        })
    });
    FILES[usize::from(compression == Compression::Zstd)].clone()
}

#[test]
fn a_table_is_read_back_and_passed_over() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let fragments = fragments(PACKAGES);
        let gathered = gathered(compression, &fragments, SHA);
        let file = gathered.pieces.concat();
        let found = find(&file).unwrap();
        let blocks = gathered.blocks.unwrap();
        assert_eq!((&found.blocks, blocks.blocks().len() > 20), (&blocks, true));
        let body = blocks.size() as usize;
        assert_eq!(found.table.unwrap().digest, crate::sha256(&file[..body]));
        let open = [&*OTHER.header(PACKAGES), &fragments.concat(), OTHER.footer()].concat();
        assert!(crate::unpack(&file, open.len() as u64).unwrap() == open, "{compression}");
        assert_eq!(gathered.open.unwrap().checksum, crate::digest(SHA, &open));
        assert!(crate::unpack(&file[body..], 0).unwrap().is_empty(), "{compression}");
        let last = (blocks.blocks().len() - 1) / STRIDE * STRIDE;
        assert_eq!(closed(&file), Some(last), "{compression}");
        assert!(file == self::gathered(compression, &fragments, SHA).pieces.concat(), "{compression}");
    }
}

/// The layout is that of a format on disks: other bytes are another format, and need another name at its end.
#[test]
fn a_state_is_saved_as_it_ever_was() {
    let mut hasher = Hasher::new(SHA);
    hasher.update(&b"abc".repeat(50));
    let saved = hasher.saved().unwrap();
    assert_eq!(hashed_by(&saved), 150);
    let words = "6afd38375471d217f75f0dd221e442f4b2df64333cb656e5f090356ac38722360200000000000000";
    assert_eq!(nevra::to_hex(&saved[..40]), words);
    assert_eq!(saved[40..63], [&[22][..], b"cabcabcabcabcabcabcabc"].concat());
    assert_eq!(saved[63..], [0; 41]);
    let mut again = Hasher::resumed(&saved).unwrap();
    again.update(b"d");
    assert_eq!(again.finish(), crate::digest(SHA, &[&b"abc".repeat(50)[..], b"d"].concat()));
    assert_eq!(Hasher::new(Algorithm::Sha512).saved(), None);
}

#[test]
fn small_files_and_other_digests_have_none() {
    for (compression, count, algorithm) in [
        (Compression::Gzip, 100, SHA),
        (Compression::Zstd, 100, SHA),
        (Compression::Gzip, PACKAGES, Algorithm::Sha512),
        (Compression::None, PACKAGES, SHA),
    ] {
        let gathered = gathered(compression, &fragments(count), algorithm);
        let size = gathered.pieces.concat().len() as u64;
        assert_eq!(gathered.blocks.unwrap().size(), size, "{compression}, {count}, {algorithm}");
    }
}

#[test]
fn a_table_takes_less_than_a_thousandth() {
    // Words that pack about as metadata does.
    let mut random = fastrand::Rng::with_seed(3);
    let fragment = |_| {
        let words: String =
            (0..2500).map(|_| ["/usr/lib/", "libx", "y-", "1.2"][random.usize(..4)]).collect();
        format!("<package>{words}</package>\n").into_bytes()
    };
    let fragments: Vec<_> = (0..PACKAGES).map(fragment).collect();
    let gathered = gathered(Compression::Gzip, &fragments, SHA);
    let (size, body) = (gathered.file.size, gathered.blocks.unwrap().size());
    assert!((size - body) * 1000 < size, "{} of {size}", size - body);
}

#[test]
fn states_are_left_out_until_they_fit() {
    let state = Hasher::new(SHA).saved().unwrap();
    for (count, expected) in [(1000, Some(8)), (5000, Some(32)), (7000, Some(64)), (20_000, None)] {
        let block = Block { packed: 33_000, open: 260_000, packages: 40 };
        let (document, compression, head, foot) = (OTHER, Compression::Gzip, 100, 50);
        let blocks = Blocks { document, compression, head, blocks: vec![block; count], foot };
        let states = (STRIDE..count).step_by(STRIDE).map(|at| (at, state)).collect();
        let table = Table { blocks, digest: crate::sha256(b""), states }.write();
        assert_eq!(table.is_some(), expected.is_some(), "{count}");
        let (Some(table), Some(stride)) = (table, expected) else { continue };
        let states = table.windows(32).filter(|part| *part == &state[..32]).count();
        assert_eq!(states, (count - 1) / stride, "{count}: every {stride}th");
        assert!(crate::unpack(&table, 0).unwrap().is_empty());
    }
}

#[test]
fn a_table_behind_other_bytes_says_nothing() {
    let (file, body) = with_table(Compression::Gzip);
    let (zstd, zstd_body) = with_table(Compression::Zstd);
    assert!(closed(&file).is_some_and(|blocks| blocks > 0) && closed(&zstd).is_some_and(|blocks| blocks > 0));
    // A block that says the same in as many bytes: another time of the member, which no reader looks at.
    let place = find(&file).unwrap().blocks.place(20).unwrap().0;
    let mut other = file.clone();
    other[place.start as usize + 8] ^= 2;
    assert_eq!(closed(&other), Some(0), "only the members are believed");
    let mut other = zstd.clone();
    other[zstd_body / 2] ^= 1;
    assert!(past(&other, SHA).is_none());
    // A block is gone, or comes twice; another file's table.
    let (start, end) = (place.start as usize, place.end as usize);
    let fewer = fragments(PACKAGES - 10);
    let shorter = gathered(Compression::Gzip, &fewer, SHA);
    let shorter = &shorter.pieces.concat()[..shorter.blocks.unwrap().size() as usize];
    for other in [
        [&file[..start], &file[end..]].concat(),
        [&file[..end], &file[start..]].concat(),
        [shorter, &file[body..]].concat(),
        [&file[..], &file[body..]].concat(),
        [&file[..], &crate::gzip(b"")].concat(),
        [&file[..body], &zstd[zstd_body..]].concat(),
        [&file[body..], &file[..body]].concat(),
    ] {
        assert!(find(&other).is_none());
    }
    assert!(find(&zstd[..zstd_body]).is_none(), "the frames of zstd tell nothing");
    assert_eq!(closed(&file[..body]), Some(0));
    // Another digest was asked for than that which the states are of.
    let past = past(&file, Algorithm::Sha512).unwrap();
    assert!(past.first(20, PACKAGES, SHA).is_none());
    assert_eq!(past.first(20, PACKAGES, Algorithm::Sha512).unwrap().closed(), 0);
}

#[test]
fn another_head_begins_anew() {
    let (file, _) = with_table(Compression::Gzip);
    let past = past(&file, SHA).unwrap();
    assert!(past.first(20, PACKAGES - 1, SHA).is_none() && past.first(20, PACKAGES + 1, SHA).is_none());
    assert!(past.first(0, PACKAGES, SHA).is_none() && past.first(1000, PACKAGES, SHA).is_none());
    assert_eq!(past.first(20, PACKAGES, SHA).unwrap().closed(), 16);
    assert_eq!(past.first(7, PACKAGES, SHA).unwrap().closed(), 0);
}

/// Whatever changes behind the first blocks: the file and its digests are those of one that was hashed whole.
#[test]
fn what_goes_on_from_a_table_is_what_hashing_everything_gives() {
    for seed in 0..10 {
        let mut random = fastrand::Rng::with_seed(seed);
        let compression = [Compression::Gzip, Compression::Zstd][seed as usize % 2];
        let (file, _) = with_table(compression);
        let past = past(&file, SHA).unwrap();
        let blocks = past.blocks().clone();
        let from = random.usize(..=blocks.blocks().len());
        // One is lost on the way now and then.
        let lost = usize::from(random.u8(..4) == 0);
        let mut gatherer = Gatherer::new(OTHER, compression, SHA, PACKAGES);
        let prefix = past.first(from, PACKAGES, SHA);
        let closed = prefix.as_ref().map_or(0, super::super::Prefix::closed);
        assert_eq!(closed, if from == 0 { 0 } else { from.min(blocks.blocks().len() - 1) / STRIDE * STRIDE });
        if let Some(prefix) = prefix {
            gatherer = gatherer.behind(prefix);
        }
        let (mut cutter, mut open) = (Cutter::new(), OTHER.header(PACKAGES - lost));
        for (at, (bytes, packages)) in blocks.all_places().into_iter().enumerate() {
            let packed = crate::Slice::from(file[bytes.start as usize..bytes.end as usize].to_vec());
            let (text, ends) = blocks.open(at, &packed, Vec::new()).unwrap();
            if at < from {
                open.extend_from_slice(&text);
                let number = cutter.skip();
                gatherer.put(if at < closed {
                    PackedBlock::closed(number, packed, blocks.blocks()[at])
                } else {
                    PackedBlock::kept(number, packed, text, packages.len())
                });
                continue;
            }
            for end in ends {
                let number = open.len();
                let mut fragment = format!("<package>{number}{}</package>\n", "new ".repeat(end % 9999));
                if lost > 0 && packages.end == PACKAGES && end == text.len() {
                    fragment.clear();
                }
                open.extend_from_slice(fragment.as_bytes());
                if !fragment.is_empty() {
                    cutter
                        .push(fragment.as_bytes())
                        .into_iter()
                        .for_each(|block| gatherer.put(block.pack(compression)));
                }
            }
        }
        cutter.flush().into_iter().for_each(|block| gatherer.put(block.pack(compression)));
        open.extend_from_slice(OTHER.footer());
        let lost = if from == blocks.blocks().len() { 0 } else { lost };
        if lost == 0 {
            open.splice(..OTHER.header(PACKAGES - 1).len(), OTHER.header(PACKAGES));
        }
        let gathered = gatherer.finish(SHA).unwrap();
        let bytes = gathered.pieces.concat();
        assert_eq!(gathered.file, crate::Measure::of(SHA, &bytes), "seed {seed}");
        assert!(crate::unpack(&bytes, 1 << 30).unwrap() == open, "seed {seed}");
        assert_eq!(gathered.open, Some(crate::Measure::of(SHA, &open)), "seed {seed}, from {from}");
        // And the next change goes on from it.
        let found = find(&bytes).unwrap();
        assert_eq!(Some(&found.blocks), gathered.blocks.as_ref());
        let again = self::past(&bytes, SHA).unwrap();
        for (at, state) in found.table.unwrap().states {
            let begin = again.blocks().place(at).unwrap().1.start;
            let text = OTHER.header(again.blocks().packages()).len() as u64
                + again.blocks().blocks()[..at].iter().map(|block| block.open).sum::<u64>();
            let hashed = Hasher::resumed(&state).unwrap().finish();
            assert_eq!(hashed, crate::digest(SHA, &open[..text as usize]), "seed {seed}, package {begin}");
        }
    }
}

/// Blocks that were to be opened and were not, or the other way round, are hashed in the end.
#[test]
fn blocks_that_come_otherwise_than_was_said_are_hashed_all_the_same() {
    let (file, _) = with_table(Compression::Gzip);
    let past = past(&file, SHA).unwrap();
    let expected = gathered(Compression::Gzip, &fragments(PACKAGES), SHA);
    for (prefix, is_closed) in [(20, [false; 2]), (20, [true; 2]), (0, [true, false]), (20, [false, true])] {
        let mut gatherer = Gatherer::new(OTHER, Compression::Gzip, SHA, PACKAGES);
        if let Some(prefix) = past.first(prefix, PACKAGES, SHA) {
            gatherer = gatherer.behind(prefix);
        }
        for (at, (bytes, packages)) in past.blocks().all_places().into_iter().enumerate() {
            let packed = crate::Slice::from(file[bytes.start as usize..bytes.end as usize].to_vec());
            let (text, _) = past.blocks().open(at, &packed, Vec::new()).unwrap();
            gatherer.put(if is_closed[usize::from(at >= 16)] {
                PackedBlock::closed(at, packed, past.blocks().blocks()[at])
            } else {
                PackedBlock::kept(at, packed, text, packages.len())
            });
        }
        let gathered = gatherer.finish(SHA).unwrap();
        assert_eq!((gathered.open, gathered.file), (expected.open.clone(), expected.file.clone()));
    }
}

#[test]
fn tables_that_lie_are_none() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let (file, body) = with_table(compression);
        let table = find(&file).unwrap().table.unwrap();
        let lying = |lie: &dyn Fn(&mut Table)| {
            let mut table = table.clone();
            lie(&mut table);
            let written = table.write().unwrap_or_default();
            find(&[&file[..body], &written].concat()).and_then(|found| found.table)
        };
        assert_eq!(lying(&|_| ()), Some(table.clone()));
        let lies: [&dyn Fn(&mut Table); 14] = [
            &|table| table.blocks.head += 1,
            &|table| table.blocks.head = 0,
            &|table| (table.blocks.foot, table.blocks.head) = (0, table.blocks.head + table.blocks.foot),
            &|table| table.blocks.blocks.truncate(20),
            &|table| table.blocks.blocks.push(Block { packed: 1, open: 1, packages: 1 }),
            &|table| table.blocks.blocks[3].packed += 5,
            &|table| table.blocks.blocks[3].packed = u64::from(u32::MAX),
            &|table| table.blocks.blocks[3].open += 1,
            &|table| table.blocks.blocks[3].open = OPEN_MAX + 1,
            &|table| table.blocks.blocks[3].packages += 1,
            &|table| table.blocks.blocks[3].packages = 0,
            &|table| table.states.values_mut().for_each(|state| state[32] += 1),
            &|table| table.states.values_mut().for_each(|state| state[40] = 64),
            &|table| {
                let state = *table.states.last_key_value().unwrap().1;
                table.states.insert(1 << 20, state);
            },
        ];
        for (at, lie) in lies.into_iter().enumerate() {
            assert_eq!(lying(lie), None, "{compression}, lie {at}");
        }
    }
}

#[test]
fn damage_never_harms() {
    let mut random = fastrand::Rng::with_seed(11);
    for compression in [Compression::Gzip, Compression::Zstd] {
        let (file, body) = with_table(compression);
        for _ in 0..1_000 {
            let mut damaged = file.clone();
            let at = random.usize(body..file.len());
            damaged[at] = random.u8(..);
            if damaged[at] != file[at]
                && let Some(found) = find(&damaged)
            {
                assert!(found.blocks.size() <= file.len() as u64);
            }
        }
        for end in body..file.len() {
            assert!(find(&file[..end]).is_none_or(|found| end == body && found.table.is_none()));
        }
    }
    // A table without a file.
    let (file, body) = with_table(Compression::Gzip);
    assert!(find(&file[body..]).is_none());
}
