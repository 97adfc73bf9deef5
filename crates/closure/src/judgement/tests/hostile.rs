//! Packages made to keep us busy: every answer comes within the bounds, and none is a yes that is not proven.

use super::*;

fn of(enter: Vec<Package>) -> Judgement {
    judge(&Story { enter, ..Story::default() }.change())
}

/// More pigeons than holes: no choice works out, and no solver sees that at a glance.
fn pigeons(count: usize) -> Vec<Package> {
    let holes = count - 1;
    let mut all = Vec::new();
    let top: Vec<String> = (0..count).map(|pigeon| format!("requires pigeon{pigeon}")).collect();
    let lines: Vec<&str> = top.iter().map(String::as_str).collect();
    all.push(package("all-1-1.noarch", &lines));
    for pigeon in 0..count {
        let rich: Vec<String> = (0..holes).map(|hole| format!("p{pigeon}h{hole}")).collect();
        let line = format!("requires ({})", rich.join(" or "));
        all.push(package(&format!("pigeon{pigeon}-1-1.noarch"), &[&line]));
        for hole in 0..holes {
            let others = (0..count).filter(|other| *other != pigeon);
            let others: Vec<String> = others.map(|other| format!("conflicts p{other}h{hole}")).collect();
            let lines: Vec<&str> = others.iter().map(String::as_str).collect();
            all.push(package(&format!("p{pigeon}h{hole}-1-1.noarch"), &lines));
        }
    }
    all
}

#[test]
fn what_no_solver_sees_through_ends_and_is_no_yes() {
    for count in [4, 14] {
        let judgement = of(pigeons(count));
        let [finding] = judgement.broken.as_slice() else { panic!("{judgement:?}") };
        assert_eq!(finding.subject.name, "all");
        println!("{count} pigeons: {} things, judged: {}", judgement.work, finding.judged);
        assert!(finding.judged || finding.words.contains("no answer within the bound"), "{}", finding.words);
        assert!(finding.words.len() < 2_000);
        assert_eq!(finding.judged, count == 4);
    }
}

#[test]
fn a_crowd_that_offers_everything_to_everybody_is_not_listed_again_and_again() {
    let provides: Vec<String> = (0..2_000).map(|n| format!("provides cap = {n}")).collect();
    let requires: Vec<String> = (0..2_000).map(|n| format!("requires cap >= {n}")).collect();
    let lines: Vec<&str> = provides.iter().chain(&requires).map(String::as_str).collect();
    let crowd = (0..12).map(|n| package(&format!("one{n}-1-1.noarch"), &lines)).collect();
    let judgement = of(crowd);
    println!("{} things", judgement.work);
    assert_eq!(judgement.judged, 12);
    assert!(judgement.broken.iter().all(|finding| !finding.judged), "{:?}", judgement.broken.first());
    assert!(judgement.work < 200_000_000);
}

#[test]
fn a_circle_and_a_long_chain_are_followed_to_their_end() {
    let link =
        |n: usize| package(&format!("link{n}-1-1.noarch"), &[&*format!("requires link{}", (n + 1) % 5_000)]);
    let judgement = of((0..5_000).map(link).collect());
    assert!(judgement.broken.is_empty(), "{:?}", judgement.broken.first());
    let judgement = of((0..300).map(link).collect());
    assert_eq!(judgement.broken.len(), 300);
    let first = judgement.broken.iter().find(|finding| finding.subject.name == "link0").unwrap();
    assert!(first.words.len() < 1_000, "{}", first.words);
}

#[test]
fn a_host_with_thousands_that_need_each_other_takes_an_update_without_a_search() {
    let count = 3_000;
    let one = |number: usize, version: u32| {
        let next = format!("requires part-{} = 1", (number + 7) % count);
        let (provided, file) =
            (format!("provides part-{number} = 1"), format!("file /usr/bin/part-{number}"));
        package(&format!("part-{number}-{version}-1.x86_64"), &[&next, &provided, &file])
    };
    let meta = |version: u32| package(&format!("all-{version}-1.noarch"), &["requires part-0 = 1"]);
    let production = (0..count).map(|number| one(number, 1)).chain([meta(1)]).collect();
    let enter = vec![one(5, 2), one(600, 2), meta(2)];
    let judgement = judge(&Story { production, enter, ..Story::default() }.change());
    assert_eq!((judgement.broken.first(), judgement.known.first()), (None, None));
    assert_eq!((judgement.meta_packages, judgement.solved), (1, 0));
}
