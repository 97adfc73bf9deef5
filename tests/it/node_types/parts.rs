//! Partial release, as hosts see it that draw from production alone or from delta as well, and what follows it.

use repo::Recipe;
use serde_json::Value;

use super::{Bench, CLIENTS, COMPONENTS, Machine, NODE_TYPES, is_node_type, promote, recipes};

const RAISED: &str = "partial_release = \"raised\"\n";
const ALL: [&str; 5] = ["glite-UI", "glite-WN", "glite-SE", "glite-BDII", "glite-SITE"];

fn part(packages: &[&str], how: &str) -> String {
    format!("{}\npartial = \"{how}\"", promote(packages))
}

/// The hosts of one test: of either client, of either kind.
struct Hosts {
    production: Vec<Machine>,
    early: Vec<Machine>,
    number: usize,
}

impl Hosts {
    /// Puts the first bundle into production and the second into delta, and hosts on either.
    fn new(bench: &mut Bench, types: &[&str]) -> Hosts {
        bench.bundle(1);
        bench.everything_moves(&[]);
        let of = |name: &str| -> Vec<Machine> {
            let one = |client| Machine::new(bench, name, client, &["production"], types);
            CLIENTS.into_iter().map(one).collect()
        };
        let (production, early) = (of("production"), of("early"));
        for machine in production.iter().chain(&early) {
            let ran = machine.install();
            machine.has(&|_| "1-1", &ran);
        }
        bench.bundle(2);
        for machine in &early {
            machine.enable(bench, "delta");
            let ran = machine.update();
            machine.has(&|_| "2-1", &ran);
        }
        Hosts { production, early, number: 0 }
    }

    /// Everybody runs a plain update, and somebody new comes.
    #[track_caller]
    fn update(
        &mut self,
        bench: &Bench,
        production: &dyn Fn(&str) -> &'static str,
        early: &dyn Fn(&str) -> &'static str,
        new: &[&dyn Fn(&str) -> &'static str],
    ) {
        self.number += 1;
        for (machines, stages, evr) in [
            (&self.production, &["production"][..], production),
            (&self.early, &["production", "delta"], early),
        ] {
            for machine in machines {
                let ran = machine.update();
                machine.has(evr, &ran);
                let name = format!("fresh-{}-{}", self.number, stages.len());
                let wanted: Vec<&str> = machine.wanted.iter().map(String::as_str).collect();
                let fresh = Machine::new(bench, &name, machine.client, stages, &wanted);
                let ran = fresh.install();
                match stages.len() {
                    1 => fresh.has(evr, &ran),
                    _ => fresh.has_one_of(new, &ran),
                }
            }
        }
    }
}

/// Those of them that no other pins by its release: what pins a variant goes on pinning its name when that rises.
const ALONE: [&str; 4] = ["glite-UI", "glite-WN", "glite-SE", "glite-BDII"];

/// Everything else follows.
#[track_caller]
fn rest(bench: &mut Bench, gone: &[&str]) -> Value {
    let names = NODE_TYPES.iter().map(|(name, _)| *name).chain(COMPONENTS);
    let names: Vec<&str> = names.filter(|name| !gone.contains(name)).collect();
    bench.done(&promote(&names))
}

/// What is in production once voms was released alone, its node types called `part`.
fn in_part(name: &str, part: &'static str) -> &'static str {
    match name {
        "voms" | "glite-BDII" => "2-1",
        name if is_node_type(name) => part,
        _ => "1-1",
    }
}

fn whole(name: &str, raised: &'static str) -> &'static str {
    match name {
        "glite-BDII" | "glite-FTS" => "2-1",
        name if is_node_type(name) => raised,
        _ => "2-1",
    }
}

#[test]
fn a_raised_part_loses_nothing_and_the_rest_follows() {
    let mut bench = Bench::new(RAISED);
    let mut hosts = Hosts::new(&mut bench, &ALL);
    let answer = bench.done(&part(&["voms"], "target"));
    assert!(answer["node_types"].as_array().is_some_and(|all| all.len() == 8), "{answer:#}");
    let all = |name: &str| whole(name, "2-1.2");
    hosts.update(&bench, &|name| in_part(name, "2-1.1"), &all, &[&all]);
    rest(&mut bench, &["voms", "glite-BDII"]);
    hosts.update(&bench, &all, &all, &[&all]);
    bench.bundle(3);
    bench.everything_moves(&[]);
    hosts.update(&bench, &|_| "3-1", &|_| "3-1", &[&|_| "3-1"]);
    bench.sound();
}

/// Two people decide on every name of which a refusal tells, and then what was refused is done.
#[track_caller]
fn decided(bench: &mut Bench, request: &str) -> (Value, usize) {
    let mut names = 0;
    loop {
        let answer = bench.ask(request);
        if answer["code"] != "variant-undecided" {
            assert_eq!(answer["code"], "done", "{answer:#}");
            return (answer, names);
        }
        let hint = answer["hint"].as_str().unwrap();
        let command = hint.split("`sluice variant ").nth(1).unwrap_or_else(|| panic!("no command: {hint}"));
        let words: Vec<&str> = command.split(' ').collect();
        let [package, one, other] = words[..3] else { panic!("{hint}") };
        for who in ["rita", "olga"] {
            let said = format!(
                "action = \"variant\"\nproduct = \"glite\"\npackage = \"{package}\"\ndigests = [\"{one}\", \"{other}\"]\n\
                 reason = \"the rest is not ready\""
            );
            let answer = bench.ask_as(who, &said);
            assert_eq!(answer["code"], "done", "{answer:#}");
        }
        names += 1;
        assert!(names < 10, "{answer:#}");
    }
}

/// What hosts have that had the whole bundle before.
fn early(_: &str) -> &'static str {
    "2-1"
}

#[test]
fn a_variant_takes_two_people_and_what_follows_rises_by_itself() {
    let mut bench = Bench::new("");
    let mut hosts = Hosts::new(&mut bench, &ALONE);
    let request = part(&["voms"], "target");
    let refusal = bench.refused(&request, "variant-undecided");
    assert_eq!(refusal["reasons"].as_array().unwrap().len(), 3, "{refusal:#}");
    let (answer, names) = decided(&mut bench, &request);
    assert_eq!(names, 3, "{answer:#}");
    // A new host that draws from both takes one file of a name or the other, dnf and zypper not the same one: why it takes
    // two people.
    let part = |name: &str| in_part(name, "2-1");
    hosts.update(&bench, &part, &early, &[&part, &early]);
    rest(&mut bench, &["voms", "glite-BDII", "glite-SITE"]);
    let all = |name: &str| whole(name, "2-1.1");
    hosts.update(&bench, &all, &all, &[&all]);
    bench.sound();
}

#[test]
fn a_variant_that_both_stages_list_is_one_file_that_every_fresh_host_takes() {
    let mut bench = Bench::new("");
    let mut hosts = Hosts::new(&mut bench, &ALL);
    let (answer, names) = decided(&mut bench, &part(&["voms"], "both"));
    assert_eq!(names, 3, "{answer:#}");
    // Whoever had the bundle keeps it: there is nothing newer; whoever comes new has what is released.
    let part = |name: &str| in_part(name, "2-1");
    hosts.update(&bench, &part, &early, &[&part]);
    bench.bundle(3);
    let names: Vec<String> = recipes(3).iter().map(Recipe::file_name).collect();
    let names: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".rpm")).collect();
    bench.done(&promote(&names));
    hosts.update(&bench, &|_| "3-1", &|_| "3-1", &[&|_| "3-1"]);
    bench.sound();
}
