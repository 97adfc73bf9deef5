//! Advisories: what a repository has of them is carried as it stands, and beside it stands what was retracted.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::UPDATEINFO;
use jiff::Timestamp;
use plan::{Rejected, Repository, Retraction, Standing};
use repo::{Advisory, Announced, Compression, Form, Record, Repomd, Updateinfo};

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
    all: Vec<Told>,
}

/// Where the advisories come from that are there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Origin {
    /// Whether they did not come from here.
    pub(super) is_new: bool,
    /// Whether they follow what is listed now, and are not those that were published.
    pub(super) is_carried: bool,
    /// Whether the form changes, in which what we wrote goes along.
    pub(super) is_other_form: bool,
}

/// What one advisory is to tell.
#[derive(Clone, Debug)]
struct Told {
    id: String,
    at: Timestamp,
    rejected: Rejected,
}

impl Retractions {
    /// Finds what stands of the repository; nothing if it is not `told`.
    pub(super) fn of(repository: &Repository, standing: &Standing, told: bool) -> Self {
        let Repository { product, stage, .. } = repository;
        let name = repository.name();
        let all = told.then(|| standing.retracted_in(&name)).into_iter().flatten();
        let all = all.map(|(Retraction { id, at, .. }, rejected)| Told {
            id: id.clone(),
            at: *at,
            rejected: rejected.clone(),
        });
        Self {
            // The same packages were rejected on other platforms, too: hosts may draw from two of them.
            prefix: format!("retracted-{name}-"),
            collection: format!("{product} {stage}"),
            from: product.clone(),
            all: all.collect(),
        }
    }

    /// Leaves those of these ids.
    pub(super) fn only(&self, ids: &BTreeSet<String>) -> Self {
        let all = self.all.iter().filter(|told| ids.contains(&told.id)).cloned().collect();
        let Self { prefix, collection, from, .. } = self;
        Self { prefix: prefix.clone(), collection: collection.clone(), from: from.clone(), all }
    }

    /// Gives the word to be recorded, if there is anything to tell.
    pub(super) fn recorded(&self) -> Option<String> {
        let word = |told: &Told| format!("{}.{}", told.id, told.rejected.changes);
        let words: Vec<String> = self.all.iter().map(word).collect();
        (!words.is_empty()).then(|| format!("{WORD}{}", words.join(",")))
    }

    /// Makes the file of what is there and what is retracted, and takes out of `head` what it replaces; nothing if what is
    /// there is carried byte for byte.
    ///
    /// `updates` is the file so far, `recorded` is what is on record of the metadata it belongs to. What nobody can read is
    /// carried as it is, and then nothing is told of retractions.
    pub(super) fn file(
        &self,
        head: &mut Repomd,
        updates: Option<Arc<[u8]>>,
        origin: Origin,
        recorded: Option<&str>,
    ) -> Option<Vec<u8>> {
        let Origin { is_new, is_carried, is_other_form } = origin;
        let wanted = self.recorded();
        let is_ours = wanted.is_some() || is_packed_as(head, recorded);
        let is_ours_anew = is_carried || is_other_form && is_ours;
        if !is_new && !is_ours_anew && recorded.and_then(word_of) == wanted.as_deref() {
            return None;
        }
        if is_carried {
            // It was read to follow what is listed, and is replaced by what came of that.
            head.records.retain(|record| !is_updateinfo(record));
        }
        let there = head.records.iter().filter(|record| is_updateinfo(record));
        let (is_there, are_two) =
            (there.clone().next().is_some(), there.filter(|one| one.kind == UPDATEINFO).count() > 1);
        let updates = match (updates.as_deref().map(Updateinfo::parse).transpose(), is_there) {
            _ if are_two => Err("there are two".to_owned()),
            (Ok(None), true) => Err("it is too large, or of a form that is not read".to_owned()),
            (Ok(updates), _) => Ok(updates.unwrap_or_default()),
            (Err(error), _) => Err(error.to_string()),
        };
        let mut updates = match updates {
            Ok(updates) => updates,
            Err(reason) => {
                tracing::warn!("no roll-back is told in the updateinfo of {}: {reason}", self.collection);
                return None;
            }
        };
        let before = updates.clone();
        updates.advisories.retain(|advisory| !self.is_ours(&advisory.id));
        updates.advisories.extend(self.all.iter().map(|told| self.advisory(told)));
        if updates == before && !is_ours_anew {
            return None;
        }
        head.records.retain(|record| !is_updateinfo(record));
        (!updates.advisories.is_empty()).then(|| updates.write())
    }

    /// Whether an advisory is one of those that are written here, whoever wrote it.
    fn is_ours(&self, id: &str) -> bool {
        id.strip_prefix(&self.prefix)
            .is_some_and(|rest| rest.len() == 12 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }

    fn advisory(&self, told: &Told) -> Advisory {
        let Told { id, at, rejected } = told;
        let packages = &rejected.packages;
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
            id: &format!("{}{id}", self.prefix),
            from: &self.from,
            status: "retracted",
            kind: "recommended",
            version: u64::from(rejected.changes) + 1,
            title: &title,
            severity: None,
            references: &[],
            suggests_reboot: false,
            description: &description,
            issued: &date(*at),
            updated: &date(rejected.changed.unwrap_or(*at)),
            collection: &self.collection,
            packages: packages.iter().collect(),
        })
    }
}

/// Whether the advisories are packed as metadata is that was recorded so: then they were written here, or as we would.
fn is_packed_as(head: &Repomd, recorded: Option<&str>) -> bool {
    let usual = Form::default().compression.as_str();
    let form = recorded.and_then(|recorded| recorded.split(' ').next()).unwrap_or(usual);
    let packed = form.parse::<Compression>().map(Compression::ending).ok();
    head.record(UPDATEINFO)
        .is_some_and(|record| packed.is_some_and(|ending| record.href.ends_with(&format!(".xml{ending}"))))
}

/// Writes an instant as advisories have it, in UTC.
fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Finds in what was recorded the word that names the retractions.
fn word_of(recorded: &str) -> Option<&str> {
    recorded.split(' ').find(|word| word.starts_with(WORD))
}

/// Whether two records of metadata tell of the same retractions.
pub(crate) fn tells_the_same(one: Option<&str>, other: Option<&str>) -> bool {
    one.and_then(word_of) == other.and_then(word_of)
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

/// Whether a record is about advisories: `updateinfo`, or the same in another form, as in `updateinfo_zck`.
pub(super) fn is_updateinfo(record: &Record) -> bool {
    record.kind == "updateinfo" || record.kind.starts_with("updateinfo_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = "2026-01-31T12:00:00Z";

    fn retractions(ids: &[&str]) -> Retractions {
        let one = |id: &&str| {
            let packages = BTreeSet::from(["voms-2-1.x86_64".parse().unwrap()]);
            let rejected = Rejected { packages, ..Rejected::default() };
            Told { id: (*id).to_owned(), at: TODAY.parse().unwrap(), rejected }
        };
        let all = ids.iter().map(one).collect();
        Retractions {
            prefix: "retracted-d-".into(),
            collection: "glite delta".into(),
            from: "glite".into(),
            all,
        }
    }

    const A: &str = "aaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbb";

    fn head_with(kind: &str) -> Repomd {
        let mut head = Repomd::new("1");
        let measure = repo::Measure::of(nevra::Algorithm::Sha256, b"");
        head.records.push(Record::new(kind, "repodata/u".into(), 1, measure, None, None));
        head
    }

    /// Writes the file where these are told and `there` are there, so much being on record; gives the ids in it, nothing if
    /// what is there is carried, and whether its record is.
    fn written(
        told: &[&str],
        there: &[&str],
        is_new: bool,
        recorded: Option<&str>,
    ) -> (Option<Vec<String>>, bool) {
        let mut head = if there.is_empty() { Repomd::new("1") } else { head_with("updateinfo") };
        let update = |id: &&str| format!("<update><id>{id}</id></update>");
        let file: String = there.iter().map(update).collect();
        let open = (!there.is_empty()).then(|| Arc::from(format!("<updates>{file}</updates>").as_bytes()));
        let file = retractions(told).file(&mut head, open, Origin { is_new, ..Origin::default() }, recorded);
        let ids = file.map(|file| Updateinfo::parse(&file).unwrap().advisories.into_iter().map(|one| one.id));
        (ids.map(Iterator::collect), !head.records.is_empty())
    }

    #[test]
    fn ours_stand_beside_what_is_there_and_only_ours_go() {
        let [ours, other] = [A, B].map(|id| format!("retracted-d-{id}"));
        let word = |id: &str| format!("gzip sha256 retracted={id}.0 signed=AB");
        let all = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        let foreign = "retracted-e-aaaaaaaaaaaa";
        assert_eq!(written(&[], &["G-1"], false, None), (None, true));
        assert_eq!(written(&[A], &[], false, None), (all(&[&ours]), false));
        assert_eq!(written(&[A], &["G-1"], false, Some("gzip sha256")), (all(&["G-1", &ours]), false));
        assert_eq!(written(&[A], &["G-1", &ours], false, Some(&word(A))), (None, true), "it is told already");
        assert_eq!(written(&[A], &[foreign, &other], false, Some(&word(B))), (all(&[foreign, &ours]), false));
        assert_eq!(written(&[], &["G-1", &other], false, Some(&word(B))), (all(&["G-1"]), false));
        assert_eq!(written(&[], &[&other], false, Some(&word(B))), (None, false), "nothing is left to tell");
        // Of what somebody else made of ours only what stands is true.
        assert_eq!(written(&[], &["G-1", &other], true, None), (all(&["G-1"]), false));
        assert_eq!(written(&[A], &["G-1"], true, Some(&word(A))), (all(&["G-1", &ours]), false));
        assert_eq!(written(&[], &["G-1"], true, None), (None, true));
    }

    #[test]
    fn what_nobody_can_read_is_carried_and_never_lost() {
        for (kind, open) in [("updateinfo", Some(Arc::from(&b"<updates"[..]))), ("updateinfo_zck", None)] {
            let mut head = head_with(kind);
            assert_eq!(retractions(&[A]).file(&mut head, open, Origin::default(), None), None);
            assert_eq!(head.records.len(), 1);
        }
        let mut head = head_with("updateinfo");
        head.records.push(head.records[0].clone());
        let open = Some(Arc::from(&b"<updates/>"[..]));
        assert_eq!(retractions(&[A]).file(&mut head, open, Origin::default(), None), None);
        assert_eq!(head.records.len(), 2, "nobody knows which of the two counts");
    }

    #[test]
    fn what_was_written_here_goes_along_where_the_form_changes() {
        let file = |told: &[&str], is_other_form| {
            let open = retractions(told).file(&mut Repomd::new("1"), None, Origin::default(), None);
            let open = open.unwrap_or_else(|| b"<updates><update><id>G-1</id></update></updates>".to_vec());
            let recorded = retractions(told).recorded().map(|word| format!("zstd sha256 {word}"));
            let mut head = head_with("updateinfo");
            let origin = Origin { is_other_form, ..Origin::default() };
            retractions(told).file(&mut head, Some(Arc::from(open)), origin, recorded.as_deref()).is_some()
        };
        assert!(file(&[A], true) && !file(&[A], false) && !file(&[], true));
    }

    #[test]
    fn what_is_told_is_found_in_what_was_recorded() {
        let two = retractions(&[A, B]).recorded();
        assert_eq!(two, Some(format!("retracted={A}.0,{B}.0")));
        let form = format!("gzip sha256 {} signed=AB", two.as_deref().unwrap());
        assert!(tells_the_same(Some(&form), two.as_deref()) && tells_the_same(Some("gzip sha256"), None));
        let one = retractions(&[A, B]).only(&BTreeSet::from([A.to_owned()])).recorded();
        assert_eq!(one, Some(format!("retracted={A}.0")));
        assert!(!tells_the_same(one.as_deref(), two.as_deref()));
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
        let mut some = retractions(&[A]);
        let more = ["a", "b", "c", "d"].map(|name| format!("{name}-1-1.noarch").parse().unwrap());
        some.all[0].rejected.packages.extend(more);
        some.all[0].rejected.changed = Some("2026-02-01T00:00:00Z".parse().unwrap());
        let text = String::from_utf8(some.advisory(&some.all[0]).raw).unwrap();
        assert!(text.contains("<title>a, b, c and 2 more are rolled back</title>"), "{text}");
        let dates = "<issued date=\"2026-01-31 12:00:00\"/>\n    <updated date=\"2026-02-01 00:00:00\"/>";
        assert!(text.contains(dates), "{text}");
    }
}
