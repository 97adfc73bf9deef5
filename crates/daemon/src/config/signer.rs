//! The `[signer]` table: who signs metadata, and how long one waits for it.

use super::code::Code;
use super::fault::Faults;
use super::product::DraftProduct;
use super::section::{Section, Text};
use super::site::{directory, duration};
use camino::Utf8PathBuf;
use jiff::SignedDuration;

/// How long a signer may take that the file does not limit.
pub(super) const TIMEOUT: SignedDuration = SignedDuration::from_secs(30);

/// The longest that may be said: systemd's watchdog must not take waiting for standing still.
const TIMEOUT_MAX: SignedDuration = SignedDuration::from_mins(2);

/// Says who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// What is run.
    pub way: SigningWay,
    /// How long one signature may take; positive.
    pub timeout: SignedDuration,
}

/// Says what is run to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SigningWay {
    /// gpg, with its agent.
    Gpg {
        /// Its GNUPGHOME, which holds the key.
        home: Utf8PathBuf,
    },
    /// A program that reads the bytes on stdin and writes the detached, armoured signature to stdout.
    Command {
        /// The program and its arguments, at least one word; `{fingerprint}` stands for that of the wanted key.
        words: Vec<String>,
    },
}

impl std::fmt::Display for SigningWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gpg { home } => write!(f, "gpg in `{home}`"),
            Self::Command { words } => write!(f, "`{}`", words.first().map_or("", String::as_str)),
        }
    }
}

pub(super) fn read(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<Signer> {
    let at = section.at;
    let home = section.text("gpg_home", faults);
    let command = section.texts("command", faults);
    let timeout = section.text("timeout", faults);
    section.end(faults);
    let timeout = match timeout {
        Some(text) => time_limit(&text, faults)?,
        None => TIMEOUT,
    };
    let way = match (home, command) {
        (Some(home), None) => SigningWay::Gpg { home: directory(&home, "gpg_home", faults)? },
        (None, Some(command)) => SigningWay::Command { words: whole_command(command, at, faults)? },
        _ => {
            let hint =
                "write `gpg_home = \"/var/lib/sluice-signer/gnupg\"` or `command = [\"/usr/lib/...\"]`";
            faults.add(at, "[signer] needs exactly one of `gpg_home` and `command`", Some(hint.to_owned()));
            return None;
        }
    };
    Some(Signer { way, timeout })
}

pub(super) fn time_limit(text: &Text, faults: &mut Faults<'_>) -> Option<SignedDuration> {
    let limit = duration(text, "timeout", faults)?;
    if limit < SignedDuration::from_secs(1) || limit > TIMEOUT_MAX {
        let reason = format!("`timeout = {:?}` is not between 1 s and 2 min", text.value);
        faults.add(text.at, reason, Some("leave it out for 30 s".to_owned()));
        return None;
    }
    Some(limit)
}

pub(super) fn whole_command(words: Vec<Text>, at: usize, faults: &mut Faults<'_>) -> Option<Vec<String>> {
    let program = words.first();
    if !program.is_some_and(|program| program.value.starts_with('/')) {
        let hint =
            "write the whole path of the program, then each argument between quotes; no shell reads it";
        let at = program.map_or(at, |program| program.at);
        faults.add(at, "`command` does not begin with the path of a program", Some(hint.to_owned()));
        return None;
    }
    if let Some(word) = words.iter().find(|word| word.value.contains('\0')) {
        faults.add(word.at, "an argument contains a NUL", None);
        return None;
    }
    Some(words.into_iter().map(|word| word.value).collect())
}

/// Checks that somebody signs where metadata is to be signed.
pub(super) fn check(drafts: &[DraftProduct], has_signer: bool, faults: &mut Faults<'_>) {
    let mut signed =
        drafts.iter().flat_map(|draft| draft.stages.iter().flat_map(|stage| draft.signers(stage)));
    if let (Some(first), false) = (signed.next(), has_signer) {
        let hint = "add a [signer] table with `gpg_home` or `command`";
        let reason = "metadata is to be signed, and nobody signs";
        faults.coded(Code::Missing, first.at, reason, Some(hint.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parse(more: &str) -> Result<Config, String> {
        let fingerprint = "8F3C1D2E4B5A69788796A5B4C3D2E1F001234567";
        let text = format!(
            "format = 1\n[site]\nname = \"T\"\nroot = \"/srv/sluice\"\nspool = \"/var/spool/sluice\"\n\
             base_url = \"http://localhost\"\n[[key]]\nname = \"repo\"\nfile = \"/etc/key\"\nfingerprint = \"{fingerprint}\"\n\
             [[product]]\nname = \"glite\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n{more}"
        );
        Config::parse(text.as_bytes(), "t.toml").map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_product_says_who_signs_and_a_stage_may_say_otherwise() {
        let signer = "[signer]\ncommand = [\"/usr/lib/sign\", \"{fingerprint}\"]\n";
        let stage = "[[product.stage]]\nname = \"delta\"\nmetadata_signed_by = []\n";
        let config = parse(&format!("metadata_signed_by = [\"repo\"]\n{stage}{signer}")).unwrap();
        assert_eq!(
            config.metadata_signed_by.keys().collect::<Vec<_>>(),
            [&("glite".into(), "production".into())]
        );
        let found = config.signer.clone().unwrap();
        assert_eq!((found.timeout, found.way.to_string().as_str()), (TIMEOUT, "`/usr/lib/sign`"));
        let repositories = config.layout.repositories();
        assert_eq!(repositories.iter().filter(|one| config.signs(one)).count(), 3);
        // Whose keys nobody read signs nothing, and says so.
        let signed = repositories.iter().find(|one| config.signs(one)).unwrap();
        assert!(config.announced(signed).is_err());
    }

    #[test]
    fn what_cannot_sign_is_told_with_its_line() {
        let cases = [
            ("metadata_signed_by = [\"repo\"]\n", "nobody signs"),
            ("metadata_signed_by = [\"rep\"]\n[signer]\ngpg_home = \"/a\"\n", "did you mean `repo`?"),
            (
                "metadata_signed_by = [\"repo\", \"repo\"]\n[signer]\ngpg_home = \"/a\"\n",
                "stands in the list twice",
            ),
            ("[signer]\n", "exactly one of `gpg_home` and `command`"),
            ("[signer]\ngpg_home = \"/a\"\ncommand = [\"/b\"]\n", "exactly one"),
            ("[signer]\ngpg_home = \"a\"\n", "is relative"),
            ("[signer]\ncommand = []\n", "does not begin with the path of a program"),
            ("[signer]\ncommand = [\"gpg\"]\n", "does not begin with the path of a program"),
            ("[signer]\ngpg_home = \"/a\"\ntimeout = \"1h\"\n", "is not between 1 s and 2 min"),
            ("[signer]\ngpg_home = \"/a\"\ntimeout = \"0s\"\n", "is not between 1 s and 2 min"),
            ("[signer]\ngpg_home = \"/a\"\nkey = \"b\"\n", "unknown key `key`"),
        ];
        for (more, expected) in cases {
            let told = parse(more).map(|_| ()).unwrap_err();
            assert!(told.contains(expected) && told.starts_with("t.toml:"), "{more}: {told}");
        }
    }
}
