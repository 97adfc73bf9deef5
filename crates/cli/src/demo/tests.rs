//! The demo played in this process, and what the reading verbs say of the site it leaves.

use std::sync::Arc;

use camino::Utf8PathBuf;
use store::{PosixDisk, Store};

use super::arguments::Played;
use super::*;
use crate::chronicle::Chronicle;
use crate::pattern::Pattern;
use crate::why;

fn played(folder: &Utf8Path, procedure: Played, spoil: Option<usize>) -> Result<u8, Failure> {
    let demo =
        Demo { folder: folder.to_owned(), listen: ([127, 0, 0, 1], 0).into(), once: true, spoil, procedure };
    run(&demo, &Terminal::mute())
}

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let sandbox = tempfile::tempdir().unwrap();
    let folder = Utf8PathBuf::from_path_buf(sandbox.path().join("demo")).unwrap();
    (sandbox, folder)
}

#[test]
fn every_step_of_the_story_holds_and_its_record_can_be_read() {
    let (_sandbox, folder) = folder();
    assert_eq!(played(&folder, Played::Glite, None), Ok(0));
    let chronicle = Chronicle::of(Store::new(Arc::new(PosixDisk), folder.join("root"))).unwrap();
    let first: Vec<u64> = chronicle.newest_first().filter(|number| *number < 8).collect();
    assert_eq!(first, [7, 6, 5, 4, 3, 2, 1]);
    for number in chronicle.newest_first() {
        // What the metadata lists and what the requests add up to are the same.
        assert_eq!(chronicle.packages(number).unwrap(), chronicle.worked_out(number).unwrap(), "@{number}");
    }

    let stays = |text: &str| why::stays(&chronicle, &Pattern::parse(text).unwrap()).unwrap();
    let listed = stays("voms-*");
    assert_eq!(listed.len(), 1);
    let entered = listed[0].entered.as_ref().unwrap();
    assert_eq!(
        (listed[0].nevra.to_string().as_str(), entered.generation),
        ("voms-clients-1.9.9-1.x86_64", 3)
    );
    assert_eq!((listed[0].left.as_ref(), entered.action.as_str()), (None, "promote"));
    let ended = stays("glite-UI-3.2.7-1");
    let spans: Vec<_> = ended
        .iter()
        .map(|stay| {
            let (entered, left) = (stay.entered.as_ref().unwrap(), stay.left.as_ref().unwrap());
            (stay.repository.as_str(), entered.generation, left.generation, left.action.as_str())
        })
        .collect();
    assert_eq!(
        spans,
        [
            ("glite-3.2-sl5-x86_64-production", 6, 7, "revert"),
            ("glite-3.2-sl5-x86_64-delta", 5, 6, "promote")
        ]
    );
    assert!(stays("emacs").is_empty());
    assert_eq!(chronicle.packages(99).unwrap_err().exit, 5);
}

#[test]
fn a_staged_roll_out_holds_in_every_step() {
    let (_sandbox, folder) = folder();
    assert_eq!(played(&folder, Played::Egi, None), Ok(0));
}

#[test]
fn one_bit_on_the_wire_is_noticed() {
    let (_sandbox, folder) = folder();
    assert_eq!(played(&folder, Played::Glite, Some(3)), Ok(6));
}
