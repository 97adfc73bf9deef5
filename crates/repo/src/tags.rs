//! The header tags that are read or written here, by number and name, and the types rpm gives to
//! all it knows.

/// A tag's number and the name error texts give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
}

macro_rules! tags {
    ($($constant:ident = $number:literal $name:literal;)*) => {
        $(pub(crate) const $constant: Tag = Tag { number: $number, name: $name };)*

        /// Names a tag, if it is one of those above.
        pub(crate) fn name_of(number: u32) -> Option<&'static str> {
            [$($constant),*].iter().find(|tag| tag.number == number).map(|tag| tag.name)
        }
    };
}

tags! {
    REGION_SIGNATURES = 62 "region of the signatures";
    REGION_IMMUTABLE = 63 "immutable region";
    LOCALES = 100 "locales";
    LONG_ARCHIVE_SIZE = 271 "long archive size";
    NAME = 1000 "name";
    VERSION = 1001 "version";
    RELEASE = 1002 "release";
    EPOCH = 1003 "epoch";
    SUMMARY = 1004 "summary";
    DESCRIPTION = 1005 "description";
    BUILD_TIME = 1006 "build time";
    BUILD_HOST = 1007 "build host";
    SIZE = 1009 "size";
    VENDOR = 1011 "vendor";
    LICENSE = 1014 "license";
    PACKAGER = 1015 "packager";
    GROUP = 1016 "group";
    URL = 1020 "url";
    OS = 1021 "os";
    ARCH = 1022 "arch";
    OLD_FILE_NAMES = 1027 "old file names";
    FILE_SIZES = 1028 "file sizes";
    FILE_MODES = 1030 "file modes";
    FILE_DEVICE_NUMBERS = 1033 "file device numbers";
    FILE_TIMES = 1034 "file times";
    FILE_DIGESTS = 1035 "file digests";
    FILE_LINKS = 1036 "file links";
    FILE_FLAGS = 1037 "file flags";
    FILE_USERS = 1039 "file users";
    FILE_GROUPS = 1040 "file groups";
    SOURCE_RPM = 1044 "source rpm";
    FILE_VERIFY_FLAGS = 1045 "file verify flags";
    ARCHIVE_SIZE = 1046 "archive size";
    PROVIDE_NAME = 1047 "provide name";
    REQUIRE_FLAGS = 1048 "require flags";
    REQUIRE_NAME = 1049 "require name";
    REQUIRE_VERSION = 1050 "require version";
    CONFLICT_FLAGS = 1053 "conflict flags";
    CONFLICT_NAME = 1054 "conflict name";
    CONFLICT_VERSION = 1055 "conflict version";
    RPM_VERSION = 1064 "rpm version";
    CHANGELOG_TIME = 1080 "changelog time";
    CHANGELOG_NAME = 1081 "changelog name";
    CHANGELOG_TEXT = 1082 "changelog text";
    OBSOLETE_NAME = 1090 "obsolete name";
    FILE_DEVICES = 1095 "file devices";
    FILE_INODES = 1096 "file inodes";
    FILE_LANGUAGES = 1097 "file languages";
    SOURCE_PACKAGE = 1106 "source package";
    PROVIDE_FLAGS = 1112 "provide flags";
    PROVIDE_VERSION = 1113 "provide version";
    OBSOLETE_FLAGS = 1114 "obsolete flags";
    OBSOLETE_VERSION = 1115 "obsolete version";
    DIRECTORY_INDEXES = 1116 "directory indexes";
    BASE_NAMES = 1117 "base names";
    DIRECTORY_NAMES = 1118 "directory names";
    PAYLOAD_FORMAT = 1124 "payload format";
    PAYLOAD_COMPRESSOR = 1125 "payload compressor";
    PAYLOAD_FLAGS = 1126 "payload flags";
    FILE_COLOURS = 1140 "file colours";
    OLD_SUGGESTS_NAME = 1156 "old suggests name";
    OLD_SUGGESTS_VERSION = 1157 "old suggests version";
    OLD_SUGGESTS_FLAGS = 1158 "old suggests flags";
    OLD_ENHANCES_NAME = 1159 "old enhances name";
    OLD_ENHANCES_VERSION = 1160 "old enhances version";
    OLD_ENHANCES_FLAGS = 1161 "old enhances flags";
    LONG_FILE_SIZES = 5008 "long file sizes";
    LONG_SIZE = 5009 "long size";
    FILE_DIGEST_ALGORITHM = 5011 "file digest algorithm";
    RECOMMEND_NAME = 5046 "recommend name";
    RECOMMEND_VERSION = 5047 "recommend version";
    RECOMMEND_FLAGS = 5048 "recommend flags";
    SUGGEST_NAME = 5049 "suggest name";
    SUGGEST_VERSION = 5050 "suggest version";
    SUGGEST_FLAGS = 5051 "suggest flags";
    SUPPLEMENT_NAME = 5052 "supplement name";
    SUPPLEMENT_VERSION = 5053 "supplement version";
    SUPPLEMENT_FLAGS = 5054 "supplement flags";
    ENHANCE_NAME = 5055 "enhance name";
    ENHANCE_VERSION = 5056 "enhance version";
    ENHANCE_FLAGS = 5057 "enhance flags";
    ENCODING = 5062 "encoding";
    PAYLOAD_DIGEST = 5092 "payload digest";
    PAYLOAD_DIGEST_ALGORITHM = 5093 "payload digest algorithm";
    PAYLOAD_DIGEST_OPEN = 5097 "payload digest uncompressed";
}

/// Tags of the signature header; their numbers mean other things in the header.
pub(crate) mod signature {
    use super::Tag;

    pub(crate) const SHA1: Tag = Tag { number: 269, name: "sha1 of the header" };
    pub(crate) const SHA256: Tag = Tag { number: 273, name: "sha256 of the header" };
    pub(crate) const SIZE: Tag = Tag { number: 1000, name: "size of header and payload" };
    pub(crate) const LONG_SIZE: Tag = Tag { number: 270, name: "long size of header and payload" };
    pub(crate) const MD5: Tag = Tag { number: 1004, name: "md5 of header and payload" };
    pub(crate) const DSA: Tag = Tag { number: 267, name: "signature of the header" };
    pub(crate) const RSA: Tag = Tag { number: 268, name: "signature of the header" };
    pub(crate) const ARCHIVE_SIZE: Tag = Tag { number: 1007, name: "archive size" };
}

/// How the values of a tag are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Char = 1,
    Int8 = 2,
    Int16 = 3,
    Int32 = 4,
    Int64 = 5,
    /// One string.
    Text = 6,
    Binary = 7,
    /// Many strings.
    Texts = 8,
    /// One string for each locale of [`LOCALES`].
    Translations = 9,
}

impl Kind {
    /// Reads the number a header's index uses.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Char,
            2 => Self::Int8,
            3 => Self::Int16,
            4 => Self::Int32,
            5 => Self::Int64,
            6 => Self::Text,
            7 => Self::Binary,
            8 => Self::Texts,
            9 => Self::Translations,
            _ => return None,
        })
    }

    /// Gives the bytes of one value, `None` for strings.
    pub(crate) fn width(self) -> Option<usize> {
        match self {
            Self::Char | Self::Int8 | Self::Binary => Some(1),
            Self::Int16 => Some(2),
            Self::Int32 => Some(4),
            Self::Int64 => Some(8),
            Self::Text | Self::Texts | Self::Translations => None,
        }
    }

    /// Says whether the values are strings: rpm lets the three kinds of strings stand for each
    /// other.
    pub(crate) fn is_text(self) -> bool {
        self.width().is_none()
    }
}

/// Gives the kind rpm 4.18 demands of a tag in the header, also of those it only computes and no builder writes;
/// `None` for tags it does not know.
///
/// For strings it is always [`Kind::Text`]: see [`Kind::is_text`].
#[rustfmt::skip]
pub(crate) fn kind_in_header(tag: u32) -> Option<Kind> {
    Some(match tag {
        100 | 266 | 269 | 273 | 276 | 1000..=1002 | 1004..=1005 | 1007 | 1010..=1011 | 1014..=1027
        | 1035..=1036 | 1039..=1040 | 1044 | 1047 | 1049..=1050 | 1054..=1067 | 1079 | 1081..=1082
        | 1085..=1092 | 1094 | 1097..=1099 | 1113 | 1115 | 1117..=1118 | 1120..=1126 | 1131..=1133
        | 1135 | 1137 | 1142 | 1147..=1157 | 1159..=1160 | 1196 | 5000..=5002 | 5005..=5007 | 5010
        | 5012..=5016 | 5030..=5031 | 5034..=5036 | 5040..=5044 | 5046..=5047 | 5049..=5050
        | 5052..=5053 | 5055..=5056 | 5058..=5062 | 5066..=5067 | 5069 | 5071 | 5076..=5077 | 5079
        | 5081 | 5083 | 5086..=5090 | 5092 | 5096..=5101 => Kind::Text,
        257 | 277 | 1003 | 1006 | 1008..=1009 | 1028 | 1031..=1032 | 1034 | 1037 | 1045..=1046
        | 1048 | 1051..=1053 | 1068..=1069 | 1080 | 1095..=1096 | 1105..=1106 | 1112 | 1114 | 1116
        | 1119 | 1127..=1129 | 1134 | 1136 | 1138..=1141 | 1143..=1145 | 1158 | 1161 | 1195 | 5011
        | 5017..=5027 | 5032..=5033 | 5037 | 5045 | 5048 | 5051 | 5054 | 5057 | 5068 | 5070 | 5072 | 5078
        | 5080 | 5082 | 5084..=5085 | 5091 | 5093 => Kind::Int32,
        1030 | 1033 => Kind::Int16,
        270..=271 | 5008..=5009 => Kind::Int64,
        259..=262 | 267..=268 | 1012..=1013 | 1043 | 1146 => Kind::Binary,
        1029 => Kind::Char,
        _ => return None,
    })
}

/// Gives the only kind, and the only count if there is one, in which rpm takes a tag of the signature header that it
/// moves into the header as it reads. Strings do not stand for each other here.
pub(crate) fn form_in_signature(tag: u32) -> Option<(Kind, Option<usize>)> {
    Some(match tag {
        269 | 273 => (Kind::Text, Some(1)),
        275 | 277 | 1000 | 1007 => (Kind::Int32, Some(1)),
        270 | 271 => (Kind::Int64, Some(1)),
        274 | 276 => (Kind::Texts, None),
        1004 => (Kind::Binary, Some(16)),
        267 | 268 | 1002 | 1005 => (Kind::Binary, None),
        _ => return None,
    })
}

/// Says whether a tag of the header is one that rpm gives to what it takes from the signature header: it loads no
/// header that has it already.
pub(crate) fn is_taken_from_signature(tag: u32) -> bool {
    matches!(tag, 257 | 259 | 261 | 262 | 267..=271 | 273 | 276 | 277)
}

/// Tags that may stand in the signature header or, by another number, in the header, but not in both.
pub(crate) const IN_EITHER: [(u32, u32); 3] = [(1007, 1046), (274, 5090), (275, 5091)];

/// Gives the kind of a tag in the signature header; `None` for tags that are not known.
pub(crate) fn kind_in_signature(tag: u32) -> Option<Kind> {
    Some(match tag {
        266 | 269 | 273 | 274 | 276 | 278 | 279 => Kind::Text,
        267 | 268 | 1002 | 1004..=1006 | 1008 => Kind::Binary,
        270 | 271 => Kind::Int64,
        275 | 277 | 1000 | 1007 => Kind::Int32,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_with_a_name_has_a_kind() {
        for number in 64..6000 {
            if name_of(number).is_some() {
                assert!(kind_in_header(number).is_some(), "{number}");
            }
        }
        for tag in [signature::SHA1, signature::SHA256, signature::SIZE, signature::ARCHIVE_SIZE] {
            assert!(kind_in_signature(tag.number).is_some(), "{}", tag.name);
        }
    }

    #[test]
    fn tags_that_rpm_only_computes_have_their_kind_too() {
        let kinds = [1148, 1195, 1196, 5000, 5007, 5019, 5040, 5045, 5061, 5086, 5098].map(kind_in_header);
        let (text, number) = (Some(Kind::Text), Some(Kind::Int32));
        assert_eq!(kinds, [text, number, text, text, text, number, text, number, text, text, text]);
    }

    #[test]
    fn kinds_keep_their_numbers() {
        for number in 0..12 {
            assert_eq!(
                Kind::from_number(number).map(|kind| kind as u32),
                (1..=9).contains(&number).then_some(number)
            );
        }
    }
}
