//! Backups that lost something: what can be put right is, and nothing damaged is ever published.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use testkit::{Ran, Sandbox, Site, program, run};

use super::{STAGES, back_up, release, resume, said};

/// A site with a release, and a backup of it.
fn backed_up(sandbox: &Sandbox) -> (Site, Utf8PathBuf) {
    let site = Site::initialised(sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    release(&site, "first", 1);
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    let backup = sandbox.folder("backup");
    back_up(&site, &backup);
    (site, backup)
}

/// Copies the backup into a site of its own with these options of rsync.
fn restored(backup: &Utf8Path, options: &[&str]) -> (Sandbox, Site) {
    let sandbox = Sandbox::new();
    let site = Site::new(&sandbox, "http://127.0.0.1:1", STAGES);
    run(program("rsync").args(options).arg(format!("{backup}/root/")).arg(format!("{}/", site.root()))).ok();
    (sandbox, site)
}

fn pointer(site: &Site) -> Option<Utf8PathBuf> {
    site.root().join("public/current").read_link_utf8().ok()
}

#[test]
fn what_other_options_of_rsync_lose_is_put_right() {
    let sandbox = Sandbox::new();
    let (_site, backup) = backed_up(&sandbox);
    for (options, words) in [
        (&["-aH"][..], ""),
        (&["-a"], "lost the hard link"),
        (&["-rlHogt", "--chmod=Du=rwx,Dgo=rx,Fu=rw,Fgo=r"], "modes"),
        (&["-rlpHog"], "lost their times"),
        (&["-aH", "--prune-empty-dirs"], ""),
    ] {
        let (_place, site) = restored(&backup, options);
        let ran = resume(&site, &["--ahead", "5"]);
        let resumed = said(&ran.ok());
        assert!(resumed["mended"].to_string().contains(words), "{options:?}: {resumed:#}");
        assert_eq!(
            resumed["mended"].as_array().unwrap().is_empty(),
            words.is_empty(),
            "{options:?}: {resumed:#}"
        );
        assert_eq!(resumed["published"].as_u64(), resumed["restored"].as_u64().map(|number| number + 5));
        site.sluice(&["verify", "--at-rest"]).ok();
    }
}

/// Damages a copy and goes on: it must not, and the pointer stays.
#[track_caller]
fn refused(backup: &Utf8Path, damage: impl FnOnce(&Utf8Path)) -> Ran {
    let (_place, site) = restored(backup, &["-aH"]);
    let before = pointer(&site);
    damage(&site.root());
    let after = pointer(&site);
    let ran = resume(&site, &[]);
    assert_ne!(ran.code(), 0, "{ran}");
    assert_eq!(pointer(&site), after, "{ran}");
    assert!(before.is_some() && !ran.stderr.is_empty());
    ran
}

/// The first file below a folder that ends so.
fn find(folder: &Utf8Path, ending: &str) -> Utf8PathBuf {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let paths = files.filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path());
    let paths = paths.map(|path| Utf8PathBuf::from_path_buf(path).unwrap());
    paths.into_iter().find(|path| path.as_str().ends_with(ending)).unwrap()
}

fn overwrite(path: &Utf8Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_backup_is_named_and_never_published() {
    let sandbox = Sandbox::new();
    let (site, backup) = backed_up(&sandbox);
    let current = pointer(&site).unwrap();

    let flipped = refused(&backup, |root| overwrite(&find(&root.join("pool"), ".rpm")));
    assert!(flipped.code() == 6 && flipped.stderr.contains("pool/"), "{flipped}");
    let page = refused(&backup, |root| overwrite(&find(&root.join("public").join(&current), ".repo")));
    assert!(page.code() == 6 && page.stderr.contains(".repo"), "{page}");
    let gone = refused(&backup, |root| {
        let link = find(&root.join("public/packages"), ".rpm");
        fs::remove_file(link).unwrap();
    });
    assert!(gone.code() == 6 && gone.stderr.contains("hint: restore what is named"), "{gone}");

    let dangling = refused(&backup, |root| {
        fs::remove_file(root.join("public/current")).unwrap();
        symlink("@999", root.join("public/current")).unwrap();
    });
    assert!(
        dangling.code() == 78 && dangling.stderr.contains("@999") | dangling.stderr.contains("999"),
        "{dangling}"
    );
    let without = refused(&backup, |root| fs::remove_file(root.join("public/current")).unwrap());
    assert!(without.code() == 78 && without.stderr.contains("it is missing"), "{without}");

    let place = Sandbox::new();
    let empty = Site::new(&place, "http://127.0.0.1:1", STAGES);
    let nothing = resume(&empty, &[]);
    assert!(nothing.code() == 5 && nothing.stderr.contains("nothing was ever published"), "{nothing}");
    let wrong = resume(&empty, &["--ahead", "0"]);
    assert_eq!(wrong.code(), 2, "{wrong}");
}

#[test]
fn nobody_goes_on_from_a_root_where_the_daemon_runs() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let _daemon = site.start();
    let locked = resume(&site, &[]);
    assert!(locked.code() == 4 && locked.stderr.contains("another process holds the lock"), "{locked}");
}
