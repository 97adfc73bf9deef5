//! Packages taken apart and put together again, right or wrong.

use repo::Recipe;

/// One entry of a header: tag, type, count, values.
#[derive(Clone)]
pub struct Entry {
    pub tag: u32,
    pub kind: u32,
    pub count: u32,
    pub bytes: Vec<u8>,
}

/// A package in its parts; the signature header is made when they are put together.
#[derive(Clone)]
pub struct Parts {
    lead: Vec<u8>,
    pub header: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Parts {
    /// Makes a package with one file, called `name`.
    pub fn of(name: &str) -> Parts {
        let recipe = Recipe::new(name, "1.0", "1").file(&format!("/usr/share/{name}"), vec![b'x'; 3000]);
        Parts::taken_from(&recipe.build())
    }

    /// Takes apart what lies before, in and behind the header.
    pub fn taken_from(rpm: &[u8]) -> Parts {
        let end = 96 + header_length(&rpm[96..]);
        let start = end.next_multiple_of(8);
        let length = header_length(&rpm[start..]);
        let (header, payload) = (rpm[start..start + length].to_vec(), rpm[start + length..].to_vec());
        Parts { lead: rpm[..96].to_vec(), header, payload }
    }

    /// Header and payload, one behind the other: what signatures of old are made of.
    pub fn both(&self) -> Vec<u8> {
        [self.header.clone(), self.payload.clone()].concat()
    }

    /// The digests that rpmbuild puts into the signature header, right for what the parts are now.
    pub fn digests(&self) -> Vec<Entry> {
        let hex = |algorithm| repo::digest(algorithm, &self.header).hex;
        vec![
            text(269, &hex(nevra::Algorithm::Sha1)),
            text(273, &hex(nevra::Algorithm::Sha256)),
            number(1000, self.both().len() as u32),
        ]
    }

    /// The MD5 of header and payload.
    pub fn md5(&self) -> Entry {
        let hex = repo::digest(nevra::Algorithm::Md5, &self.both()).hex;
        let bytes = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        binary(1004, bytes.collect())
    }

    /// Puts the parts together, with the digests and more of the signature header.
    pub fn with(&self, more: impl IntoIterator<Item = Entry>) -> Vec<u8> {
        self.with_only(self.digests().into_iter().chain(more).collect())
    }

    /// Puts the parts together with a signature header of one's own.
    pub fn with_only(&self, entries: Vec<Entry>) -> Vec<u8> {
        let mut signature = header_of(62, entries);
        signature.resize(signature.len().next_multiple_of(8), 0);
        [self.lead.clone(), signature, self.header.clone(), self.payload.clone()].concat()
    }

    /// Changes the entries of the header.
    pub fn change_header(mut self, change: impl FnOnce(&mut Vec<Entry>)) -> Parts {
        let mut entries = entries_of(&self.header);
        change(&mut entries);
        self.header = header_of(63, entries);
        self
    }

    /// Takes every digest of the payload out of the header, as rpm before 4.14 built it.
    pub fn without_payload_digest(self) -> Parts {
        self.change_header(|entries| entries.retain(|entry| !matches!(entry.tag, 5092 | 5093 | 5097)))
    }

    /// Turns one bit of the payload over.
    pub fn with_other_payload(mut self) -> Parts {
        let middle = self.payload.len() / 2;
        self.payload[middle] ^= 1;
        self
    }

    /// Writes another summary of the same length.
    pub fn with_other_summary(self) -> Parts {
        self.change_header(|entries| {
            let summary = entries.iter_mut().find(|entry| entry.tag == 1004).unwrap();
            summary.bytes[0] ^= 0x20;
        })
    }
}

pub fn binary(tag: u32, bytes: Vec<u8>) -> Entry {
    Entry { tag, kind: 7, count: bytes.len() as u32, bytes }
}

pub fn text(tag: u32, text: &str) -> Entry {
    Entry { tag, kind: 6, count: 1, bytes: [text.as_bytes(), &[0]].concat() }
}

pub fn number(tag: u32, number: u32) -> Entry {
    Entry { tag, kind: 4, count: 1, bytes: number.to_be_bytes().to_vec() }
}

fn word(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

fn header_length(bytes: &[u8]) -> usize {
    16 + word(bytes, 8) * 16 + word(bytes, 12)
}

fn entries_of(header: &[u8]) -> Vec<Entry> {
    let store = 16 + word(header, 8) * 16;
    let mut found = Vec::new();
    for at in (16..store).step_by(16).skip(1) {
        let [tag, kind, offset, count] = [0, 4, 8, 12].map(|part| word(header, at + part));
        let values = &header[store + offset..];
        let length = match kind {
            6 | 8 | 9 => {
                values.iter().enumerate().filter(|(_, byte)| **byte == 0).nth(count - 1).unwrap().0 + 1
            }
            3 => count * 2,
            4 => count * 4,
            5 => count * 8,
            _ => count,
        };
        let bytes = values[..length].to_vec();
        found.push(Entry { tag: tag as u32, kind: kind as u32, count: count as u32, bytes });
    }
    found
}

fn header_of(region: u32, mut entries: Vec<Entry>) -> Vec<u8> {
    entries.sort_by_key(|entry| entry.tag);
    let (mut index, mut store) = (Vec::new(), Vec::new());
    let row = |words: [u32; 4]| words.map(u32::to_be_bytes).concat();
    for entry in &entries {
        let width = match entry.kind {
            3 => 2,
            4 => 4,
            5 => 8,
            _ => 1,
        };
        store.resize(store.len().next_multiple_of(width), 0);
        index.extend(row([entry.tag, entry.kind, store.len() as u32, entry.count]));
        store.extend(&entry.bytes);
    }
    let first = row([region, 7, store.len() as u32, 16]);
    store.extend(row([region, 7, ((entries.len() as u32 + 1) * 16).wrapping_neg(), 16]));
    let magic = [0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0].to_vec();
    let sizes = [entries.len() as u32 + 1, store.len() as u32].map(u32::to_be_bytes).concat();
    [magic, sizes, first, index, store].concat()
}
