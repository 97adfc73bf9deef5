//! Advisories: what a repository has of them is carried as it stands, and beside it stands what was retracted.

use std::collections::BTreeSet;
use std::sync::Arc;

use nevra::Nevra;
use plan::{Repository, Retraction, Standing};
use repo::{Advisory, Announced, Form, Record, Repomd, Updateinfo};

/// Begins the word that names, in what is recorded of a repository, the retractions its metadata tells of.
const WORD: &str = "retracted=";

/// What the metadata of a repository is to tell of retractions.
#[derive(Clone, Debug, Default)]
pub(super) struct Retractions {
    /// How the ids of its advisories begin.
    prefix: String,
    /// What the packages are called together.
    collection: String,
    from: String,
    all: Vec<(Retraction, BTreeSet<Nevra>)>,
}

impl Retractions {
    /// Finds what stands of the repository.
    pub(super) fn of(repository: &Repository, standing: &Standing) -> Self {
        let Repository { product, stage, .. } = repository;
        Self {
            prefix: prefix(repository),
            collection: format!("{product} {stage}"),
            from: product.clone(),
            all: standing
                .retracted_in(&repository.name())
                .map(|(retraction, packages)| (retraction.clone(), packages.clone()))
                .collect(),
        }
    }

    /// Leaves what concerns packages of these names: hosts that draw nothing else never had the rest.
    pub(super) fn only(mut self, names: &BTreeSet<&str>) -> Self {
        self.all.retain(|(_, packages)| packages.iter().any(|nevra| names.contains(nevra.name.as_str())));
        self
    }

    /// Gives the word to be recorded, if there is anything to tell.
    pub(super) fn recorded(&self) -> Option<String> {
        let words: Vec<String> =
            self.all.iter().map(|(one, _)| format!("{}.{}", one.id, one.lifted)).collect();
        (!words.is_empty()).then(|| format!("{WORD}{}", words.join(",")))
    }

    /// Makes the file of what is carried and what is retracted, and takes out of `head` what it replaces.
    ///
    /// `carried` is the file so far, and `recorded` what is on record of the metadata it belongs to. What nobody can read
    /// is carried as it is, and then nothing is told of retractions.
    pub(super) fn file(
        &self,
        head: &mut Repomd,
        carried: Option<Arc<[u8]>>,
        recorded: Option<&str>,
    ) -> Option<Vec<u8>> {
        let told = recorded.and_then(word_of).unwrap_or_default();
        if self.all.is_empty() && told.is_empty() {
            return None;
        }
        if carried.is_none() && head.records.iter().any(is_updateinfo) {
            tracing::warn!(
                "the updateinfo of {} cannot be read: no roll-back is told there",
                self.collection
            );
            return None;
        }
        let mut updates = match carried.as_deref().map(Updateinfo::parse).transpose() {
            Ok(updates) => updates.unwrap_or_default(),
            Err(error) => {
                tracing::warn!("no roll-back is told in the updateinfo of {}: {error}", self.collection);
                return None;
            }
        };
        head.records.retain(|record| !is_updateinfo(record));
        let ids = told.split(',').filter_map(|word| word.split('.').next());
        let ours: BTreeSet<String> = ids.map(|id| format!("{}{id}", self.prefix)).collect();
        updates.advisories.retain(|advisory| !ours.contains(&advisory.id));
        updates.advisories.extend(self.all.iter().map(|(one, packages)| self.advisory(one, packages)));
        (!updates.advisories.is_empty()).then(|| updates.write())
    }

    fn advisory(&self, retraction: &Retraction, packages: &BTreeSet<Nevra>) -> Advisory {
        let names: BTreeSet<&str> = packages.iter().map(|nevra| nevra.name.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let title = match names.as_slice() {
            [name, other, third, rest @ ..] if !rest.is_empty() => {
                format!("{name}, {other}, {third} and {} more are rolled back", rest.len())
            }
            [name] => format!("{name} is rolled back"),
            names => format!("{} are rolled back", names.join(", ")),
        };
        let description = format!(
            "These packages were rejected and are offered no more in {}. Hosts that have them go back with\n{}",
            self.collection,
            plan::ZYPPER_GOES_BACK
        );
        Advisory::of(&Announced {
            id: &format!("{}{}", self.prefix, retraction.id),
            from: &self.from,
            status: "retracted",
            kind: "recommended",
            version: retraction.lifted.saturating_add(1),
            title: &title,
            description: &description,
            issued: &retraction.at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            collection: &self.collection,
            packages: packages.iter().collect(),
        })
    }
}

/// Begins the ids of the advisories that tell of retractions in a repository.
fn prefix(repository: &Repository) -> String {
    format!("retracted-{}-{}-", repository.product, repository.stage)
}

/// Finds in what was recorded which retractions are told.
fn word_of(recorded: &str) -> Option<&str> {
    recorded.split(' ').find_map(|word| word.strip_prefix(WORD))
}

/// Whether two records of metadata differ in nothing but the retractions they tell of.
pub(crate) fn is_same_form(one: Option<&str>, other: Option<&str>) -> bool {
    let form = |recorded: Option<&'_ str>| -> Option<String> {
        let words = recorded?.split(' ').filter(|word| !word.starts_with(WORD));
        Some(words.collect::<Vec<_>>().join(" "))
    };
    // Where nothing else is recorded, the usual form stands beside the retractions.
    let usual = format!("{} {}", Form::default().compression, Form::default().checksum);
    let form = |recorded| form(recorded).filter(|words| *words != usual);
    form(one) == form(other)
}

/// Whether a record is about advisories: `updateinfo`, or packed somehow, as in `updateinfo_zck`.
pub(super) fn is_updateinfo(record: &Record) -> bool {
    record.kind == "updateinfo" || record.kind.starts_with("updateinfo_")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TODAY: &str = "2026-01-31T12:00:00Z";

    fn retractions(ids: &[&str]) -> Retractions {
        let one = |id: &&str| {
            let packages = BTreeSet::from(["voms-2-1.x86_64".parse().unwrap()]);
            let retraction = Retraction {
                id: (*id).to_owned(),
                product: "glite".into(),
                at: TODAY.parse().unwrap(),
                packages: BTreeMap::new(),
                lifted: 0,
            };
            (retraction, packages)
        };
        let all = ids.iter().map(one).collect();
        Retractions {
            prefix: "retracted-".into(),
            collection: "glite delta".into(),
            from: "glite".into(),
            all,
        }
    }

    /// The ids of the file that is written after `carried`; nothing if what is there is carried.
    fn check(ids: &[&str], carried: Option<&str>, recorded: &str, expected: Option<&[&str]>) {
        let mut head = Repomd::new("1");
        let measure = repo::Measure::of(nevra::Algorithm::Sha256, carried.unwrap_or_default().as_bytes());
        let record = Record::new("updateinfo", "repodata/updateinfo.xml".into(), 1, measure, None, None);
        head.records.extend(carried.map(|_| record));
        let open = carried.map(|text| Arc::from(text.as_bytes()));
        let written = retractions(ids).file(&mut head, open, Some(recorded));
        let written = written.map(|file| {
            let read = Updateinfo::parse(&file).unwrap().advisories;
            read.into_iter().map(|advisory| advisory.id).collect::<Vec<_>>()
        });
        assert_eq!(
            written.as_deref(),
            expected.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()).as_deref()
        );
        let is_carried = carried.is_some() && expected.is_none() && !recorded.contains(WORD);
        let is_left = !head.records.is_empty();
        assert!(is_left == is_carried || recorded.contains("unreadable"), "{ids:?} after {carried:?}");
    }

    #[test]
    fn ours_stand_beside_what_is_there_and_only_ours_go() {
        let theirs = "<updates><update><id>A-1</id></update><update><id>retracted-9</id></update></updates>";
        check(&[], Some(theirs), "gzip sha256", None);
        check(&["7"], None, "gzip sha256", Some(&["retracted-7"]));
        check(&["7"], Some(theirs), "gzip sha256", Some(&["A-1", "retracted-9", "retracted-7"]));
        check(&["7"], Some(theirs), "gzip sha256 retracted=9.0,8.2", Some(&["A-1", "retracted-7"]));
        check(&[], Some(theirs), "gzip sha256 retracted=9.0", Some(&["A-1"]));
        let ours = "<updates><update><id>retracted-9</id></update></updates>";
        check(&[], Some(ours), "gzip sha256 retracted=9.0", None);
    }

    #[test]
    fn what_nobody_can_read_is_carried_and_never_lost() {
        check(&["7"], Some("<updates"), "gzip sha256 unreadable", None);
        let mut head = Repomd::new("1");
        let measure = repo::Measure::of(nevra::Algorithm::Sha256, b"");
        head.records.push(Record::new("updateinfo_zck", "repodata/u".into(), 1, measure, None, None));
        assert_eq!(retractions(&["7"]).file(&mut head, None, None), None);
        assert_eq!(head.records.len(), 1);
    }

    #[test]
    fn a_retraction_is_no_part_of_the_form() {
        let same = [
            (None, Some("gzip sha256 retracted=7.0")),
            (Some("zstd sha256 retracted=7.0 signed=AB"), Some("zstd sha256 signed=AB")),
        ];
        for (one, other) in same {
            assert!(is_same_form(one, other), "{one:?} {other:?}");
        }
        assert!(!is_same_form(None, Some("zstd sha256 retracted=7.0")));
        assert!(!is_same_form(Some("gzip sha256 signed=AB"), Some("gzip sha256 signed=CD")));
    }

    #[test]
    fn many_names_are_told_in_one_line() {
        let mut some = retractions(&["7"]);
        let more = ["a", "b", "c", "d"].map(|name| format!("{name}-1-1.noarch").parse().unwrap());
        some.all[0].1.extend(more);
        let (one, packages) = &some.all[0];
        let text = String::from_utf8(some.advisory(one, packages).raw).unwrap();
        assert!(text.contains("<title>a, b, c and 2 more are rolled back</title>"), "{text}");
        assert!(text.contains("<issued date=\"2026-01-31 12:00:00\"/>"), "{text}");
    }
}
