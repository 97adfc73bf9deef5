//! How rpm lays a header out: intro, index and store, the region first and its trailer last.

use crate::guard::{ENTRY, MAGIC, Part};
use crate::tags::Kind;

/// One entry and the bytes of its values, the NULs of strings among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) tag: u32,
    pub(crate) kind: Kind,
    pub(crate) count: usize,
    pub(crate) bytes: &'a [u8],
}

/// Lays out the entries in the order given, the values in the same order and each aligned as its kind demands.
///
/// It is what rpm's `headerUnload` makes of a header whose entries all belong to the region.
pub(crate) fn lay_out(part: Part, rows: &[Row<'_>]) -> Vec<u8> {
    let entries = rows.len() + 1;
    let (mut index, mut store) = (Vec::new(), Vec::new());
    for row in rows {
        store.resize(store.len().next_multiple_of(row.kind.width().unwrap_or(1)), 0);
        index.extend(entry(row.tag, row.kind, store.len(), row.count));
        store.extend_from_slice(row.bytes);
    }
    let region = entry(part.region(), Kind::Binary, store.len(), ENTRY);
    let covered = (entries * ENTRY).wrapping_neg();
    store.extend(entry(part.region(), Kind::Binary, covered, ENTRY));

    let sizes = [word(entries), word(store.len())].concat();
    [&MAGIC[..], &sizes, &region, &index, &store].concat()
}

fn entry(tag: u32, kind: Kind, offset: usize, count: usize) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    for (place, number) in bytes.chunks_exact_mut(4).zip([tag as usize, kind as usize, offset, count]) {
        place.copy_from_slice(&word(number));
    }
    bytes
}

/// Writes the low 32 bits: offsets of trailers are negative.
fn word(number: usize) -> [u8; 4] {
    (number as u32).to_be_bytes()
}
