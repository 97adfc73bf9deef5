//! What a site stands on: the file system below its root, who owns it, and its SELinux label.
//!
//! What the store promises it can only promise on one local file system with hard links that belongs to the
//! daemon. Reading the facts and judging them are apart, so that every judgement can be shown.
#![expect(clippy::disallowed_methods, reason = "asks the kernel about file systems, mounts and owners")]

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{AtFlags, CWD, StatxFlags, statfs, statvfs, statx};
use rustix::io::Errno;
use serde::Serialize;

use crate::config::{Code, Config};
use crate::error::Error;

/// The file systems that are refused unless the configuration allows them: number, name, what is wrong.
///
/// The numbers are those of statfs(2).
const REFUSED: [(u64, &str, Code); 19] = [
    (0x6969, "nfs", Code::NetworkFileSystem),
    (0x517b, "smb", Code::NetworkFileSystem),
    (0xff53_4d42, "cifs", Code::NetworkFileSystem),
    (0xfe53_4d42, "smb2", Code::NetworkFileSystem),
    (0x0102_1997, "9p", Code::NetworkFileSystem),
    (0x6573_5546, "fuse", Code::NetworkFileSystem),
    (0x00c3_6400, "ceph", Code::NetworkFileSystem),
    (0x5346_414f, "afs", Code::NetworkFileSystem),
    (0x6b41_4653, "kafs", Code::NetworkFileSystem),
    (0x7375_7245, "coda", Code::NetworkFileSystem),
    (0x0bd0_0bd0, "lustre", Code::NetworkFileSystem),
    (0x0116_1970, "gfs2", Code::NetworkFileSystem),
    (0x7461_636f, "ocfs2", Code::NetworkFileSystem),
    (0x786f_4256, "vboxsf", Code::NetworkFileSystem),
    (0x794c_7630, "overlay", Code::Overlay),
    (0x6175_6673, "aufs", Code::Overlay),
    (0x4d44, "vfat", Code::NoHardLinks),
    (0x2011_bab0, "exfat", Code::NoHardLinks),
    (0x7366_746e, "ntfs", Code::NoHardLinks),
];

/// The names of file systems that `allow_file_systems` may hold.
pub fn refused_names() -> Vec<&'static str> {
    REFUSED.iter().map(|(_, name, _)| *name).collect()
}

/// One thing that is wrong with the ground.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfit {
    /// Its stable name.
    pub code: Code,
    /// What is wrong, in one sentence without a full stop.
    pub reason: String,
    /// What to do about it.
    pub hint: String,
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})\n  hint: {}", self.reason, self.code, self.hint)
    }
}

/// What was found, as far as it exists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ground {
    /// Who asks.
    pub user: u32,
    /// The root or, if it does not exist, the nearest directory above it.
    pub base: Utf8PathBuf,
    /// The number of the file system of `base`.
    pub file_system: u64,
    /// The root and its directories, as far as they exist.
    pub places: Vec<Place>,
    /// The SELinux label of the root, on a host that has one.
    pub label: Option<String>,
}

/// One directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub path: Utf8PathBuf,
    /// The mount it lies behind; the device where the kernel does not tell.
    pub mount: u64,
    /// Its owner.
    pub owner: u32,
}

/// The directories of a root between which files are linked and renamed.
const PARTS: [&str; 10] = [
    "",
    "public",
    "public/packages",
    "generations",
    "history",
    "policy",
    "pool",
    "staging",
    "quarantine",
    "audit",
];

/// Looks at the ground of the site that `root` names; what does not exist is left out.
pub fn look(root: &Utf8Path) -> Result<Ground, Error> {
    let mut places = Vec::new();
    for part in PARTS {
        let path = if part.is_empty() { root.to_owned() } else { root.join(part) };
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
        match statx(CWD, path.as_std_path(), AtFlags::empty(), wanted) {
            Ok(found) => {
                let told = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::MNT_ID);
                let device = rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor);
                let mount = if told { found.stx_mnt_id } else { device };
                places.push(Place { path, mount, owner: found.stx_uid });
            }
            Err(Errno::NOENT) => {}
            Err(cause) => return Err(failed("look at", &path, cause)),
        }
    }
    let is_there = |path: &&Utf8Path| path.as_std_path().exists();
    let base = root.ancestors().find(is_there).unwrap_or(Utf8Path::new("/")).to_owned();
    let found = statfs(base.as_std_path()).map_err(|cause| failed("look at", &base, cause))?;
    // The number is signed on some machines, and 32 bits wide in all.
    let file_system = found.f_type as u64 & 0xffff_ffff;
    let user = nix::unistd::geteuid().as_raw();
    Ok(Ground { user, file_system, label: label(root), base, places })
}

fn failed(operation: &'static str, path: &Utf8Path, cause: Errno) -> Error {
    Error::File { operation, path: path.to_owned(), cause: cause.into() }
}

/// The SELinux label; none where there is none, or where it cannot be read.
fn label(root: &Utf8Path) -> Option<String> {
    let mut buffer = [0_u8; 256];
    let length = rustix::fs::getxattr(root.as_std_path(), "security.selinux", &mut buffer).ok()?;
    let text = String::from_utf8_lossy(buffer.get(..length)?).into_owned();
    Some(text.trim_end_matches('\0').to_owned())
}

/// Judges who writes: only the owner of everything may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Somebody who only reads.
    Reader,
    /// The one who is about to write.
    Writer,
}

/// Says what is wrong with the ground; nothing where a site can stand.
pub fn judge(ground: &Ground, config: &Config, asks: Asks) -> Vec<Unfit> {
    let mut unfit = Vec::new();
    unfit.extend(of_file_system(ground, &config.allow_file_systems));
    unfit.extend(of_mounts(ground));
    unfit.extend(of_owners(ground, &config.root, asks));
    unfit
}

fn of_file_system(ground: &Ground, allowed: &[String]) -> Option<Unfit> {
    let (_, name, code) = REFUSED.iter().find(|(number, ..)| *number == ground.file_system)?;
    if allowed.iter().any(|allowed| allowed == name) {
        return None;
    }
    let why = match code {
        Code::Overlay => "what lies there may not survive the container, and its hard links may come apart",
        Code::NoHardLinks => "it has no hard links, and every package needs two names",
        _ => "a lock or an fsync there promises nothing about other machines",
    };
    let hint = format!(
        "put `root` on a local disk (ext4, xfs, btrfs){}; whoever knows better writes \
         `allow_file_systems = [\"{name}\"]` under [site]",
        if *code == Code::Overlay { ", of a container: on a volume" } else { "" }
    );
    let reason = format!("`{}` lies on a file system of type {name}: {why}", ground.base);
    Some(Unfit { code: *code, reason, hint })
}

fn of_mounts(ground: &Ground) -> Option<Unfit> {
    let first = ground.places.first()?;
    let other = ground.places.iter().find(|place| place.mount != first.mount)?;
    let reason = format!(
        "`{}` lies on another file system or behind another mount than `{}`, and files move between them",
        other.path, first.path
    );
    let hint =
        format!("`findmnt -T {}` shows it: mount one file system at or above `{}`", other.path, first.path);
    Some(Unfit { code: Code::TwoFileSystems, reason, hint })
}

fn of_owners(ground: &Ground, root: &Utf8Path, asks: Asks) -> Option<Unfit> {
    let first = ground.places.first()?;
    let owner = if asks == Asks::Writer { ground.user } else { first.owner };
    let other = ground.places.iter().find(|place| place.owner != owner)?;
    let whose = match asks {
        Asks::Writer => format!("and this runs as uid {owner}"),
        Asks::Reader => format!("and `{}` to uid {owner}", first.path),
    };
    let reason = format!("`{}` belongs to uid {}, {whose}", other.path, other.owner);
    let hint = match asks {
        Asks::Writer if other.owner == first.owner => format!(
            "run it as the owner (`setpriv --reuid {0} --regid {0} --init-groups sluice ...`, or the unit), or \
             give everything to uid {owner}: `chown -R {owner} {root}`",
            first.owner
        ),
        _ => format!("give everything to one user: `chown -R {owner} {root}`"),
    };
    Some(Unfit { code: Code::NotOwned, reason, hint })
}

/// The types web servers may read and the daemon may hard link; all names of a file share one label.
const GOOD_TYPES: [&str; 4] =
    ["public_content_t", "public_content_rw_t", "httpd_sys_content_t", "httpd_sys_rw_content_t"];

/// Says whether a label keeps web servers out of the root; a warning, for the daemon itself can work.
pub fn judge_label(label: &str, root: &Utf8Path) -> Option<Unfit> {
    // user:role:type:level
    let kind = label.split(':').nth(2).unwrap_or(label);
    if GOOD_TYPES.contains(&kind) || kind == "unlabeled_t" && !selinux_is_on() {
        return None;
    }
    let reason = format!("`{root}` has the SELinux type `{kind}`, which web servers may not read");
    let hint = format!("semanage fcontext -a -t public_content_t '{root}(/.*)?' && restorecon -R {root}");
    Some(Unfit { code: Code::Label, reason, hint })
}

fn selinux_is_on() -> bool {
    Utf8Path::new("/sys/fs/selinux/enforce").as_std_path().exists()
}

/// Looks at the ground and refuses what a site cannot stand on; what is only suspicious is returned.
pub fn demand(config: &Config, asks: Asks) -> Result<Vec<Unfit>, Error> {
    let ground = look(&config.root)?;
    let unfit = judge(&ground, config, asks);
    if !unfit.is_empty() {
        return Err(Error::Ground { unfit });
    }
    Ok(ground.label.iter().filter_map(|label| judge_label(label, &config.root)).collect())
}

/// What a file system still takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Free {
    /// Bytes that an ordinary user may still write.
    pub bytes: u64,
    /// All bytes.
    pub bytes_all: u64,
    /// Files that may still be made; none where the file system does not count them.
    pub files: Option<u64>,
}

impl Free {
    /// The free part in percent of all.
    pub fn percent(&self) -> f64 {
        if self.bytes_all == 0 { 0.0 } else { self.bytes as f64 * 100.0 / self.bytes_all as f64 }
    }
}

/// Asks what the file system of `path` still takes.
pub fn free(path: &Utf8Path) -> Result<Free, Error> {
    let found = statvfs(path.as_std_path()).map_err(|cause| failed("look at", path, cause))?;
    Ok(Free {
        bytes: found.f_bavail.saturating_mul(found.f_frsize),
        bytes_all: found.f_blocks.saturating_mul(found.f_frsize),
        files: (found.f_files > 0).then_some(found.f_favail),
    })
}

#[cfg(test)]
mod tests;
