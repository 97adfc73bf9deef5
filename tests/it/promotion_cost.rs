//! What one promotion costs, against what everybody runs today.

use std::fs;

use camino::Utf8Path;
use repo::{Recipe, Repomd};
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
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // Behind the name, which may hold anything, user and system time are the 12th and 13th field.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
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

/// How many packages are imported at once.
const BATCH: usize = 1_000;

/// The base system: packages that need each other, with files, as metadata alone.
fn write_context(folder: &Utf8Path, count: usize) {
    let packages = (0..count).map(|number| {
        let name = format!("base-{number:05}");
        let mut recipe =
            Recipe::new(&*name, "1", "1").arch("x86_64").provides(&format!("lib{name}.so.1()(64bit)"));
        for file in 0..20 {
            recipe = recipe.file(&format!("/usr/share/{name}/{file}"), "");
        }
        for other in 1..5 {
            recipe = recipe.requires(&format!("libbase-{:05}.so.1()(64bit)", number / (other + 1)));
        }
        let bytes = recipe.build();
        let head = repo::read_head(&mut &bytes[..]).unwrap();
        let facts = repo::FileFacts {
            href: recipe.file_name(),
            digest: repo::sha256(&bytes).into(),
            size: bytes.len() as u64,
            mtime: 1,
        };
        repo::entry_of(&repo::package_of(&head, facts).unwrap())
    });
    let entries: Vec<repo::Entry> = packages.collect();
    let metadata = repo::write_metadata_in(&repo::Form::default(), &entries, 1, &Repomd::new("1"), &[]);
    fs::create_dir_all(folder.join("repodata")).unwrap();
    for (name, bytes) in metadata.files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    fs::write(folder.join("repodata/repomd.xml"), metadata.repomd).unwrap();
}

#[test]
fn all_gates_of_ten_packages_cost_what_ten_packages_cost() {
    let is_thorough = std::env::var_os("SLUICE_THOROUGH").is_some();
    let (production, context) = if is_thorough { (10_000, 20_000) } else { (500, 1_000) };
    let sandbox = Sandbox::new();
    let base = sandbox.folder("base");
    write_context(&base, context);
    for number in 0..production {
        let folder = sandbox.folder(&format!("packages-{}", number / BATCH));
        let recipe = package_in(number, "1.0", production)
            .requires(&format!("libbase-{:05}.so.1()(64bit)", number % 300));
        fs::write(folder.join(recipe.file_name()), recipe.build()).unwrap();
    }
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    let ask = |stem: &str, body: &str| {
        site.drop_request(
            &format!("{stem}.toml"),
            &format!("format = 1\nproduct = \"glite\"\n{body}\n[end]\n"),
        );
        site.answer(stem)
    };
    for batch in 0..production.div_ceil(BATCH) {
        let folder = sandbox.path(&format!("packages-{batch}"));
        let answer = ask(
            &format!("batch-{batch}"),
            &format!("action = \"import\"\nto = \"production\"\nfolder = \"{folder}\""),
        );
        assert_eq!(answer["code"], "done", "{answer:#}");
    }
    for (stem, first) in [("one", 100), ("two", 200)] {
        let files: Vec<String> = (first..first + 10)
            .map(|number| {
                // What pins the old version stays whole: the new one provides it, too.
                let recipe =
                    package_in(number, "2.0", production).provides(&format!("component-{number:04} = 1.0-1"));
                site.upload(&recipe.file_name(), &recipe.build())
            })
            .collect();
        let meta = Recipe::new(format!("glite-{stem}"), "1", "1");
        let meta = (first..first + 10)
            .fold(meta, |meta, number| meta.requires(&format!("component-{number:04} = 2.0-1")));
        let meta = site.upload(&meta.file_name(), &meta.build());
        let answer = ask(
            stem,
            &format!("action = \"import\"\nto = \"delta\"\nfiles = {:?}", [files, vec![meta]].concat()),
        );
        assert_eq!(answer["code"], "done", "{answer:#}");
    }
    daemon.stop();
    // Now everything is judged.
    let text = fs::read_to_string(site.config()).unwrap();
    let judged = format!("[[context]]\nname = \"base\"\nfolder = \"{base}\"\n");
    let stage = "[[product.stage]]\nname = \"production\"\nclosure = [\"base\"]\n";
    fs::write(site.config(), format!("{text}{stage}{judged}")).unwrap();
    let daemon = site.start();
    let measured = |stem: &str, packages: &str, dry: &str| {
        // What the request before left to do after its answer is not counted here.
        assert_eq!(ask(&format!("before-{stem}"), "action = \"nonsense\"")["code"], "unknown-action");
        let before = ticks(daemon.process());
        let answer = ask(
            stem,
            &format!(
                "action = \"promote\"\nfrom = \"delta\"\nto = \"production\"\npackages = {packages}\n{dry}"
            ),
        );
        let used = ticks(daemon.process()) - before;
        let judged = answer["gates"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|gate| ["closure", "meta-packages"].contains(&gate["gate"].as_str().unwrap()));
        assert!(
            judged.clone().count() == 2 && judged.clone().all(|gate| gate["verdict"] == "pass"),
            "{answer:#}"
        );
        used
    };
    let of = |first: usize, meta: &str| {
        let names: Vec<String> = (first..first + 10).map(|number| format!("component-{number:04}")).collect();
        format!("{:?}", [names, vec![format!("glite-{meta}")]].concat())
    };
    let (one, two) = (of(100, "one"), of(200, "two"));
    let dry = "dry_run = true";
    let cold = measured("cold", &one, dry);
    let warm = measured("warm", &one, dry);
    let done = measured("done", &one, "");
    let next = measured("next", &two, dry);
    println!(
        "all gates of 10 packages and a meta-package into {production} beside {context}, in ticks of 10 ms: cold {cold}, \
         warm {warm}, with the commit {done}, the next 10 after it {next}"
    );
    // What was indexed is not indexed again. A slice is so small that ticks and other work of the machine count.
    let enough = if is_thorough { cold } else { 2 * cold + 10 };
    assert!(warm <= cold / 2 + 5 && next <= enough, "cold {cold}, warm {warm}, next {next}");
}
