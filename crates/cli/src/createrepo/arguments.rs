//! The options of createrepo_c, by its names, and those of them that are refused, by their names too.

use camino::Utf8PathBuf;
use clap::{ArgAction, Args};
use nevra::Algorithm;
use repo::Compression;

/// How repodata is to be made.
#[derive(Debug, Args)]
pub struct Createrepo {
    /// The directory of packages
    #[arg(value_name = "DIR")]
    pub directory: Utf8PathBuf,
    /// Where `repodata` is to be; DIR otherwise
    #[arg(short, long, value_name = "DIR")]
    pub outputdir: Option<Utf8PathBuf>,
    /// Say only what is wrong
    #[arg(short, long, overrides_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, overrides_with = "quiet")]
    pub verbose: bool,
    #[command(flatten)]
    pub selecting: Selecting,
    #[command(flatten)]
    pub updating: Updating,
    #[command(flatten)]
    pub writing: Writing,
    #[command(flatten)]
    pub naming: Naming,
    /// How many packages are read at once; one for each processor otherwise, at most five
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub workers: Option<u16>,
    /// Of createrepo_c: exit with 2 if a package cannot be read; this is what happens anyway
    #[arg(long)]
    pub error_exit_val: bool,
    /// Remove the lock of a createrepo_c that was killed; two at work at once spoil each other
    #[arg(long)]
    pub ignore_lock: bool,
    #[command(flatten)]
    pub refused: Refused,
}

/// Which packages are listed.
#[derive(Debug, Args)]
pub struct Selecting {
    /// Packages to leave out, as a pattern over their place below DIR; again for more
    #[arg(short = 'x', long = "excludes", value_name = "PATTERN")]
    pub excludes: Vec<String>,
    /// A file of places below DIR, one a line: only these are listed
    #[arg(short = 'i', long, value_name = "FILE")]
    pub pkglist: Option<Utf8PathBuf>,
    /// A place below DIR: only what is named so is listed; again for more
    #[arg(short = 'n', long = "includepkg", value_name = "PLACE")]
    pub includepkg: Vec<String>,
    /// Leave out symlinks
    #[arg(short = 'S', long)]
    pub skip_symlinks: bool,
}

/// What is taken over from repodata that is there.
#[derive(Debug, Args)]
pub struct Updating {
    /// Read only packages that are new, or have another size or time than the old repodata says
    #[arg(long)]
    pub update: bool,
    /// Also take over from the repodata below this directory; again for more
    #[arg(long, value_name = "DIR", requires = "update")]
    pub update_md_path: Vec<Utf8PathBuf>,
    /// Do not even look at size and time
    #[arg(long, requires = "update")]
    pub skip_stat: bool,
    /// Keep updateinfo, modules and whatever else the old repodata has; --update does so anyway
    #[arg(long)]
    pub keep_all_metadata: bool,
    /// Keep none of it, not even with --update
    #[arg(long, conflicts_with = "keep_all_metadata")]
    pub discard_additional_metadata: bool,
    /// Keep the files of the old repodata if N is not 0; with --compatibility the latest N of each kind
    #[arg(long, value_name = "N", conflicts_with = "retain_old_md_by_age", allow_negative_numbers = true)]
    pub retain_old_md: Option<i64>,
    /// Keep the files of the old repodata that are younger, such as 90m, 2h or 30d
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub retain_old_md_by_age: Option<i64>,
    /// Let --retain-old-md mean what it meant to the first createrepo, and list all changes of packages
    #[arg(long)]
    pub compatibility: bool,
}

/// What is written, and how.
#[derive(Debug, Args)]
pub struct Writing {
    /// A comps file, relative to DIR
    #[arg(short = 'g', long, value_name = "FILE")]
    pub groupfile: Option<Utf8PathBuf>,
    /// What hashes packages and metadata: sha256, sha512, sha1 ...
    #[arg(short = 's', long, value_name = "TYPE", default_value = "sha256", value_parser = algorithm)]
    pub checksum: Algorithm,
    /// What hashes metadata; as --checksum otherwise
    #[arg(long, value_name = "TYPE", value_parser = algorithm)]
    pub repomd_checksum: Option<Algorithm>,
    /// How many changes of each package are listed, the latest; ten otherwise, -1 lists all
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub changelog_limit: Option<i64>,
    /// Make SQLite databases for yum 3, too
    #[arg(short = 'd', long, overrides_with = "no_database")]
    pub database: bool,
    /// Make none; this is what happens anyway
    #[arg(long, overrides_with = "database")]
    pub no_database: bool,
    /// How comps and databases are packed: gz, bz2, xz or zstd
    #[arg(long, value_name = "TYPE", value_parser = compression)]
    pub compress_type: Option<Compression>,
    /// How everything is packed
    #[arg(long, value_name = "TYPE", value_parser = compression)]
    pub general_compress_type: Option<Compression>,
    /// Pack comps and databases with xz
    #[arg(long, conflicts_with = "compress_type")]
    pub xz: bool,
    /// Put the checksum of a file into its name; this is what happens anyway
    #[arg(long, overrides_with = "simple_md_filenames")]
    pub unique_md_filenames: bool,
    /// Do not put it there
    #[arg(long, overrides_with = "unique_md_filenames")]
    pub simple_md_filenames: bool,
    /// Indent XML; this is what happens anyway
    #[arg(short, long)]
    pub pretty: bool,
}

/// What the index says about the repository, and where packages lie.
#[derive(Debug, Args)]
pub struct Naming {
    /// The address packages lie below
    #[arg(short = 'u', long, value_name = "URL")]
    pub baseurl: Option<String>,
    /// What stands before the place of each package
    #[arg(long, value_name = "PREFIX")]
    pub location_prefix: Option<String>,
    /// What this state of the repository is called; the time otherwise
    #[arg(long, value_name = "TEXT")]
    pub revision: Option<String>,
    /// Give all files the time that --revision says, in seconds since 1970
    #[arg(long, requires = "revision")]
    pub set_timestamp_to_revision: bool,
    /// A word about the repository; again for more
    #[arg(long, value_name = "TEXT")]
    pub repo: Vec<String>,
    /// The distribution it belongs to: `cpeid,text` or `text`; again for more
    #[arg(long, value_name = "CPEID,TEXT")]
    pub distro: Vec<String>,
    /// A word about the packages; again for more
    #[arg(long, value_name = "TEXT")]
    pub content: Vec<String>,
}

/// What createrepo_c has and Sluice has not. They are read so that the answer can say what to do instead.
#[derive(Debug, Args)]
pub struct Refused {
    #[arg(long, hide = true, value_name = "DIR")]
    basedir: Option<String>,
    #[arg(long, hide = true)]
    split: bool,
    #[arg(long, hide = true, value_name = "FILE")]
    read_pkgs_list: Option<String>,
    #[arg(long, hide = true)]
    recycle_pkglist: bool,
    #[arg(long, hide = true)]
    zck: bool,
    #[arg(long, hide = true, value_name = "DIR")]
    zck_dict_dir: Option<String>,
    #[arg(long, hide = true, value_name = "DIR")]
    cachedir: Option<String>,
    #[arg(long, hide = true)]
    deltas: bool,
    #[arg(long, hide = true, value_name = "DIR")]
    oldpackagedirs: Vec<String>,
    #[arg(long, hide = true, value_name = "N")]
    num_deltas: Option<String>,
    #[arg(long, hide = true, value_name = "BYTES")]
    max_delta_rpm_size: Option<String>,
    #[arg(long, hide = true)]
    local_sqlite: bool,
    #[arg(long, hide = true, value_name = "N")]
    cut_dirs: Option<String>,
    /// Anything further: createrepo_c takes one directory as well.
    #[arg(hide = true, action = ArgAction::Append)]
    more: Vec<String>,
}

impl Refused {
    /// Names the first option that is refused, and what to do instead.
    pub fn first(&self) -> Option<(&'static str, &'static str)> {
        const DELTAS: &str = "delta RPMs are no longer used by any client: leave it out";
        let refused = [
            (self.basedir.is_some(), "--basedir", "run it in that directory, or name DIR in full"),
            (self.split, "--split", "make one repository of each directory, or link them below one"),
            (self.read_pkgs_list.is_some(), "--read-pkgs-list", "`--json` tells how many packages were read"),
            (self.recycle_pkglist, "--recycle-pkglist", "leave it out: walking is cheap beside --skip-stat"),
            (self.zck, "--zck", "use `--general-compress-type zstd`: dnf reads it as well"),
            (self.zck_dict_dir.is_some(), "--zck-dict-dir", "use `--general-compress-type zstd`"),
            (self.cachedir.is_some(), "--cachedir", "use `--update`: it reads no package twice"),
            (self.deltas, "--deltas", DELTAS),
            (!self.oldpackagedirs.is_empty(), "--oldpackagedirs", DELTAS),
            (self.num_deltas.is_some(), "--num-deltas", DELTAS),
            (self.max_delta_rpm_size.is_some(), "--max-delta-rpm-size", DELTAS),
            (self.local_sqlite, "--local-sqlite", "databases are made in memory: leave it out"),
            (
                self.cut_dirs.is_some(),
                "--cut-dirs",
                "run it on the directory the places are to be relative to",
            ),
            (!self.more.is_empty(), "a second directory", "run it once for each directory"),
        ];
        refused.into_iter().find(|(given, ..)| *given).map(|(_, name, instead)| (name, instead))
    }
}

/// Reads `sha256`, in any case.
fn algorithm(text: &str) -> Result<Algorithm, String> {
    let unknown = "one of md5, sha1, sha224, sha256, sha384 and sha512 is wanted";
    text.to_ascii_lowercase().parse().map_err(|_| unknown.to_owned())
}

/// Reads `gz`, in any case.
fn compression(text: &str) -> Result<Compression, String> {
    match text.to_ascii_lowercase().parse() {
        Ok(Compression::None) | Err(_) => Err("one of gz, bz2, xz and zstd is wanted".to_owned()),
        Ok(compression) => Ok(compression),
    }
}

/// Reads `30d`, `2h`, `5m`, or a number of seconds.
fn age(text: &str) -> Result<i64, String> {
    let wanted = || "a number with m, h or d behind it is wanted, such as 2h".to_owned();
    let (number, unit) = match text.char_indices().last() {
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 60 * 60),
        Some((at, 'd')) => (&text[..at], 24 * 60 * 60),
        _ => (text, 1),
    };
    let number = number.parse::<u32>().map_err(|_| wanted())?;
    Ok(i64::from(number) * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_with_and_without_a_unit() {
        assert_eq!(age("90"), Ok(90));
        assert_eq!(age("2h"), Ok(7200));
        assert_eq!(age("30d"), Ok(2_592_000));
        for wrong in ["", "h", "5x", "-1h", "1.5h", "99999999999d"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn words_are_read_in_any_case() {
        assert_eq!(algorithm("SHA512"), Ok(Algorithm::Sha512));
        assert_eq!(algorithm("sha"), Ok(Algorithm::Sha));
        assert_eq!(compression("XZ"), Ok(Compression::Xz));
        assert!(algorithm("crc32").is_err() && compression("none").is_err() && compression("lzma").is_err());
    }
}
