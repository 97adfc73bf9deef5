//! What becomes of views as time passes: what they promised is swept, what is purged leaves them, and all of them are dated
//! anew where a site goes on from a backup.

use std::sync::Arc;

use daemon::account::Account;
use daemon::clock::Clock;
use daemon::observe::read_shelf;
use daemon::verify::{Rest, Verifier};
use store::forgetful::ForgetfulDisk;
use store::{Disk, Store};
use testkit::Checker;

use super::power::{config, import, meta};
use super::{Bench, CONFIG, both, installed};
use crate::crash::look;
use crate::crash::site::{self, ROOT, SetClock};

/// A small site with views of voms and torque, at rest.
struct Small {
    disk: Arc<ForgetfulDisk>,
    clock: Arc<SetClock>,
}

impl Small {
    fn new() -> Small {
        let small = Small { disk: Arc::new(ForgetfulDisk::new()), clock: SetClock::at(1_700_000_000) };
        small.settle(true);
        let [voms, torque] = ["voms", "torque"].map(|name| site::rpm(name, "1"));
        import(&small.disk, "first.toml", &[voms, torque, meta("voms", "1"), meta("torque", "1")]);
        small.settle(true);
        small
    }

    /// Lets the engine come to rest, with views or without, and looks whether everything is as it must be.
    fn settle(&self, has_views: bool) {
        let config = if has_views { config() } else { site::config("\"el9/x86_64\"") };
        let mut engine = site::open_as(&self.disk, &self.clock, config).unwrap();
        let answers = site::settle(&mut engine, &self.disk, &self.clock).unwrap();
        assert!(answers.iter().all(|answer| answer.exit == 0), "{answers:?}");
        drop(engine);
        let now = self.clock.now().as_second();
        let wrong = look(&mut Verifier::default(), &self.disk, &site::answers(&*self.disk), Rest::Quiet, now);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    fn store(&self) -> Store {
        Store::new(Arc::clone(&self.disk) as Arc<dyn Disk>, ROOT)
    }

    /// What lies below `node-types/` of delta in the generation in force, symlinks included.
    fn below(&self) -> Vec<String> {
        let files = self.store().current().unwrap().unwrap().files;
        let all = files.public.into_keys().chain(files.packages_links.into_keys());
        all.filter(|path| path.starts_with("glite/el9/x86_64/delta/node-types/")).collect()
    }

    /// What the view of a node type lists.
    fn listed(&self, node_type: &str) -> Vec<String> {
        let current = self.store().current().unwrap().unwrap();
        let account = Account::of(current.number, &current.manifest.account).unwrap();
        let path = format!("glite/el9/x86_64/delta/node-types/{node_type}");
        let (_, shelved) = account.listings().into_iter().find(|(_, one)| one.path == path).unwrap();
        let shelf = read_shelf(&self.store(), &current, &shelved).unwrap();
        shelf.listed.iter().map(|listed| listed.nevra.to_string()).collect()
    }
}

#[test]
fn what_views_promised_is_swept_when_they_are_wanted_no_more() {
    let small = Small::new();
    assert_eq!(small.listed("glite-voms"), ["glite-voms-1-1.noarch", "voms-1-1.noarch"]);
    small.clock.advance(10);
    small.settle(false);
    let left = small.below();
    let of_metadata = left.iter().filter(|path| path.contains("/repodata/")).count();
    assert_eq!(of_metadata, 6, "the three lists of each view are promised: {left:?}");
    assert_eq!(left.iter().filter(|path| path.ends_with("/Packages")).count(), 2, "{left:?}");
    assert_eq!(left.len(), 8, "{left:?}");
    small.clock.advance(90_000);
    site::drop_request(&*small.disk, "sweep.toml", "action = \"sweep\"");
    small.settle(false);
    assert_eq!(small.below(), [""; 0]);
    // And they come again.
    small.clock.advance(10);
    small.settle(true);
    assert_eq!(small.listed("glite-voms"), ["glite-voms-1-1.noarch", "voms-1-1.noarch"]);
}

#[test]
fn what_is_purged_leaves_the_views_that_list_it() {
    let small = Small::new();
    small.clock.advance(10);
    let purge = "action = \"purge\"\npackages = [\"voms-1-1.noarch\"]\nreason = \"malware\"";
    site::drop_request(&*small.disk, "purge.toml", purge);
    small.settle(true);
    assert_eq!(small.listed("glite-voms"), ["glite-voms-1-1.noarch"]);
    assert_eq!(small.listed("glite-torque"), ["glite-torque-1-1.noarch", "torque-1-1.noarch"]);
}

#[test]
fn a_site_that_goes_on_from_a_backup_dates_its_views_anew() {
    let mut bench = Bench::new(CONFIG);
    let mut daemon = bench.site.start();
    bench.import(&both());
    let host = bench.host("glite-UI", ".repo");
    daemon.stop();
    let before = bench.view("glite-UI");
    crate::restore::resume(&bench.site, &[]).ok();
    let revision =
        |(_, repomd): &super::State| repo::Repomd::parse(repomd).unwrap().revision.parse::<i64>().unwrap();
    assert!(revision(&bench.view("glite-UI")) > revision(&before));
    host.dnf(&["install", "glite-UI"]).ok();
    assert_eq!(installed(&host), ["common-1-1.noarch", "glite-UI-1-1.noarch", "voms-1-1.noarch"]);
    bench.site.sluice(&["verify", "--deep"]).ok();
    Checker::of(&bench.site).at_rest().assert_sound();
}
