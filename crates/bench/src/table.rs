//! The table that is shown.

use crate::usage::Usage;

/// What one program used for one task.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was done: "from scratch".
    pub task: String,
    /// How many packages the repository has.
    pub packages: usize,
    /// How many of them had changed.
    pub changed: usize,
    /// Who did it; of the rows of one task the first is what others are compared with.
    pub program: String,
    /// One measurement a round.
    pub rounds: Vec<Usage>,
}

const HEAD: &str = "\
| task | packages | changed | program | CPU s | wall s | peak MiB | written MiB | CPU | wall |
|---|---:|---:|---|---:|---:|---:|---:|---:|---:|
";

/// Writes rows as a table of Markdown: medians, and how much of what the first program used each of the others did.
pub fn table(rows: &[Row]) -> String {
    let mut out = HEAD.to_owned();
    let task = |row: &Row| (row.task.clone(), row.packages, row.changed);
    for row in rows {
        let usage = Usage::median(&row.rounds);
        let first = rows.iter().find(|other| task(other) == task(row)).unwrap_or(row);
        let against = Usage::median(&first.rounds);
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        out.push_str(&format!(
            "| {} | {} | {} | {} | {:.2} | {:.2} | {:.0} | {:.1} | {} | {} |\n",
            row.task,
            row.packages,
            row.changed,
            row.program,
            usage.processor,
            usage.wall,
            mebibytes(usage.peak),
            mebibytes(usage.written),
            ratio(usage.processor, against.processor),
            ratio(usage.wall, against.wall),
        ));
    }
    out
}

/// Shows a ratio as people say it.
fn ratio(one: f64, against: f64) -> String {
    match one / against {
        ratio if !ratio.is_finite() || ratio <= 0.0 => "-".to_owned(),
        ratio if ratio < 1.0 => format!("1/{:.1}", 1.0 / ratio),
        ratio => format!("{ratio:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_compared_with_the_first_of_its_task() {
        let row = |changed, program: &str, processor| Row {
            task: "update".into(),
            packages: 1000,
            changed,
            program: program.into(),
            rounds: vec![Usage { processor, wall: 2.0, peak: 3 << 20, written: 1 << 19 }],
        };
        let rows =
            [row(1, "theirs", 3.0), row(1, "ours", 0.25), row(10, "theirs", 1.0), row(10, "ours", 2.0)];
        let expected = "\
| update | 1000 | 1 | theirs | 3.00 | 2.00 | 3 | 0.5 | 1.0 | 1.0 |
| update | 1000 | 1 | ours | 0.25 | 2.00 | 3 | 0.5 | 1/12.0 | 1.0 |
| update | 1000 | 10 | theirs | 1.00 | 2.00 | 3 | 0.5 | 1.0 | 1.0 |
| update | 1000 | 10 | ours | 2.00 | 2.00 | 3 | 0.5 | 2.0 | 1.0 |
";
        assert_eq!(table(&rows), format!("{HEAD}{expected}"));
    }
}
