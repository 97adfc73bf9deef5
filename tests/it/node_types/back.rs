//! Roll-back, as hosts see it that have one node type, or several, or none.

use repo::Recipe;

use super::{Bench, CLIENTS, Machine, is_node_type, rollback};

/// Beside what each stage is judged, as hosts draw from them.
const CLOSURES: &str = "[[product.stage]]\nname = \"delta\"\nclosure = [\"production\"]\n\
                        [[product.stage]]\nname = \"production\"\nclosure = []\n";

const BOTH: [&str; 2] = ["production", "delta"];

/// What a host is called, what it has, and what it runs of what it is told: the line of each of its node types, or that of
/// all others.
type Told<'a> = (&'a str, &'a [&'a str], &'a [Option<&'a str>]);

const HOSTS: [Told<'_>; 8] = [
    ("one", &["glite-UI"], &[Some("glite-UI")]),
    ("two", &["glite-UI", "glite-WN"], &[Some("glite-UI"), Some("glite-WN")]),
    ("two-by-one", &["glite-WN", "glite-BDII"], &[Some("glite-BDII")]),
    (
        "four",
        &["glite-UI", "glite-WN", "glite-SE", "glite-BDII"],
        &[Some("glite-UI"), Some("glite-WN"), Some("glite-SE"), Some("glite-BDII")],
    ),
    ("four-by-all", &["glite-UI", "glite-WN", "glite-SE", "glite-BDII"], &[None]),
    ("site", &["glite-SITE"], &[Some("glite-SITE")]),
    ("bare", &["voms"], &[None]),
    ("unconcerned", &["glite-FTS"], &[None]),
];

fn rolled_back(name: &str) -> &'static str {
    match name {
        "voms" => "1-1",
        "glite-FTS" => "2-1",
        name if is_node_type(name) => "2-1.1",
        _ => "2-1",
    }
}

#[test]
fn hosts_go_back_with_what_they_are_told_and_forward_again_with_a_plain_update() {
    for client in CLIENTS {
        let mut bench = Bench::new(CLOSURES);
        bench.bundle(1);
        bench.everything_moves(&[]);
        let mut machines: Vec<_> = HOSTS
            .iter()
            .map(|(name, types, told)| (Machine::new(&bench, name, client, &["production"], types), *told))
            .collect();
        let production =
            Machine::new(&bench, "production", client, &["production"], &["glite-UI", "glite-SITE"]);
        for machine in machines.iter().map(|(machine, _)| machine).chain([&production]) {
            let ran = machine.install();
            machine.has(&|_| "1-1", &ran);
        }
        bench.bundle(2);
        for (machine, _) in &machines {
            machine.enable(&bench, "delta");
            let ran = machine.update();
            machine.has(&|_| "2-1", &ran);
        }

        let answer = bench.done(&rollback(&["voms"]));
        assert_eq!(answer["node_types"].as_array().unwrap().len(), 5, "{answer:#}");
        for (machine, told) in &machines {
            let mut ran = None;
            for node_type in *told {
                ran = Some(machine.told(&answer, *node_type));
            }
            machine.has(&rolled_back, &ran.unwrap());
        }
        let ran = production.update();
        production.has(&|_| "1-1", &ran);
        for (name, types) in
            [("fresh-one", &["glite-UI"][..]), ("fresh-site", &["glite-SITE", "glite-SE", "glite-FTS"])]
        {
            let fresh = Machine::new(&bench, name, client, &BOTH, types);
            let ran = fresh.install();
            fresh.has(&rolled_back, &ran);
            machines.push((fresh, &[]));
        }

        bench.bundle(3);
        for (machine, _) in &machines {
            let ran = machine.update();
            machine.has(&|_| "3-1", &ran);
        }
        let ran = production.update();
        production.has(&|_| "1-1", &ran);
        println!("{client:?}: {} hosts went back and forward", machines.len());
        bench.sound();
    }
}

#[test]
fn what_production_has_already_goes_no_further_back_and_a_second_roll_back_rises_again() {
    let mut bench = Bench::new("");
    bench.bundle(1);
    bench.everything_moves(&[]);
    bench.bundle(2);
    let machines =
        CLIENTS.map(|client| Machine::new(&bench, "twice", client, &BOTH, &["glite-UI", "glite-SITE"]));
    for machine in &machines {
        let ran = machine.install();
        machine.has(&|_| "2-1", &ran);
    }
    for rejected in ["voms", "wms"] {
        let answer = bench.done(&rollback(&[rejected]));
        for machine in &machines {
            let ran = machine.told(&answer, Some("glite-SITE"));
            let evr = |name: &str| match (name, rejected) {
                ("voms", _) | ("wms", "wms") => "1-1",
                (name, "voms") if is_node_type(name) => "2-1.1",
                (name, _) if is_node_type(name) => "2-1.2",
                _ => "2-1",
            };
            machine.has(&evr, &ran);
        }
    }
    bench.sound();
}

#[test]
fn what_somebody_named_goes_back_whatever_files_it_has() {
    let of_product = format!("{CLOSURES}meta_packages = [\"glite-TOOL\"]\n")
        .replace("name = \"delta\"", "name = \"delta\"\nmeta_packages = [\"glite-TOOL\"]");
    let mut bench = Bench::new(&of_product);
    let tool = |version: &str| {
        let recipe = Recipe::new("glite-TOOL", version, "1").requires(&format!("voms = {version}-1"));
        let recipe = recipe.file("/usr/share/tool/it", version);
        (recipe.file_name(), recipe.build())
    };
    bench.bundle(1);
    bench.import("glite", "delta", &[tool("1")]);
    bench.everything_moves(&[]);
    bench.done(&super::promote(&["glite-TOOL"]));
    bench.bundle(2);
    bench.import("glite", "delta", &[tool("2")]);
    let hosts = CLIENTS.map(|client| Machine::new(&bench, "tool", client, &BOTH, &["glite-TOOL"]));
    for machine in &hosts {
        machine.install().ok();
    }
    let answer = bench.done(&rollback(&["voms"]));
    for machine in &hosts {
        let ran = machine.told(&answer, Some("glite-TOOL"));
        let expected = ["glite-TOOL-2-1.1", "voms-1-1"].map(String::from).into();
        assert_eq!(machine.installed(), expected, "{ran}");
        let file = machine.host.root().join("usr/share/tool/it");
        assert_eq!(std::fs::read_to_string(file).unwrap(), "2");
        machine.is_whole();
    }
    bench.sound();
}
