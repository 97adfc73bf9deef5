//! A comparison, told to a person.

use std::collections::BTreeMap;
use std::fmt::Write;

use createrepo::{Finding, MetadataFile};

use super::{Report, Size};
use crate::terminal::Paint;

/// How many findings of a kind are told unless all are wanted.
const SHOWN: usize = 5;

/// Tells sizes and time first, then what differs, last the result.
pub(super) fn of(report: &Report, all: bool, paint: Paint) -> String {
    let mut text = String::new();
    sizes(&mut text, report, paint);
    beside(&mut text, &report.theirs);
    let _ = writeln!(
        text,
        "Ours was built in {:.1} s from {} of {} with {}, {} at a time.",
        report.seconds_build,
        packages(report.packages_made),
        bytes(report.bytes_packages),
        report.checksum,
        report.workers
    );
    if report.packages_respelled > 0 {
        let _ = writeln!(
            text,
            "Spelled otherwise (quotes, indentation), which no client can tell: {}.",
            packages(report.packages_respelled)
        );
    }
    if report.packages_in_other_order {
        text.push_str("The packages stand in another order, which means nothing to clients.\n");
    }
    findings(&mut text, &report.findings, all, paint);
    let counts = format!(
        "{} listed, {} there, {} alike",
        packages(report.packages_listed),
        grouped(report.packages_made as u64),
        grouped(report.packages_alike as u64)
    );
    let result = match report.findings.len() {
        0 => paint.green("nothing differs"),
        1 => paint.red("1 thing differs"),
        number => paint.red(&format!("{} things differ", grouped(number as u64))),
    };
    let _ = writeln!(text, "{}: {counts}; {result}", report.directory);
    text
}

fn sizes(text: &mut String, report: &Report, paint: Paint) {
    let title = format!("{:<10} {:>26} {:>26}", "", "theirs", "ours");
    let _ = writeln!(text, "{}", paint.dim(title.trim_end()));
    for ours in &report.ours {
        let Size { record, compression, size, open_size } = ours;
        let theirs = report.theirs.iter().find(|file| file.record == *record);
        let theirs = theirs.map_or("-".to_owned(), |file| {
            packed(file.size, file.open_size.unwrap_or(file.size), file.compression.as_str())
        });
        let _ = writeln!(
            text,
            "{record:<10} {theirs:>26} {:>26}",
            packed(*size, *open_size, compression.as_str())
        );
    }
}

fn packed(size: u64, open: u64, compression: &str) -> String {
    format!("{} of {} {compression}", bytes(size), bytes(open))
}

/// Names what is not made from packages, and what is and was not compared.
fn beside(text: &mut String, theirs: &[MetadataFile]) {
    let three = ["primary", "filelists", "other"];
    let names = |carried: bool| {
        let wanted = |file: &&MetadataFile| file.is_carried == carried && !three.contains(&&*file.record);
        theirs
            .iter()
            .filter(wanted)
            .map(|file| format!("{} ({})", file.record, bytes(file.size)))
            .collect::<Vec<_>>()
    };
    let (carried, made) = (names(true), names(false));
    if !carried.is_empty() {
        let _ = writeln!(
            text,
            "Beside the packages, and carried along by whoever takes over: {}.",
            carried.join(", ")
        );
    }
    if !made.is_empty() {
        let _ = writeln!(text, "Made from the three files above, and not compared: {}.", made.join(", "));
    }
}

fn findings(text: &mut String, findings: &[Finding], all: bool, paint: Paint) {
    let mut kinds: BTreeMap<String, (usize, Vec<&Finding>)> = BTreeMap::new();
    for (at, finding) in findings.iter().enumerate() {
        kinds.entry(finding.heading()).or_insert((at, Vec::new())).1.push(finding);
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, (first, _))| *first);
    for (heading, (_, of_kind)) in kinds {
        let title = format!("{heading}: {}", grouped(of_kind.len() as u64));
        let _ = writeln!(text, "{}", paint.bold(&title));
        let shown = if all { of_kind.len() } else { SHOWN };
        for finding in of_kind.iter().take(shown) {
            let _ = writeln!(text, "  {finding}");
        }
        if let Some(left) = of_kind.len().checked_sub(shown).filter(|&left| left > 0) {
            let _ = writeln!(text, "  {}", paint.dim(&format!("and {} more (--all)", grouped(left as u64))));
        }
        let mut notes: Vec<&str> = of_kind.iter().filter_map(|finding| finding.note()).collect();
        notes.dedup();
        for note in notes {
            let _ = writeln!(text, "  {}", paint.dim(&format!("note: {note}")));
        }
    }
}

fn packages(number: usize) -> String {
    if number == 1 { "1 package".to_owned() } else { format!("{} packages", grouped(number as u64)) }
}

/// Writes a number with commas.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Writes a size to three digits or so.
fn bytes(size: u64) -> String {
    let mut units = [("GiB", 30), ("MiB", 20), ("KiB", 10)].into_iter();
    match units.find(|&(_, shift)| size >> shift > 0) {
        #[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
        Some((unit, shift)) => format!("{:.1} {unit}", size as f64 / (1_u64 << shift) as f64),
        None => format!("{size} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_can_be_read() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 1_023, 1_536, 5 << 20].map(bytes), ["0 B", "1023 B", "1.5 KiB", "5.0 MiB"]);
    }
}
