use super::*;

const ALL: [Compression; 5] =
    [Compression::None, Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz];
const PACKED: [Compression; 4] = [Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz];

fn samples() -> [Vec<u8>; 3] {
    let mut random = fastrand::Rng::with_seed(3);
    [b"x".to_vec(), b"<package type=\"rpm\">\n".repeat(9_000), (0..70_000).map(|_| random.u8(..)).collect()]
}

#[test]
fn what_was_packed_comes_out_again_and_says_how() {
    for bytes in samples() {
        for compression in ALL {
            let packed = pack(compression, &bytes);
            assert_eq!(packed, pack(compression, &bytes), "{compression}");
            assert_eq!(Compression::of(&packed), compression);
            assert!(unpack(&packed, bytes.len() as u64).unwrap() == bytes, "{compression}");
        }
    }
    assert!(unpack(b"", 0).unwrap().is_empty());
    for compression in PACKED {
        assert!(unpack(&pack(compression, b""), 0).unwrap().is_empty(), "{compression}");
    }
}

#[test]
fn streams_are_read_one_after_another() {
    for compression in PACKED {
        let parts = [&b"one "[..], b"", b"two"].map(|part| pack(compression, part));
        assert_eq!(unpack(&parts.concat(), 100).unwrap(), b"one two", "{compression}");
    }
    // A frame to pass over, as pzstd and zchunk's friends write them.
    let skipped = [&[0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &pack(Compression::Zstd, b"seen")];
    assert_eq!(unpack(&skipped.concat(), 100).unwrap(), b"seen");
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let zeros = vec![0; 20_000_000];
    for compression in PACKED {
        let bomb = pack(compression, &zeros);
        assert!(bomb.len() < 40_000, "{compression}");
        for bytes in [bomb.clone(), bomb.repeat(50)] {
            let error = unpack(&bytes, 1_000_000).unwrap_err();
            assert!(matches!(error, Error::TooLarge { limit: 1_000_000, .. }), "{compression}: {error}");
        }
        assert!(unpack(&bomb, 20_000_000).is_ok() && unpack(&bomb, 19_999_999).is_err(), "{compression}");
    }
    let error = unpack(b"<metadata/>", 10).unwrap_err();
    assert_eq!(error.to_string(), "failed to unpack the file: more than `10` bytes come out");
}

#[test]
fn a_window_larger_than_any_tool_makes_is_refused() {
    // A frame without content size that claims a window of 2^31 bytes, then 2^27.
    let frame = |window: u8| [0x28, 0xb5, 0x2f, 0xfd, 0, window << 3, 1, 0, 0];
    let error = unpack(&frame(31 - 10), u64::MAX).unwrap_err().to_string();
    assert!(error.starts_with("failed to unpack zstd: "), "{error}");
    assert!(unpack(&frame(27 - 10), u64::MAX).unwrap().is_empty());
    assert!(unpack(&frame(27 - 10), 1000).is_err(), "no more memory than what may come out");
    // xz with a dictionary of 4 GiB says so in one byte.
    let stream = Stream::new_easy_encoder(9, Check::Crc64).unwrap();
    let packed = all_of(liblzma::bufread::XzEncoder::new_stream(&b"fine"[..], stream));
    assert_eq!(unpack(&packed, 10).unwrap(), b"fine");
}

#[test]
fn damage_is_told_or_harmless() {
    let bytes = b"0123456789".repeat(100);
    let mut random = fastrand::Rng::with_seed(7);
    for compression in PACKED {
        let packed = pack(compression, &bytes);
        for end in 1..packed.len() {
            match unpack(&packed[..end], 10_000) {
                Ok(out) => assert!(out == packed[..end] && end < 6, "{compression} cut at {end}"),
                Err(error) => assert!(error.to_string().starts_with("failed to unpack "), "{error}"),
            }
        }
        for _ in 0..3_000 {
            let mut damaged = packed.clone();
            let at = random.usize(..damaged.len());
            damaged[at] ^= 1 << random.u8(..8);
            if let Ok(out) = unpack(&damaged, 10_000) {
                assert!(out == bytes || out == damaged, "{compression} at {at}: checksums miss nothing");
            }
        }
        let tail = unpack(&[&packed[..], b"tail"].concat(), 10_000);
        assert!(tail.is_err(), "{compression} ignores what follows");
    }
}

#[test]
fn zchunk_is_refused_by_name() {
    let error = unpack(b"\0ZCK1\x01\x02", 100).unwrap_err();
    assert_eq!(error.to_string(), "failed to unpack the file: it is zchunk, which is not read here");
}

#[test]
fn words_name_a_compression() {
    for compression in ALL {
        assert_eq!(compression.to_string().parse::<Compression>().unwrap(), compression);
        if let Some(word) = compression.ending().strip_prefix('.') {
            assert_eq!(word.parse::<Compression>().unwrap(), compression);
        }
    }
    let error = "zck".parse::<Compression>().unwrap_err().to_string();
    assert_eq!(error, "failed to take `zck` for a compression: gzip, zstd, bzip2, xz and none are known");
}
