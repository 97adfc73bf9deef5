//! In what two elements differ, told element by element.

use std::collections::{BTreeSet, HashMap, VecDeque};

use serde::Serialize;

use crate::xml::Tree;

/// How much of a value is told.
const SHOWN: usize = 1000;

/// One thing that two elements do not say alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where, from the outermost element on: `format/rpm:requires/rpm:entry[name=libc]@pre`.
    pub place: String,
    /// The same for every package, without what tells siblings apart: `format/rpm:requires/rpm:entry@pre`.
    pub kind: String,
    /// What the first says there: an attribute's value, a text, a whole element as XML; `None` where it
    /// says nothing. Cut after a thousand characters, with `…` behind.
    pub theirs: Option<String>,
    /// What the second says there.
    pub ours: Option<String>,
}

/// Compares two elements with everything in them.
///
/// Nothing is normalised: a space more in a text is a difference. Siblings of one name are matched if they
/// are equal, else if they have the same `name`, `date` or text; only then does one count as lacking. That
/// the same elements stand in another order is a difference of its own, with `(order)` behind the place.
/// The order of attributes has no meaning in XML and is not looked at.
#[must_use]
pub fn differences(theirs: &Tree, ours: &Tree) -> Vec<Difference> {
    let mut found = Vec::new();
    let at = At { place: String::new(), kind: String::new() };
    if theirs.name == ours.name {
        compare(&at, theirs, ours, &mut found);
    } else {
        found.push(at.differs(Some(theirs.to_string()), Some(ours.to_string())));
    }
    found
}

/// A place while it is walked to.
struct At {
    place: String,
    kind: String,
}

impl At {
    fn below(&self, name: &str, key: Option<(&str, &str)>) -> At {
        let join =
            |before: &str| if before.is_empty() { name.to_owned() } else { format!("{before}/{name}") };
        let mut place = join(&self.place);
        if let Some((key, value)) = key {
            place.push_str(&format!("[{key}={}]", cut(value, 200)));
        }
        At { place, kind: join(&self.kind) }
    }

    fn with(&self, end: &str) -> At {
        At { place: format!("{}{end}", self.place), kind: format!("{}{end}", self.kind) }
    }

    fn differs(&self, theirs: Option<String>, ours: Option<String>) -> Difference {
        let cut = |value: Option<String>| value.map(|value| cut(&value, SHOWN));
        Difference {
            place: self.place.clone(),
            kind: self.kind.clone(),
            theirs: cut(theirs),
            ours: cut(ours),
        }
    }
}

fn cut(value: &str, characters: usize) -> String {
    match value.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

fn compare(at: &At, theirs: &Tree, ours: &Tree, found: &mut Vec<Difference>) {
    if theirs == ours {
        return;
    }
    let keys: BTreeSet<&String> =
        theirs.attributes.iter().chain(&ours.attributes).map(|(key, _)| key).collect();
    for key in keys {
        let (theirs, ours) = (theirs.attribute(key), ours.attribute(key));
        if theirs != ours {
            let owned = |value: Option<&str>| value.map(str::to_owned);
            found.push(at.with(&format!("@{key}")).differs(owned(theirs), owned(ours)));
        }
    }
    if theirs.text != ours.text {
        found.push(at.differs(Some(theirs.text.clone()), Some(ours.text.clone())));
    }
    children(at, &theirs.children, &ours.children, found);
}

fn children(at: &At, theirs: &[Tree], ours: &[Tree], found: &mut Vec<Difference>) {
    let partners = partners(theirs, ours);
    let repeated = repeated(theirs, ours);
    let below = |tree: &Tree| {
        let key = key(tree).filter(|_| repeated.contains(&*tree.name));
        at.below(&tree.name, key)
    };
    let mut taken = vec![false; ours.len()];
    for (tree, partner) in theirs.iter().zip(&partners) {
        match *partner {
            Some(partner) => {
                taken[partner] = true;
                compare(&below(tree), tree, &ours[partner], found);
            }
            None => found.push(below(tree).differs(Some(tree.to_string()), None)),
        }
    }
    for (tree, _) in ours.iter().zip(taken).filter(|(_, taken)| !taken) {
        found.push(below(tree).differs(None, Some(tree.to_string())));
    }
    order(at, theirs, ours, &partners, found);
}

/// Tells of the first element that stands elsewhere; whoever wants to see all looks at both files.
fn order(at: &At, theirs: &[Tree], ours: &[Tree], partners: &[Option<usize>], found: &mut Vec<Difference>) {
    let matched: Vec<(usize, usize)> = partners
        .iter()
        .enumerate()
        .filter_map(|(at, partner)| partner.map(|partner| (at, partner)))
        .collect();
    let mut sorted: Vec<usize> = matched.iter().map(|&(_, partner)| partner).collect();
    sorted.sort_unstable();
    let elsewhere = matched.iter().zip(sorted).find(|((_, partner), expected)| partner != expected);
    if let Some((&(first, _), expected)) = elsewhere {
        let told = |tree: &Tree, before: &str| Some(format!("{tree} {before}"));
        let (theirs, ours) = (&theirs[first], &ours[expected]);
        found.push(at.with(" (order)").differs(told(theirs, "comes first"), told(ours, "comes first")));
    }
}

/// Finds for each of their elements the one of ours that means the same.
fn partners(theirs: &[Tree], ours: &[Tree]) -> Vec<Option<usize>> {
    let mut partners = vec![None; theirs.len()];
    let mut taken = vec![false; ours.len()];
    let by_all = |tree: &Tree| Some(tree.to_string());
    let by_key = |tree: &Tree| key(tree).map(|(_, value)| format!("{}\0{value}", tree.name));
    let by_name = |tree: &Tree| Some(tree.name.clone());
    let repeated = repeated(theirs, ours);
    let single = |tree: &Tree| by_name(tree).filter(|name| !repeated.contains(name.as_str()));
    pair(theirs, ours, &mut partners, &mut taken, by_all);
    pair(theirs, ours, &mut partners, &mut taken, by_key);
    pair(theirs, ours, &mut partners, &mut taken, single);
    partners
}

/// Pairs what is still alone and has the same identity, in the order of the files.
fn pair(
    theirs: &[Tree],
    ours: &[Tree],
    partners: &mut [Option<usize>],
    taken: &mut [bool],
    identity: impl Fn(&Tree) -> Option<String>,
) {
    let mut alone: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (at, tree) in ours.iter().enumerate().filter(|&(at, _)| !taken[at]) {
        if let Some(identity) = identity(tree) {
            alone.entry(identity).or_default().push_back(at);
        }
    }
    for (tree, partner) in theirs.iter().zip(partners).filter(|(_, partner)| partner.is_none()) {
        let Some(identity) = identity(tree) else { continue };
        if let Some(at) = alone.get_mut(&identity).and_then(VecDeque::pop_front) {
            taken[at] = true;
            *partner = Some(at);
        }
    }
}

/// The names that one of the two has more than once.
fn repeated<'a>(theirs: &'a [Tree], ours: &'a [Tree]) -> BTreeSet<&'a str> {
    let mut repeated = BTreeSet::new();
    for side in [theirs, ours] {
        let mut seen = BTreeSet::new();
        repeated.extend(side.iter().map(|tree| tree.name.as_str()).filter(|name| !seen.insert(*name)));
    }
    // What only ever stands in lists is told apart also where the list has one.
    repeated.extend(["rpm:entry", "file", "changelog"]);
    repeated
}

/// What tells an element from its siblings of the same name.
fn key(tree: &Tree) -> Option<(&str, &str)> {
    for key in ["name", "date"] {
        if let Some(value) = tree.attribute(key) {
            return Some((key, value));
        }
    }
    (tree.children.is_empty() && !tree.text.is_empty()).then_some(("text", &tree.text))
}

#[cfg(test)]
mod tests;
