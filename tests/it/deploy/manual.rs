//! Manual pages and completions, read by man, mandoc and bash.

use std::collections::BTreeSet;
use std::fs;

use testkit::{Sandbox, program, run, sluice};

/// The verbs of `sluice --help`.
fn verbs() -> BTreeSet<String> {
    let help = run(program(sluice().as_str()).arg("--help")).ok().stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let verb = |line: &str| {
        let rest = line.strip_prefix("  ")?;
        (!rest.starts_with(' ')).then(|| rest.split(' ').next().unwrap_or_default().to_owned())
    };
    listed.filter_map(verb).collect()
}

#[test]
fn every_verb_has_a_page_without_a_fault() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("man");
    run(program(sluice().as_str()).args(["generate", "man"]).arg(&folder)).ok();
    let pages: BTreeSet<String> =
        folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    let verbs = verbs();
    assert!(verbs.len() > 10, "{verbs:?}");
    for verb in &verbs {
        assert!(pages.contains(&format!("sluice-{verb}.1")), "no page for `{verb}`: {pages:?}");
    }
    assert!(pages.contains("sluice.1") && !pages.contains("sluice-generate.1"), "{pages:?}");
    for page in &pages {
        let file = folder.join(page);
        // Only the date is missing, on purpose.
        let lint = run(program("mandoc").args(["-T", "lint", "-W", "warning"]).arg(&file));
        let said = format!("{}{}", lint.stdout, lint.stderr);
        let faults: Vec<_> = said.lines().filter(|line| !line.contains("missing date")).collect();
        assert!(faults.is_empty(), "{faults:#?}");
        let shown = run(program("mandoc").args(["-T", "html"]).arg(&file)).ok().stdout;
        let name = page.trim_end_matches(".1");
        assert!(shown.contains(name.rsplit('-').next().unwrap()) && shown.contains("SYNOPSIS"), "{shown}");
    }
}

#[test]
fn shells_complete_the_verbs() {
    let sandbox = Sandbox::new();
    let generate = |shell: &str| {
        let text = run(program(sluice().as_str()).args(["generate", "completions", shell])).ok().stdout;
        sandbox.file(shell, text)
    };
    for shell in ["zsh", "fish"] {
        let text = fs::read_to_string(generate(shell)).unwrap();
        assert!(verbs().iter().all(|verb| text.contains(verb.as_str())), "{shell}: {text}");
    }
    let script = "source \"$0\"; COMP_WORDS=(sluice pro); COMP_CWORD=1; _sluice sluice pro sluice; echo \"${COMPREPLY[*]}\"";
    let completed = run(program("bash").args(["-c", script]).arg(generate("bash"))).ok();
    assert_eq!(completed.stdout, "promote\n", "{completed}");
}
