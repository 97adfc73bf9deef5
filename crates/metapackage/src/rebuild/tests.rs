use nevra::Nevra;
use repo::{Recipe, read_head};

use super::*;
use crate::{Pin, pins_of};

/// 2014-05-13, some minutes before five in the afternoon.
const NOW: u32 = 1_400_000_000;

fn wms() -> Recipe {
    Recipe::new("glite-WMS", "3.2.1", "4.sl5")
        .arch("x86_64")
        .requires("voms = 2.0.8-1.el5")
        .requires("voms(x86-64) = 0:2.0.8-1.el5")
        .requires("epochal = 3:2.0~rc1-0.1")
        .requires("lcg-CA")
        .requires("cabi = 1.0")
        .requires("lower >= 1.5-2")
        .provides("wms = 3.2.1-4.sl5")
        .provides("wms-api = 3.2.1")
}

fn asked() -> Rebuild {
    Rebuild {
        release: None,
        build_time: NOW,
        pins: BTreeMap::new(),
        without: BTreeSet::new(),
        change: None,
        files_allowed: false,
    }
}

fn pinned(pins: &[(&str, &str)]) -> Rebuild {
    let pins = pins.iter().map(|(name, evr)| (String::from(*name), evr.parse().unwrap())).collect();
    Rebuild { pins, ..asked() }
}

fn without(name: &str) -> Rebuild {
    Rebuild { without: BTreeSet::from([name.to_owned()]), ..asked() }
}

fn raised(release: &str) -> Rebuild {
    Rebuild { release: Some(release.into()), ..asked() }
}

fn try_it(recipe: &Recipe, rebuild: &Rebuild) -> Result<Vec<u8>, RebuildError> {
    let rpm = recipe.build();
    let mut payload = rpm.as_slice();
    let head = read_head(&mut payload).unwrap();
    let made = rebuilt(&head, payload, rebuild)?;
    assert!(made.ends_with(payload));
    Ok(made)
}

fn made(recipe: &Recipe, rebuild: &Rebuild) -> Head {
    read_head(&mut try_it(recipe, rebuild).unwrap().as_slice()).unwrap()
}

#[test]
fn the_same_order_gives_the_same_bytes() {
    let change = Some(Change { who: "Ann <ann@example.org>".into(), text: "- again".into() });
    let order = Rebuild { change, release: Some("4.sl5.1".into()), ..pinned(&[("voms", "2.0.7-1.el5")]) };
    let made = try_it(&wms(), &order).unwrap();
    assert!(made == try_it(&wms(), &order).unwrap());
    let later = Rebuild { build_time: NOW + 1, ..order };
    assert!(made != try_it(&wms(), &later).unwrap());
}

fn listed(head: &Head, triple: Triple) -> Vec<String> {
    rows_of(head, triple).unwrap().iter().map(Row::to_string).collect()
}

/// The requirements that are not as they were, as `before -> after`.
fn changed(recipe: &Recipe, rebuild: &Rebuild) -> Vec<String> {
    let before = listed(&read_head(&mut recipe.build().as_slice()).unwrap(), REQUIRES);
    let after = listed(&made(recipe, rebuild), REQUIRES);
    assert_eq!(before.len(), after.len(), "rows keep their places");
    let both = before.iter().zip(&after).filter(|(before, after)| before != after);
    both.map(|(before, after)| format!("{before} -> {after}")).collect()
}

#[test]
fn pins_are_told_from_other_requirements() {
    let recipe = wms().requires("(rich = 1 or poor)").requires("capped < 2").requires("/bin/sh");
    let recipe = recipe.requires("perl(Some::Thing) = 1.2").requires("config(glite-WMS) = 3.2.1-4.sl5");
    let pins = pins_of(&read_head(&mut recipe.build().as_slice()).unwrap()).unwrap();
    let shown: Vec<String> = pins.iter().map(Pin::to_string).collect();
    let expected = [
        "rich = 1",
        "cabi = 1.0",
        "capped < 2",
        "epochal = 3:2.0~rc1-0.1",
        "lower >= 1.5-2",
        "perl(Some::Thing) = 1.2",
        "voms = 2.0.8-1.el5",
        "voms(x86-64) = 0:2.0.8-1.el5",
    ];
    assert_eq!(shown, expected);
    let of_64_bits = &pins[7];
    assert_eq!((of_64_bits.name.as_str(), of_64_bits.isa.as_deref()), ("voms", Some("x86-64")));
    assert_eq!((pins[5].name.as_str(), pins[5].isa.as_deref()), ("perl(Some::Thing)", None));
    let rich: Vec<&str> = pins.iter().filter(|pin| pin.is_rich).map(|pin| pin.name.as_str()).collect();
    assert_eq!(rich, ["rich"]);
}

#[test]
fn a_pin_admits_what_rpm_would_install_for_it() {
    let recipe =
        Recipe::new("m", "1", "1").requires("any = 1.0").requires("one = 1.0-1").requires("up >= 1.0-2");
    let pins = pins_of(&read_head(&mut recipe.build().as_slice()).unwrap()).unwrap();
    let admitted = |evr: &str| pins.iter().map(|pin| pin.admits(&evr.parse().unwrap())).collect::<Vec<_>>();
    assert_eq!(admitted("1.0-1"), [true, true, false]);
    assert_eq!(admitted("1.0-2"), [true, false, true]);
    assert_eq!(admitted("1.00-1"), [true, true, false]);
    assert_eq!(admitted("1.0~rc-9"), [false, false, false]);
    assert_eq!(admitted("1:0-0"), [false, false, true]);
}

#[test]
fn a_pin_gets_its_version_in_the_form_it_had() {
    let check =
        |pins: &[(&str, &str)], expected: &[&str]| assert_eq!(changed(&wms(), &pinned(pins)), expected);
    check(
        &[("voms", "2.0.9-1.el5")],
        &[
            "voms = 2.0.8-1.el5 -> voms = 2.0.9-1.el5",
            "voms(x86-64) = 0:2.0.8-1.el5 -> voms(x86-64) = 0:2.0.9-1.el5",
        ],
    );
    check(&[("cabi", "2.0-9")], &["cabi = 1.0 -> cabi = 2.0"]);
    check(&[("cabi", "1.0-9")], &[]);
    check(&[("epochal", "2.1-1")], &["epochal = 3:2.0~rc1-0.1 -> epochal = 0:2.1-1"]);
    check(&[("lower", "1.6-1")], &[]);
    check(&[("lower", "1.5-1")], &["lower >= 1.5-2 -> lower >= 1.5-1"]);
    check(
        &[("lower", "1.0-1"), ("cabi", "1:2-3")],
        &["cabi = 1.0 -> cabi = 1:2", "lower >= 1.5-2 -> lower >= 1.0-1"],
    );
}

#[test]
fn a_component_that_is_no_longer_required_leaves_the_others_aligned() {
    let before = listed(&read_head(&mut wms().build().as_slice()).unwrap(), REQUIRES);
    let after = listed(&made(&wms(), &without("voms")), REQUIRES);
    let expected: Vec<String> = before.into_iter().filter(|row| !row.starts_with("voms")).collect();
    assert_eq!(after, expected);
    let after = listed(&made(&wms(), &without("lcg-CA")), REQUIRES);
    assert!(!after.contains(&"lcg-CA".to_owned()), "{after:?}");
}

#[test]
fn what_is_not_pinned_or_cannot_be_is_refused() {
    let check = |recipe: Recipe, rebuild: &Rebuild, expected: &str| {
        let told = try_it(&recipe, rebuild).unwrap_err().to_string();
        assert_eq!(told, expected);
    };
    let missing = "failed to find a pin of `ghost` in the meta-package";
    check(wms(), &pinned(&[("ghost", "1-1")]), missing);
    check(wms(), &without("ghost"), missing);
    check(wms(), &pinned(&[("lcg-CA", "1-1")]), "failed to find a pin of `lcg-CA` in the meta-package");
    let rich = "failed to change the pin of `voms`: the meta-package requires `(voms(x86-64) >= 2 if other)`, a rich dependency";
    let with_rich = || wms().requires("(voms(x86-64) >= 2 if other)");
    check(with_rich(), &pinned(&[("voms", "2-1")]), rich);
    check(with_rich(), &without("voms"), rich);
    assert!(try_it(&with_rich(), &pinned(&[("cabi", "2-1")])).is_ok(), "it does not speak of that");
    let capped = "failed to pin `cabi` to `3-1`: the meta-package also requires `cabi < 2`";
    check(wms().requires("cabi < 2"), &pinned(&[("cabi", "3-1")]), capped);
    assert!(try_it(&wms().requires("cabi < 2"), &pinned(&[("cabi", "1.9-1")])).is_ok());
    let files = "failed to take the package for a meta-package: it brings files that are no documentation";
    check(wms().file("/etc/wms", ""), &asked(), files);
    let allowed = Rebuild { files_allowed: true, ..asked() };
    assert!(try_it(&wms().file("/etc/wms", ""), &allowed).is_ok());
}

#[test]
fn a_new_release_reaches_every_place_that_carries_it() {
    let recipe =
        wms().provides("config(glite-WMS) = 3.2.1-4.sl5").requires("config(glite-WMS) = 3.2.1-4.sl5");
    let recipe = recipe.provides("wms-low <= 3.2.1-4.sl5").requires("twin = 3.2.1-4.sl5");
    for (recipe, epoch) in
        [(recipe.clone(), ""), (Recipe { provides: vec![], ..recipe.clone() }.epoch(2), "2:")]
    {
        let head = made(&recipe, &raised("5.sl5"));
        let wanted = Nevra { evr: format!("{epoch}3.2.1-5.sl5").parse().unwrap(), ..recipe.nevra() };
        assert_eq!(head.nevra().unwrap(), wanted);
        assert_eq!(head.numbers_of(Field::BuildTime), [NOW]);
        let provides = listed(&head, PROVIDES);
        for name in ["glite-WMS", "glite-WMS(x86-64)"] {
            assert!(provides.contains(&format!("{name} = {epoch}3.2.1-5.sl5")), "{provides:?}");
        }
        if epoch.is_empty() {
            for row in [
                "config(glite-WMS) = 3.2.1-5.sl5",
                "wms = 3.2.1-5.sl5",
                "wms-api = 3.2.1",
                "wms-low <= 3.2.1-4.sl5",
            ] {
                assert!(provides.contains(&row.to_owned()), "{provides:?}");
            }
            let requires = listed(&head, REQUIRES);
            for row in ["config(glite-WMS) = 3.2.1-5.sl5", "twin = 3.2.1-4.sl5", "lcg-CA"] {
                assert!(requires.contains(&row.to_owned()), "{requires:?}");
            }
        }
    }
    let bytes = try_it(&wms(), &raised("5.sl5")).unwrap();
    assert!(bytes[10..].starts_with(b"glite-WMS-3.2.1-5.sl5\0"), "the lead has the name, too");
}

#[test]
fn a_change_goes_on_top_at_noon() {
    let change = Change { who: "Ann <ann@example.org>".into(), text: "- voms 2.0.9\n- cabi 2\n".into() };
    let rebuild = Rebuild { change: Some(change), ..raised("5.sl5") };
    let check = |recipe: &Recipe, epoch: &str, before: usize| {
        let head = made(recipe, &rebuild);
        let [names, texts] =
            [Field::ChangelogNames, Field::ChangelogTexts].map(|field| head.texts_of(field).unwrap());
        let times = head.numbers_of(Field::ChangelogTimes);
        assert_eq!((times.len(), names.len(), texts.len()), (before + 1, before + 1, before + 1));
        assert_eq!(times[0], 1_399_982_400);
        assert_eq!(names[0], format!("Ann <ann@example.org> - {epoch}3.2.1-5.sl5"));
        assert_eq!(texts[0], "- voms 2.0.9\n- cabi 2");
        assert!(names[1..].iter().all(|name| *name == "Bob"));
    };
    check(&wms(), "", 0);
    check(&wms().epoch(2), "2:", 0);
    check(&wms().epoch(0).change(9, "Bob", "- old").change(5, "Bob", "- older"), "0:", 2);
}

#[test]
fn texts_that_no_rpm_can_hold_are_refused() {
    let change = |who: &str, text: &str| Rebuild {
        change: Some(Change { who: who.into(), text: text.into() }),
        ..asked()
    };
    for rebuild in [
        raised(""),
        raised("5-1"),
        raised("5 1"),
        raised("5\n"),
        raised("5:1"),
        raised("5/1"),
        raised("ü"),
        change("", "x"),
        change("Ann", " "),
        change("Ann\nBob", "x"),
        change("Ann", "x\u{1b}[0m"),
        change("Ann", "x\0"),
        change("A\u{85}nn", "x"),
    ] {
        let told = try_it(&wms(), &rebuild).unwrap_err();
        assert!(matches!(told, RebuildError::Text { .. }), "{told}");
    }
}

#[test]
fn nothing_else_changes() {
    let rpm = wms().build();
    let only_time = try_it(&wms(), &asked()).unwrap();
    assert_eq!(rpm.len(), only_time.len());
    let start = read_head(&mut rpm.as_slice()).unwrap().header_range().start as usize;
    let differing = rpm[start..].iter().zip(&only_time[start..]).filter(|(one, other)| one != other).count();
    assert!(
        (1..=4).contains(&differing),
        "{differing} bytes of header and payload differ, the build time has four"
    );
    let there_and_back = |rebuild: &Rebuild, bytes: &[u8]| {
        let mut payload = bytes;
        let head = read_head(&mut payload).unwrap();
        rebuilt(&head, payload, rebuild).unwrap()
    };
    let there = there_and_back(
        &Rebuild { release: Some("5.sl5".into()), ..pinned(&[("voms", "2.0.9-1.el5")]) },
        &rpm,
    );
    let back = there_and_back(
        &Rebuild { release: Some("4.sl5".into()), ..pinned(&[("voms", "2.0.8-1.el5")]) },
        &there,
    );
    assert_eq!(back, only_time);
}

#[test]
fn damaged_packages_are_refused_or_rebuilt_and_never_a_panic() {
    let rpm = wms().build();
    let end = read_head(&mut rpm.as_slice()).unwrap().header_range().end as usize;
    let rebuild = Rebuild {
        change: Some(Change { who: "Ann".into(), text: "- x".into() }),
        release: Some("5".into()),
        ..pinned(&[("voms", "2.0.9-1.el5")])
    };
    let (mut seed, mut read) = (5_u32, 0);
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    for _ in 0..5000 {
        let mut rpm = rpm.clone();
        for _ in 0..=random(3) {
            rpm[96 + random(end - 96)] = random(256) as u8;
        }
        let mut payload = rpm.as_slice();
        let Ok(head) = read_head(&mut payload) else { continue };
        read += 1;
        let _ = (pins_of(&head), substance_of(&head), rebuilt(&head, payload, &rebuild));
    }
    assert!(read > 200, "only {read} got so far");
}
