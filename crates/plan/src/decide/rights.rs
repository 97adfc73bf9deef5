//! Who may do what: every role, held for the site or for one product, against every action, route and product.
//!
//! The table says in words of its own what the configuration of the test means; nothing in it is computed from that.

use std::sync::Arc;

use crate::layout::{Approvals, Product, Route, Stage};
use crate::samples::{self, listed};
use crate::standing::{Agreement, Freeze, Variant, Waiver};
use crate::{
    Action, Advised, Asker, Code, Decision, Effected, Moves, Outcome, Recorded, Reference, Request, World,
    decide,
};

/// Who may, by action, product and place; `site:` in front of a role that counts only if it is held for the whole site.
const TABLE: &str = "
import       red   untested             : uploader
import       red   testing              : tester
import       red   production           : operator
import       blue  untested             : blue-team
import       blue  production           : blue-team
adopt        red   untested             : uploader
adopt        red   testing              : tester
adopt        red   production           : operator
adopt        blue  untested             : blue-team
adopt        blue  production           : blue-team
withdraw     red   untested             : uploader
withdraw     red   testing              : tester
withdraw     red   production           : operator
withdraw     blue  untested             : blue-team
withdraw     blue  production           : blue-team
advisory     red   untested             : uploader
advisory     red   testing              : tester
advisory     red   production           : operator
advisory     blue  untested             : blue-team
advisory     blue  production           : blue-team
end-advisory red   -                    : uploader tester operator
end-advisory blue  -                    : blue-team
import       green closed               :
withdraw     green closed               : operator
advisory     green closed               :
end-advisory green -                    : operator
rollback     red   untested             : uploader
rollback     red   testing              : tester
rollback     blue  production           : blue-team
revert       red   untested             : uploader
revert       red   testing              : tester
revert       red   production           : operator
revert       blue  untested             : blue-team
revert       blue  production           : blue-team
undo         red   untested             : uploader
undo         red   testing              : tester
undo         red   production           : operator
undo         red   untested-testing     :
undo         blue  untested             : blue-team
undo         blue  untested-production  : blue-team
promote      red   untested-testing     : tester verifier
promote      red   testing-production   : releaser
promote      blue  untested-production  : blue-team releaser
approve      red   untested-testing     :
approve      red   testing-production   : operator quality
approve      blue  untested-production  : blue-team
variant      red   -                    : operator quality
variant      blue  -                    :
end-variant  red   -                    : operator quality
waive        red   untested             :
waive        red   testing              : tester
waive        red   production           : operator
waive        blue  untested             :
waive        blue  production           : quality
end-waiver   red   testing              : tester
end-waiver   blue  production           : quality
freeze       red   -                    : operator
freeze       blue  -                    : blue-team
freeze       red   production           : operator
freeze       blue  production           : blue-team
thaw         red   -                    : operator
thaw         blue  -                    : blue-team
keep         -     -                    : uploader tester verifier operator releaser blue-team admin
sweep        -     -                    : site:admin
purge        -     -                    : site:admin
accept-clock -     -                    : site:admin
overlap      -     -                    :
resume       -     -                    :
config       -     -                    :
";

const ROLES: [&str; 9] = [
    "uploader",
    "tester",
    "verifier",
    "operator",
    "releaser",
    "quality",
    "blue-team",
    "admin",
    "nobody-knows",
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn stage(name: &str, import: &str, waiver: &[&str]) -> Stage {
    Stage {
        name: name.into(),
        path: "{product}/{os}/{arch}/{stage}".into(),
        import_roles: words(&[import]),
        waiver_roles: words(waiver),
        ..Stage::default()
    }
}

fn route(from: &str, to: &str, roles: &[&str], approvals: &[&str]) -> Route {
    let approvals = approvals.iter().map(|role| Approvals { role: (*role).into(), count: 1 });
    Route {
        from: from.into(),
        to: to.into(),
        roles: words(roles),
        approvals: approvals.collect(),
        ..Route::default()
    }
}

fn world() -> World {
    let mut world = samples::world();
    let red = Product {
        name: "red".into(),
        platforms: vec!["sl5/x86_64".parse().unwrap()],
        stages: vec![
            stage("untested", "uploader", &[]),
            stage("testing", "tester", &["tester"]),
            stage("production", "operator", &["operator"]),
        ],
        routes: vec![
            route("untested", "testing", &["tester", "verifier"], &[]),
            route("testing", "production", &["releaser"], &["operator", "quality"]),
        ],
        freeze_roles: words(&["operator"]),
        variant_roles: words(&["operator", "quality"]),
        ..Product::default()
    };
    let blue = Product {
        name: "blue".into(),
        platforms: vec!["sl5/x86_64".parse().unwrap()],
        stages: vec![stage("untested", "blue-team", &[]), stage("production", "blue-team", &["quality"])],
        routes: vec![route("untested", "production", &["blue-team", "releaser"], &["blue-team"])],
        freeze_roles: words(&["blue-team"]),
        variant_roles: words(&["blue-team"]),
        ..Product::default()
    };
    // Nobody puts anything into its stage but by a route, and yet something may be taken back there.
    let closed = Stage {
        import_roles: vec![],
        withdraw_roles: Some(words(&["operator"])),
        ..stage("closed", "nobody", &[])
    };
    let green = Product {
        name: "green".into(),
        platforms: vec!["sl5/x86_64".parse().unwrap()],
        stages: vec![closed],
        ..Product::default()
    };
    let layout = Arc::make_mut(&mut world.layout);
    layout.products = [red, blue, green].map(|product| (product.name.clone(), product)).into_iter().collect();
    world.repositories =
        world.layout.repositories().into_iter().map(|one| (one, vec![listed("a-1-1.x86_64")])).collect();
    let variant = Variant {
        id: "red".into(),
        product: "red".into(),
        package: "a-1-1.x86_64".parse().unwrap(),
        digests: [listed("a-1-1.x86_64").pkgid, listed("a-1-1.x86_64#other").pkgid],
        reason: "r".into(),
        agreed: vec![Agreement { by: "user:somebody-else".into(), roles: vec![], at: world.now }],
        decided_by: vec![],
    };
    world.standing.variants.insert(variant.id.clone(), variant);
    for (product, place) in [
        ("red", "untested"),
        ("red", "testing"),
        ("red", "production"),
        ("red", "untested-testing"),
        ("blue", "untested"),
        ("blue", "untested-production"),
    ] {
        let taken = |stage: &str| {
            let product = &world.layout.products[product];
            let repository = product.repository(&product.platforms[0], stage, crate::Kind::Binary);
            (repository, Moves { entered: vec![], left: vec![listed("b-1-1.x86_64")] })
        };
        let effect = Effected { moves: place.split('-').map(taken).collect(), ..Effected::default() };
        world.recorded.push(Recorded {
            claim: format!("{product}-{place}"),
            id: "r".into(),
            owner: "user:somebody-else".into(),
            action: "withdraw".into(),
            outcome: Outcome::Done,
            effect: Some(effect),
        });
    }
    for (product, stage) in [("red", "testing"), ("blue", "production")] {
        let waiver = Waiver {
            id: format!("{product}-{stage}"),
            product: product.into(),
            stage: stage.into(),
            gate: "soak".into(),
            packages: words(&["a"]),
            by: "user:somebody-else".into(),
            reason: "r".into(),
            until: world.now + jiff::SignedDuration::from_hours(1),
        };
        world.standing.waivers.insert(waiver.id.clone(), waiver);
        let freeze = Freeze {
            id: product.into(),
            product: Some(product.into()),
            stage: Some("nowhere".into()),
            by: "user:somebody-else".into(),
            reason: "r".into(),
            until: None,
        };
        world.standing.freezes.insert(freeze.id.clone(), freeze);
    }
    world
}

/// The request that a row of the table is about.
fn request(world: &World, action: &str, product: &str, place: &str) -> Request {
    let (from, to) = place.split_once('-').unwrap_or((place, place));
    let [product_, from, to, stage] = [product, from, to, place].map(str::to_owned);
    let packages = words(&["a"]);
    let platforms = Vec::new();
    let until = world.now + jiff::SignedDuration::from_hours(2);
    let product = product_;
    let action = match action {
        "import" => {
            Action::Import { product, to: stage, files: vec![], folder: Some("/f".into()), platforms }
        }
        "adopt" => {
            let (platform, folder) = ("sl5/x86_64".into(), "/f".into());
            Action::Adopt { product, stage, platform, kind: crate::Kind::Binary, folder }
        }
        "withdraw" => Action::Withdraw { product, from: stage, packages, platforms },
        "rollback" => {
            let (versions, without, releases) = (vec![], vec![], vec![]);
            Action::Rollback { product, from: stage, packages, platforms, versions, without, releases }
        }
        "revert" => Action::Revert { product, stage, generation: Reference::Number(40), platforms },
        "promote" => Action::Promote { product, from, to, packages, platforms, partial: None },
        "undo" => Action::Undo { request: format!("{product}-{place}") },
        "approve" => Action::Approve { product, from, to, take_back: false },
        "waive" => Action::Waive { product, stage, gate: "soak".into(), packages, until },
        "variant" => {
            let digests = ["a-1-1.x86_64", "a-1-1.x86_64#other"].map(|text| listed(text).pkgid.to_string());
            Action::Variant { product, package: "a-1-1.x86_64".into(), digests: digests.into() }
        }
        "end-variant" => Action::EndVariant { variant: product },
        "end-waiver" => Action::EndWaiver { waiver: format!("{product}-{stage}") },
        "freeze" => Action::Freeze { product, stage: (stage != "-").then_some(stage), until: None },
        "thaw" => Action::Thaw { freeze: product },
        "advisory" => {
            let (id, kind, title) = ("A-1".into(), "bugfix".into(), "t".into());
            let (severity, description, references) = (None, String::new(), vec![]);
            let advised = Advised { id, kind, severity, title, description, references, reboot: false };
            Action::Advisory { product, stage, advised, packages, platforms }
        }
        "end-advisory" => Action::EndAdvisory { product, advisory: "A-1".into(), retracted: false },
        "keep" => Action::Keep { generation: None, as_: Some("update-1".into()), drop: None },
        "sweep" => Action::Sweep {},
        "purge" => Action::Purge { packages: words(&["a-1-1.x86_64"]) },
        "accept-clock" => Action::AcceptClock {},
        "overlap" => Action::Overlap {},
        "resume" => Action::Resume {},
        "config" => Action::Config {},
        other => panic!("{other}"),
    };
    let plan = Some("5e".repeat(32)).filter(|_| matches!(action, Action::Approve { .. }));
    Request { reason: Some("r".into()), plan, ..Request::new(action) }
}

#[test]
fn nobody_may_do_what_the_table_does_not_say() {
    let world = world();
    let mut looked_at = 0;
    let mut seen = std::collections::BTreeSet::new();
    for row in TABLE.lines().filter(|row| !row.is_empty()) {
        let (what, who) = row.split_once(':').unwrap();
        let [action, product, place] = what.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let request = request(&world, action, product, place);
        seen.insert(request.action.name());
        let may: Vec<&str> = who.split_whitespace().collect();
        for role in ROLES {
            for held_for in [None, Some("red"), Some("blue")] {
                let asker = Asker {
                    name: "user:alice".into(),
                    roles: vec![(held_for.map(str::to_owned), role.to_owned())],
                };
                let is_meant =
                    may.contains(&role) && held_for.is_none_or(|held| product == "-" || held == product);
                let site_wide = may.contains(&format!("site:{role}").as_str()) && held_for.is_none();
                // Naming a generation takes a right that is really held: that of red is none in blue.
                let is_allowed = match action {
                    "keep" => may.contains(&role) && names_a_generation(role, held_for),
                    _ => is_meant || site_wide,
                };
                let decision = decide(&world, &request, &asker, &[]);
                let is_refused =
                    matches!(&decision, Decision::Refused(refusal) if refusal.code == Code::RoleNotAllowed);
                assert_eq!(!is_refused, is_allowed, "{row}: `{role}` held for {held_for:?}: {decision:?}");
                looked_at += 1;
            }
        }
    }
    let all: std::collections::BTreeSet<&str> = Action::NAMES.into_iter().collect();
    assert_eq!(seen, all, "every action stands in the table");
    assert_eq!(looked_at, 69 * 9 * 3);
}

/// A role that moves packages of one product names generations for whoever holds it for that product or the site.
fn names_a_generation(role: &str, held_for: Option<&str>) -> bool {
    match (role, held_for) {
        ("admin", held_for) => held_for.is_none(),
        (_, None) => true,
        ("blue-team", Some(product)) => product == "blue",
        ("releaser", Some(_)) => true,
        (_, Some(product)) => product == "red",
    }
}
