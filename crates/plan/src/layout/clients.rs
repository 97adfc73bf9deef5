//! For which clients a repository's metadata is written: what each profile means.
//!
//! | profile | packed by | digests | SQLite | comps as | because |
//! |---|---|---|---|---|---|
//! | `modern` | gzip | sha256 | no | `group` | the default: yum of EL6 and everything since reads it |
//! | `el5` | gzip | sha | yes | `group`, `group_gz` | Python 2.4 knows no SHA-256: yum says "Error performing checksum" |
//! | `el6` | gzip | sha256 | yes | `group`, `group_gz` | yum 3 makes the databases itself where there are none; it wants comps unpacked |
//! | `el7` | gzip | sha256 | yes | `group`, `group_gz` | the same; its yum reads no zstd and no packed `group` (createrepo_c issue 403) |
//! | `el8` | gzip | sha256 | no | `group` | its dnf reads zstd, but its createrepo_c and reposync's readers do not |
//! | `el9` | gzip | sha256 | no | `group` | as el8: createrepo_c 0.20 cannot merge or update zstd |
//! | `el10` | zstd | sha256 | no | `group` | the distribution's own repositories are zstd since createrepo_c 1.0 |
//! | `sles` | gzip | sha256 | no | `group` | zypper of SLES 12 reads no zstd, none reads the databases |
//!
//! zchunk is not written: it saves a client of a small repository nothing, and neither yum, zypper nor
//! createrepo_c before 0.17 reads it.

use std::collections::BTreeMap;

use nevra::{Algorithm, Sha256};
use repo::{Compression, Form};

use super::{Kind, Repository, fill};

/// Names a family of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// No family in particular.
    #[default]
    Modern,
    /// yum 3.2 on Python 2.4.
    El5,
    /// yum 3.2.
    El6,
    /// yum 3.4.
    El7,
    /// dnf 4.
    El8,
    /// dnf 4.
    El9,
    /// dnf 4 and 5.
    El10,
    /// zypper.
    Sles,
}

impl Profile {
    /// Every profile, with the word the configuration has for it.
    pub const ALL: [(&str, Self); 8] = [
        ("modern", Self::Modern),
        ("el5", Self::El5),
        ("el6", Self::El6),
        ("el7", Self::El7),
        ("el8", Self::El8),
        ("el9", Self::El9),
        ("el10", Self::El10),
        ("sles", Self::Sles),
    ];

    /// Shows the word the configuration has for it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, profile)| *profile == self).map_or("", |(word, _)| word)
    }

    /// Says whether the clients are yum 3, which reads databases and nothing but gzip and bzip2.
    pub fn is_yum3(self) -> bool {
        matches!(self, Self::El5 | Self::El6 | Self::El7)
    }

    /// Says whether the clients know no digest but MD5 and SHA-1.
    pub fn needs_sha1(self) -> bool {
        self == Self::El5
    }
}

/// Says for which clients the repositories of a stage are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clients {
    /// The clients, unless [`Clients::profiles`] says otherwise.
    pub profile: Profile,
    /// The clients by operating system.
    pub profiles: BTreeMap<String, Profile>,
    /// How metadata is packed, if not as the profile says.
    pub compression: Option<Compression>,
    /// What hashes metadata and names packages, if not what the profile says: SHA-1 or SHA-256.
    pub checksum: Option<Algorithm>,
    /// Whether there are databases for yum 3, if not as the profile says.
    pub databases: Option<bool>,
    /// The file with groups of packages, on this host; knows `{product}`, `{os}`, `{arch}` and `{stage}`.
    pub comps: Option<String>,
    /// Whether a metalink lies beside the metadata.
    pub metalink: bool,
    /// Whether repomd.xml has no `open-checksum` of primary, filelists and other.
    pub without_open_checksums: bool,
    /// Whether an advisory says what a roll-back retracts, if not as the profile says: where zypper is the client.
    pub retractions: Option<bool>,
}

/// The word that is recorded of a repository whose repomd.xml has no `open-checksum` of primary, filelists and other.
pub const NO_OPEN_CHECKSUMS: &str = "no-open-checksums";

/// How one repository's metadata is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writing {
    /// How files are packed, hashed and named.
    pub form: Form,
    /// Whether packages are named by SHA-1, because the clients know nothing else.
    pub is_named_by_sha1: bool,
    /// Whether there are databases for yum 3.
    pub has_databases: bool,
    /// Whether groups are written twice, as they are and packed.
    pub has_both_groups: bool,
    /// The file with groups of packages, on this host.
    pub comps: Option<String>,
    /// Whether a metalink lies beside it.
    pub has_metalink: bool,
    /// Whether an advisory says what a roll-back retracts.
    pub has_retractions: bool,
}

impl Clients {
    /// Tells how a repository of the stage is written; debug and source repositories have no groups.
    pub fn writing(&self, repository: &Repository) -> Writing {
        let profile = self.profiles.get(&repository.os).copied().unwrap_or(self.profile);
        let usual = if profile == Profile::El10 { Compression::Zstd } else { Compression::Gzip };
        let checksum = if profile.needs_sha1() { Algorithm::Sha } else { Algorithm::Sha256 };
        let checksum = self.checksum.unwrap_or(checksum);
        let comps = self.comps.as_ref().filter(|_| repository.kind == Kind::Binary);
        Writing {
            form: Form {
                compression: self.compression.unwrap_or(usual),
                checksum,
                open_checksums: !self.without_open_checksums,
                ..Form::default()
            },
            is_named_by_sha1: checksum == Algorithm::Sha,
            has_databases: self.databases.unwrap_or(profile.is_yum3()),
            has_both_groups: profile.is_yum3(),
            comps: comps.map(|template| fill(template, repository)),
            has_metalink: self.metalink,
            // dnf knows no advisory by its status, and would list it among those that are to be installed.
            has_retractions: self.retractions.unwrap_or(profile == Profile::Sles)
                && repository.kind == Kind::Binary,
        }
    }
}

impl Writing {
    /// Says it in words, with the digest of the groups: what is recorded, and compared with what is wanted.
    ///
    /// `None` for the default without groups, which every repository had before there were profiles.
    pub fn recorded(&self, comps: Option<Sha256>) -> Option<String> {
        let Self { form, has_databases, has_both_groups, has_metalink, .. } = self;
        // What is retracted is recorded one by one, beside this.
        let form_alone = Self { comps: None, has_retractions: false, ..self.clone() };
        if form_alone == Self::default() && comps.is_none() {
            return None;
        }
        let mut words = format!("{} {}", form.compression, form.checksum);
        if *has_databases {
            words.push_str(" databases");
        }
        if *has_both_groups {
            words.push_str(" both-groups");
        }
        if let Some(comps) = comps {
            words.push_str(&format!(" comps={comps}"));
        }
        if *has_metalink {
            words.push_str(" metalink");
        }
        if !form.open_checksums {
            words.push_str(&format!(" {NO_OPEN_CHECKSUMS}"));
        }
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn check(clients: &Clients, os: &str, expected: &str) {
        let repository = Repository { os: os.into(), ..samples::layout().repositories().remove(0) };
        let words = clients.writing(&repository).recorded(None);
        assert_eq!(words.as_deref().unwrap_or("as ever"), expected, "{clients:?} on {os}");
    }

    #[test]
    fn each_profile_means_what_its_clients_read() {
        let expected = [
            "as ever",
            "gzip sha databases both-groups",
            "gzip sha256 databases both-groups",
            "gzip sha256 databases both-groups",
            "as ever",
            "as ever",
            "zstd sha256",
            "as ever",
        ];
        for ((word, profile), expected) in Profile::ALL.into_iter().zip(expected) {
            assert_eq!(profile.as_str(), word);
            check(&Clients { profile, ..Clients::default() }, "sl5", expected);
        }
    }

    #[test]
    fn an_operating_system_may_have_other_clients_than_its_stage() {
        let profiles = BTreeMap::from([("sl5".to_owned(), Profile::El5)]);
        let clients = Clients { profile: Profile::El10, profiles, ..Clients::default() };
        check(&clients, "sl5", "gzip sha databases both-groups");
        check(&clients, "el10", "zstd sha256");
    }

    #[test]
    fn a_repository_without_open_checksums_is_recorded_as_one() {
        let clients = Clients { without_open_checksums: true, ..Clients::default() };
        check(&clients, "el9", "gzip sha256 no-open-checksums");
        let clients = Clients { profile: Profile::El10, metalink: true, ..clients };
        check(&clients, "el10", "zstd sha256 metalink no-open-checksums");
    }

    #[test]
    fn what_is_said_goes_before_the_profile() {
        let clients = Clients { profile: Profile::El7, databases: Some(false), ..Clients::default() };
        check(&clients, "el7", "gzip sha256 both-groups");
        let clients = Clients { compression: Some(Compression::Zstd), ..Clients::default() };
        check(&clients, "el9", "zstd sha256");
    }

    #[test]
    fn groups_belong_to_the_packages_that_hosts_install() {
        let clients = Clients { comps: Some("/etc/{os}-{stage}.xml".into()), ..Clients::default() };
        let repository = samples::layout().repositories().remove(0);
        let comps = |kind| clients.writing(&Repository { kind, ..repository.clone() }).comps;
        assert_eq!(comps(Kind::Binary).as_deref(), Some("/etc/sl5-delta.xml"));
        assert_eq!(comps(Kind::Debug), None);
        assert_eq!(comps(Kind::Source), None);
        let digest = repo::sha256(b"<comps/>");
        let words = clients.writing(&repository).recorded(Some(digest)).unwrap();
        assert_eq!(words, format!("gzip sha256 comps={digest}"));
    }
}
