//! What one promotion costs, against what everybody runs today.

mod all_gates;

use std::fs;

use camino::Utf8Path;
use repo::Recipe;
use testkit::{Sandbox, Site, createrepo_c, program};

const PACKAGES: usize = 2_000;

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

/// A package as large distributions have them: some files, some dependencies, some history.
fn package(number: usize) -> Recipe {
    package_in(number, "1.0", PACKAGES)
}

/// The same in another version and among so many others.
fn package_in(number: usize, version: &str, packages: usize) -> Recipe {
    let name = format!("component-{number:04}");
    let mut recipe = Recipe::new(&*name, version, "1").arch("x86_64").summary("A component of the cost test");
    for file in 0..12 {
        recipe = recipe.file(&format!("/usr/share/{name}/file-{file:02}"), format!("{name} {file}"));
    }
    for other in 1..6 {
        recipe = recipe.requires(&format!("component-{:04} = 1.0-1", (number + other * 37) % packages));
    }
    for change in 1..6 {
        recipe = recipe.change(
            1_600_000_000 + change * 86_400,
            "Somebody <somebody@example.org>",
            "- changed something",
        );
    }
    recipe
}

/// The processor time a process has used, in clock ticks.
fn ticks(process: u32) -> u64 {
    let fields = stat(&process.to_string()).unwrap();
    // Behind the name user and system time are the 12th and 13th field.
    fields[11] + fields[12]
}

/// The same with all that the processes which it started have used, those that ended and those that run.
fn ticks_with_children(process: u32) -> u64 {
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let all = processes.filter_map(|name| Some((name.to_str()?.parse::<u32>().ok()?, stat(name.to_str()?)?)));
    // The second field is the parent; behind the own time stands that of children that were waited for.
    let family = all.filter(|(number, fields)| *number == process || fields[1] == u64::from(process));
    family.map(|(_, fields)| fields[11..15].iter().sum::<u64>()).sum()
}

/// What the kernel tells of a process, behind its name, which may hold anything; what is no number is 0.
fn stat(process: &str) -> Option<Vec<u64>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields = text.rsplit_once(')')?.1.split_whitespace();
    Some(fields.map(|field| field.parse().unwrap_or_default()).collect())
}

/// The processor time of one `createrepo_c --update` in clock ticks, taken from what the shell says of its child.
fn createrepo_ticks(folder: &Utf8Path) -> u64 {
    let script = format!("createrepo_c --update -q {folder} >/dev/null 2>&1; cat /proc/$$/stat");
    let out = program("sh").args(["-c", &script]).output().unwrap();
    let stat = String::from_utf8(out.stdout).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // The 14th and 15th: the children that were waited for.
    fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap()
}

#[test]
fn one_package_into_two_thousand_costs_no_more_than_createrepo_c_update() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("packages");
    for number in 0..PACKAGES {
        let recipe = package(number);
        fs::write(folder.join(recipe.file_name()), recipe.build()).unwrap();
    }
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    let import = format!(
        "format = 1\naction = \"import\"\nproduct = \"glite\"\nto = \"production\"\nfolder = \"{folder}\"\n[end]\n"
    );
    site.drop_request("all.toml", &import);
    assert_eq!(site.answer("all")["code"], "done");
    let one = Recipe::new("arriving", "1.0", "1").arch("x86_64").file("/usr/share/arriving", "here");
    let upload = site.upload(&one.file_name(), &one.build());
    let import = format!(
        "format = 1\naction = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = [\"{upload}\"]\n[end]\n"
    );
    site.drop_request("one.toml", &import);
    assert_eq!(site.answer("one")["code"], "done");

    let before = ticks(daemon.process());
    let promote = "format = 1\naction = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"arriving\"]\n[end]\n";
    site.drop_request("promote.toml", promote);
    assert_eq!(site.answer("promote")["code"], "done");
    let ours = ticks(daemon.process()) - before;
    daemon.stop();

    createrepo_c(&folder, &["-q"]).ok();
    fs::write(folder.join(one.file_name()), one.build()).unwrap();
    let theirs = createrepo_ticks(&folder);
    println!("one package into {PACKAGES}: {ours} ticks of processor time, createrepo_c --update {theirs}");
    assert!(theirs > 0 && ours <= theirs, "{ours} ticks against {theirs}");
}
