//! What the readers find when something is wrong: a proof that finds nothing is none.
//!
//! Each fault has a site, a daemon, an nginx and readers of its own, and all of them run at the same time: what takes
//! long is that generations come a second apart.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Nginx, Sandbox, Site};
use walkdir::WalkDir;

use super::flips::Flips;
use super::origin::Origin;
use super::promotions::{self, Promotions, STAGES, TOGETHER};
use super::reader::Reader;
use super::{Extent, origin};

/// After so many steps without an error the fault would have gone unseen.
const STEPS_MAX: u64 = 240;

/// What is wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// A bug planted in the daemon.
    Planted(&'static str),
    /// An nginx that believes for a while what a name led to.
    OpenFileCache,
    /// Packages that lost their last bytes on the disk.
    TornPackages,
    /// Packages of which one byte is another.
    FlippedBits,
}

impl Wrong {
    /// What stands in the story of the first error that is only seen because of it.
    fn seen_as(self) -> &'static [&'static str] {
        match self {
            Self::Planted("PackagesLeaveAtOnce") => &["Prompt", "were expected (listed in generation", "404"],
            Self::Planted("MetadataLeavesAtOnce") => &["were expected (named in generation", "404"],
            Self::Planted("OverlapForgotten") => &["are in neither stage"],
            Self::Planted(_) => &["Revalidate", "no generation in force says this", "304"],
            Self::OpenFileCache => &["no generation in force says this"],
            Self::TornPackages => &["bytes were expected (listed in"],
            Self::FlippedBits => &["digest", "was expected"],
        }
    }

    fn bug(self) -> Option<&'static str> {
        match self {
            Self::Planted(bug) => Some(bug),
            _ => None,
        }
    }
}

/// Runs a site on which that is wrong until readers told a story of it; nothing if they saw nothing.
fn look(wrong: Wrong) -> Option<String> {
    let extent = Extent { generations: 0, promotions: 0, reads: [0, 0], reads_per_second: 60.0, patience: 4 };
    let sandbox = Sandbox::new();
    let root = sandbox.path("site/root");
    let nginx = match wrong {
        Wrong::OpenFileCache => {
            Nginx::start_changed(&sandbox, &root, ("open_file_cache off;", "open_file_cache max=1000;"))
        }
        _ => Nginx::start(&sandbox, &root),
    };
    // With an overlap packages leave later: the others show sooner without.
    let overlaps = matches!(wrong, Wrong::Planted("OverlapForgotten"));
    let stages = if overlaps { format!("{STAGES}{}", promotions::overlap()) } else { STAGES.to_owned() };
    let site = Site::initialised(&sandbox, nginx.base_url(), &stages);
    let _daemon = wrong.bug().map_or_else(|| site.start(), |bug| site.start_with_bug(bug));
    let mut promotions = Promotions::new(&site, 3);
    let flips = Arc::<Flips>::default();
    let overlap = overlaps.then_some(TOGETHER);
    let origin = origin("nginx", nginx.base_url(), &promotions.ledger(), &flips, &extent);
    let origin = Arc::new(Origin { overlap, ..origin });
    let is_expected = |fault: &&String| wrong.seen_as().iter().all(|words| fault.contains(words));
    let seen = || origin.tally.counts().faults.iter().find(is_expected).cloned();
    thread::scope(|scope| {
        // Two stages must be read at just the wrong moment: few readers rarely do.
        for seed in 1..=if overlaps { 10 } else { 2 } {
            let reader = Reader::new(Arc::clone(&origin), seed);
            scope.spawn(move || reader.run());
        }
        let _ending = flips.ending();
        spoil(wrong, &site);
        for step in 1..=STEPS_MAX {
            match wrong {
                // The daemon reads what it has before it brings it in once more, and would refuse.
                Wrong::TornPackages | Wrong::FlippedBits => {
                    flips.rest_until(Instant::now() + Duration::from_secs(1));
                    flips.reached(step);
                }
                _ => {
                    promotions.step();
                    flips.reached(promotions.done.generations);
                }
            }
            if seen().is_some() {
                break;
            }
        }
    });
    seen()
}

/// Spoils what lies on the disk, behind the back of the daemon.
fn spoil(wrong: Wrong, site: &Site) {
    for entry in WalkDir::new(site.root().join("pool")).into_iter().flatten() {
        if !entry.file_type().is_file() {
            continue;
        }
        let mut bytes = fs::read(entry.path()).unwrap();
        match wrong {
            Wrong::TornPackages => bytes.truncate(bytes.len() - 1),
            Wrong::FlippedBits => bytes[1000] ^= 1,
            _ => continue,
        }
        // Not another file of the same name: the one that every link leads to.
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(entry.path(), bytes).unwrap();
    }
}

#[test]
fn readers_see_what_is_planted() {
    let all = [
        Wrong::Planted("PackagesLeaveAtOnce"),
        Wrong::Planted("MetadataLeavesAtOnce"),
        Wrong::Planted("DatesStandStill"),
        Wrong::Planted("OverlapForgotten"),
        Wrong::OpenFileCache,
        Wrong::TornPackages,
        Wrong::FlippedBits,
    ];
    let seen = thread::scope(|scope| {
        let looks = all.map(|wrong| (wrong, scope.spawn(move || look(wrong))));
        looks.map(|(wrong, look)| (wrong, look.join().unwrap()))
    });
    for (wrong, story) in seen {
        println!("{wrong:?}: {story:?}");
        assert!(story.is_some(), "no reader saw {wrong:?}");
    }
}
