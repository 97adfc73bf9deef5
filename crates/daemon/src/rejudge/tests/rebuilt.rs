//! What was built anew is judged again by published metadata, as long as that is kept.

use repo::Recipe;

use super::judged;
use super::town::{CONFIG, Town, import, promote, withdraw};
use crate::rejudge::{Judgement, reason};

/// A roll-back, and what was asked behind it.
fn rolled_back(config: &str) -> Town {
    let mut town = Town::new(config);
    let files = [town.upload("voms", "1")];
    assert_eq!(town.ask(1000, &import(&files)).code, "done");
    assert_eq!(town.ask(1000, &promote("voms")).code, "done");
    let meta = Recipe::new("emi-ui", "1", "1").arch("noarch").requires("voms = 2-1");
    let files = [town.upload("voms", "2"), town.upload_built(&meta)];
    assert_eq!(town.ask(1000, &import(&files)).code, "done");
    let rollback =
        "action = \"rollback\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"voms\"]\nreason = \"r\"";
    assert_eq!(town.ask(71009, rollback).code, "unknown-owner");
    assert_eq!(town.ask(1000, rollback).code, "done");
    assert_eq!(town.ask(1000, &withdraw("voms")).code, "no-such-package");
    town
}

fn unjudged(judgement: &Judgement, reason: &str) -> usize {
    judgement.not_judged.get(reason).copied().unwrap_or_default()
}

#[test]
fn a_roll_back_is_judged_until_the_metadata_before_it_are_swept() {
    let mut town = rolled_back(CONFIG);
    let now = judged(&town);
    assert_eq!(now.differing, []);
    assert_eq!(unjudged(&now, reason::REQUIRED), 0, "{now:?}");
    town.clock.advance(400 * 24 * 3600);
    assert_eq!(town.ask(1000, "action = \"sweep\"").exit, 0);
    let later = judged(&town);
    assert_eq!(later.differing, []);
    assert_eq!((unjudged(&later, reason::REQUIRED), later.same), (1, now.same - 1), "{later:?}");
}

#[test]
fn where_a_stage_is_judged_beside_others_than_routes_tell_that_is_said() {
    let stage = "[[product.stage]]\nname = \"production\"\n";
    let closed = format!("{stage}closure = []\nmeta_packages = [\"emi-*\"]\n");
    assert!(CONFIG.contains(stage));
    let town = rolled_back(&CONFIG.replace(stage, &closed));
    let judgement = judged(&town);
    assert_eq!(judgement.differing, []);
    assert_eq!(unjudged(&judgement, reason::CLOSED), 1, "{judgement:?}");
}
