//! Packing and unpacking metadata, by whatever means repositories use.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::str::FromStr;

use bzip2::bufread::{BzEncoder, MultiBzDecoder};
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Check, Stream};
use serde::{Deserialize, Serialize};

use nevra::Algorithm;

use crate::digest::Hasher;
use crate::error::Error;
use crate::gzip::{gunzip, gzip};
use crate::repomd::Measure;

/// The level createrepo_c uses for zstd.
const ZSTD_LEVEL: i32 = 10;
/// The level of `xz` without options.
const XZ_LEVEL: u32 = 6;
/// The largest window `zstd` takes without options is 128 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// Level 9 of `xz` unpacks in 65 MiB.
const XZ_MEMORY_MAX: u64 = 80 << 20;
/// The first bytes of zchunk, which nothing here reads.
const ZCHUNK: &[u8] = b"\0ZCK1";

/// How bytes are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// What every client reads.
    #[default]
    Gzip,
    /// Smaller and faster; yum 3 and createrepo_c before 1.0 do not read it.
    Zstd,
    /// What databases for yum 3 are packed with.
    Bzip2,
    /// The smallest, and slow.
    Xz,
}

impl Compression {
    /// Shows the word for it: `gzip`, and `none` for none.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }

    /// Shows what file names end with: `.gz`; nothing if nothing is packed.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
            Self::Bzip2 => ".bz2",
            Self::Xz => ".xz",
        }
    }

    /// Tells from the first bytes of a file how it is packed; whatever is not known is not packed.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or one of the sixteen kinds of frame to pass over.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'B', b'Z', b'h', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ => Self::None,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Compression {
    type Err = Error;

    /// Reads the words of createrepo_c, and `none`.
    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "none" => Self::None,
            "gz" | "gzip" => Self::Gzip,
            "zst" | "zstd" => Self::Zstd,
            "bz2" | "bzip2" => Self::Bzip2,
            "xz" => Self::Xz,
            _ => return Err(Error::UnknownCompression { text: text.to_owned() }),
        })
    }
}

/// Packs bytes in one piece, as createrepo_c would: same input, same bytes.
///
/// The same is *not* promised of another version of this program.
#[must_use]
pub fn pack(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => gzip(bytes),
        Compression::Zstd => zstd_of(bytes),
        Compression::Bzip2 => all_of(BzEncoder::new(bytes, bzip2::Compression::best())),
        Compression::Xz => {
            let stream = Stream::new_easy_encoder(XZ_LEVEL, Check::Crc64).expect("level and check exist");
            all_of(liblzma::bufread::XzEncoder::new_stream(bytes, stream))
        }
    }
}

/// One frame that states its size and a checksum.
fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    let mut packer = zstd::Encoder::new(Vec::with_capacity(bytes.len() / 6), ZSTD_LEVEL)
        .expect("a packer with a level that exists");
    packer.include_checksum(true).expect("a packer that has not begun takes this");
    packer.set_pledged_src_size(Some(bytes.len() as u64)).expect("a packer that has not begun takes this");
    packer.write_all(bytes).and_then(|()| packer.finish()).expect("a Vec takes whatever is written to it")
}

fn all_of(mut packer: impl Read) -> Vec<u8> {
    let mut out = Vec::new();
    packer.read_to_end(&mut out).expect("packing bytes that are in memory does not fail");
    out
}

/// Unpacks bytes, packed by any means that [`Compression`] names or not at all; the first bytes tell.
///
/// Files of several gzip members, zstd frames, bzip2 or xz streams are read to their end. No more than
/// `limit` bytes come out, and no more than a few times that and 128 MiB is ever held, whatever the
/// bytes claim.
///
/// # Errors
///
/// [`Error::Packed`] if they are damaged, cut short, followed by something else, or zchunk;
/// [`Error::TooLarge`] if more than `limit` bytes would come out.
pub fn unpack(bytes: &[u8], limit: u64) -> Result<Vec<u8>, Error> {
    let compression = Compression::of(bytes);
    let packed = |problem: String| Error::Packed { compression, problem };
    match compression {
        Compression::None if bytes.starts_with(ZCHUNK) => {
            Err(packed("it is zchunk, which is not read here".into()))
        }
        Compression::None if bytes.len() as u64 > limit => Err(Error::TooLarge { compression, limit }),
        Compression::None => Ok(bytes.to_vec()),
        Compression::Gzip => gunzip(bytes, limit),
        Compression::Zstd => {
            let mut reader = zstd::Decoder::with_buffer(bytes).map_err(|error| packed(error.to_string()))?;
            reader.window_log_max(window_log(limit)).map_err(|error| packed(error.to_string()))?;
            bounded(compression, reader, bytes.len(), limit)
        }
        Compression::Bzip2 => bounded(compression, MultiBzDecoder::new(bytes), bytes.len(), limit),
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY_MAX, CONCATENATED);
            let stream = stream.map_err(|error| packed(error.to_string()))?;
            bounded(compression, XzDecoder::new_stream(bytes, stream), bytes.len(), limit)
        }
    }
}

/// Unpacks as [`unpack`] does, but as it is read; what comes out in excess of `limit` bytes is an error of the reader.
///
/// # Errors
///
/// The first bytes cannot be read, or are those of what is not read here.
pub(crate) fn unpacking<'a>(bytes: impl BufRead + 'a, limit: u64) -> io::Result<Box<dyn Read + 'a>> {
    Ok(Box::new(Bounded { reader: opened(bytes, limit)?, left: limit }))
}

/// Hashes what packed bytes unpack to, and counts it, without holding it; the limit is that of [`unpack`].
///
/// # Errors
///
/// As for [`unpack`], in other words.
pub fn measure_unpacked(bytes: &[u8], limit: u64, algorithm: Algorithm) -> Result<Measure, Error> {
    let compression = Compression::of(bytes);
    let packed = |error: io::Error| Error::Packed { compression, problem: error.to_string() };
    let mut reader = opened(bytes, limit).map_err(packed)?.take(limit.saturating_add(1));
    let mut hasher = Hasher::new(algorithm);
    let size = io::copy(&mut reader, &mut hasher).map_err(packed)?;
    if size > limit {
        return Err(Error::TooLarge { compression, limit });
    }
    Ok(Measure { checksum: hasher.finish(), size })
}

/// Unpacks as it is read, without end.
fn opened<'a>(mut bytes: impl BufRead + 'a, limit: u64) -> io::Result<Box<dyn Read + 'a>> {
    let begin = bytes.fill_buf()?;
    let compression = Compression::of(begin);
    Ok(match compression {
        Compression::None if begin.starts_with(ZCHUNK) => {
            return Err(io::Error::other("it is zchunk, which is not read here"));
        }
        Compression::None => Box::new(bytes),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
        Compression::Zstd => {
            let mut reader = zstd::Decoder::with_buffer(bytes)?;
            reader.window_log_max(window_log(limit))?;
            Box::new(reader)
        }
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(bytes)),
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY_MAX, CONCATENATED)?;
            Box::new(XzDecoder::new_stream(bytes, stream))
        }
    })
}

/// Ends with an error where more comes than may.
struct Bounded<'a> {
    reader: Box<dyn Read + 'a>,
    left: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.left =
            self.left.checked_sub(length as u64).ok_or_else(|| io::Error::other("it is too large"))?;
        Ok(length)
    }
}

/// Who may get little out needs no large window, except that levels fix the least: 8 MiB.
fn window_log(limit: u64) -> u32 {
    let needed = limit.max(1).checked_next_power_of_two().map_or(u64::BITS, u64::trailing_zeros);
    needed.clamp(23, ZSTD_WINDOW_LOG_MAX)
}

/// Reads what comes out, as far as the limit.
pub(crate) fn bounded(
    compression: Compression,
    reader: impl Read,
    packed_size: usize,
    limit: u64,
) -> Result<Vec<u8>, Error> {
    let guess = u64::try_from(packed_size).unwrap_or(u64::MAX).saturating_mul(8).min(limit);
    let mut out = Vec::with_capacity(usize::try_from(guess).unwrap_or(0));
    let mut reader = reader.take(limit.saturating_add(1));
    reader
        .read_to_end(&mut out)
        .map_err(|error| Error::Packed { compression, problem: error.to_string() })?;
    if out.len() as u64 > limit {
        return Err(Error::TooLarge { compression, limit });
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
