//! What is offered, whenever it was built: of a meta-package that is built anew the second of the claim is part, and
//! each case of a sweep has its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use metapackage::{Pin, pins_of};
use nevra::{Nevra, Sense};
use repo::{Field, Head, Values, read_head};

/// The second at which every package here was built that people bring.
pub const BROUGHT: i64 = 1_700_000_000;

/// A package of which two of one name are equal that differ in nothing but when they were built.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timeless {
    pub nevra: String,
    /// The beginning of its digest, as if it were built in the first second there was.
    pub digest: String,
    /// What it pins.
    pub pins: Vec<String>,
}

/// What every repository lists, by name.
pub type Offered = BTreeMap<String, BTreeSet<Timeless>>;

impl Timeless {
    /// Reads one.
    pub fn of(rpm: &[u8]) -> Result<Timeless, String> {
        let mut payload = rpm;
        let head = read_head(&mut payload).map_err(|error| error.to_string())?;
        let zero = |field| Values::Numbers(vec![0; head.numbers_of(field).len()]);
        let times = [Field::BuildTime, Field::ChangelogTimes].map(|field| (field, zero(field)));
        let bytes = head.edited(&times.into(), payload).map_err(|error| error.to_string())?;
        let nevra = head.nevra().map_err(|error| error.to_string())?.to_string();
        let pins = exact(&head)?.iter().map(Pin::to_string).collect();
        Ok(Timeless { nevra, digest: repo::sha256(&bytes).short().to_owned(), pins })
    }
}

impl fmt::Debug for Timeless {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.nevra, self.digest)?;
        if self.pins.is_empty() { Ok(()) } else { write!(out, " ({})", self.pins.join(", ")) }
    }
}

/// The pins that no other version meets.
fn exact(head: &Head) -> Result<Vec<Pin>, String> {
    let mut pins = pins_of(head).map_err(|error| error.to_string())?;
    pins.retain(|pin| pin.bound.sense == Sense::Equal);
    Ok(pins)
}

/// When a package was built.
pub fn built(rpm: &[u8]) -> Result<i64, String> {
    let head = read_head(&mut &*rpm).map_err(|error| error.to_string())?;
    let time = head.numbers_of(Field::BuildTime).first().copied();
    time.map(i64::from).ok_or_else(|| "it does not say when it was built".to_owned())
}

/// What no host may ever be offered, whatever was asked for: a pin that nothing beside it meets, and two releases of one
/// meta-package. `leads_to` gives the repository that hosts of one draw from as well.
pub fn wrong_with_pins(offered: &Offered, leads_to: impl Fn(&str) -> String) -> Vec<String> {
    let mut wrong = Vec::new();
    for (repository, packages) in offered {
        let further = offered.get(&leads_to(repository)).into_iter().flatten();
        let named: BTreeSet<String> =
            packages.iter().chain(further).map(|package| without_architecture(&package.nevra)).collect();
        let mut versions = BTreeSet::new();
        for package in packages.iter().filter(|package| !package.pins.is_empty()) {
            for pin in &package.pins {
                if !named.contains(&pin.replace(" = ", "-")) {
                    wrong.push(format!(
                        "{repository}: `{}` pins `{pin}`, which nothing offers",
                        package.nevra
                    ));
                }
            }
            let Nevra { name, evr, .. } = package.nevra.parse().expect("it was written from one");
            if !versions.insert((name, evr.version)) {
                wrong.push(format!("{repository}: `{}` is beside another release of it", package.nevra));
            }
        }
    }
    wrong
}

fn without_architecture(nevra: &str) -> String {
    nevra.rsplit_once('.').map_or(nevra, |(rest, _)| rest).to_owned()
}

#[test]
fn two_builds_of_one_recipe_differ_in_nothing_but_their_second() {
    let ui = |requires: &str| repo::Recipe::new("ui", "2", "1").requires(requires).build_time(7);
    let (one, other) = (ui("voms = 2-1").build(), ui("voms = 2-1").build_time(8).build());
    assert_ne!(one, other);
    assert_eq!(Timeless::of(&one), Timeless::of(&other));
    assert_eq!((built(&one), built(&other)), (Ok(7), Ok(8)));
    assert_ne!(Timeless::of(&one), Timeless::of(&ui("voms = 1-1").build()));
    assert_ne!(Timeless::of(&one), Timeless::of(&ui("voms = 2-1").requires("lcg").build()));
}

#[test]
fn a_pin_that_nothing_meets_and_two_releases_are_told() {
    let of = |recipe: &repo::Recipe| Timeless::of(&recipe.build()).unwrap();
    let voms = of(&repo::Recipe::new("voms", "1", "1"));
    let ui = |release: &str, pin: &str| of(&repo::Recipe::new("ui", "2", release).requires(pin));
    let told = |delta: &[&Timeless], production: &[&Timeless]| {
        let all = [("delta", delta), ("production", production)];
        let all = all.map(|(name, list)| (name.to_owned(), list.iter().copied().cloned().collect()));
        wrong_with_pins(&all.into(), |name| name.replace("delta", "production"))
    };
    let (back, old) = (ui("1.1", "voms = 1-1"), ui("1", "voms = 2-1"));
    assert_eq!(told(&[&back], &[&voms]), Vec::<String>::new());
    assert_eq!(
        told(&[&voms], &[&back]),
        ["production: `ui-2-1.1.noarch` pins `voms = 1-1`, which nothing offers"]
    );
    assert_eq!(told(&[&voms, &old], &[]), ["delta: `ui-2-1.noarch` pins `voms = 2-1`, which nothing offers"]);
    let both = told(&[&back, &ui("1", "voms = 1-1")], &[&voms]);
    assert_eq!(both, ["delta: `ui-2-1.noarch` is beside another release of it"]);
}
