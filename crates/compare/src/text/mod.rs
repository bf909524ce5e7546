//! The comparison as tables for terminals.

mod cost;
mod layout;
mod truth;

use std::fmt::Write as _;

pub use cost::cost_table;
pub(crate) use layout::{percent, thousands};

use crate::change::{Change, Tally};
use crate::comparison::{Comparison, FileCounts};
use layout::{aligned, heading};

/// The comparison as lines of text: reads by what became of them and by mapping quality, by kind of record and by
/// mappability, counts of both files, what differs in reads that kept their place and, where the truth is known, the
/// share that lies right.
pub fn text_table(comparison: &Comparison) -> String {
    let (a, b) = (&comparison.a, &comparison.b);
    let mut text = format!("A: {} ({})\nB: {} ({})\n\n", a.label, a.file, b.label, b.file);
    text.push_str(&changes(comparison));
    let _ = writeln!(
        text,
        "\nMAPQ rose by more than 5: {}   fell by more than 5: {}\n",
        thousands(comparison.mapq_raised),
        thousands(comparison.mapq_lowered)
    );
    let kinds = comparison.by_kind.iter().map(|counts| (counts.kind.label(), &counts.tally));
    text.push_str(&aligned(&tally_rows("record in A", kinds)));
    let classes = comparison.by_mappability.iter().map(|counts| (counts.class.label(), &counts.tally));
    let _ = write!(text, "\n{}", aligned(&tally_rows("mappability", classes)));
    let _ = write!(text, "\n{}", aligned(&file_rows(a, b)));
    text.push_str(&differences(comparison));
    text.push_str(&truth::tables(comparison));
    text
}

fn changes(comparison: &Comparison) -> String {
    let mut rows =
        tally_rows("MAPQ in A", comparison.changes.iter().map(|counts| (counts.mapq_of_a.label(), &counts.tally)));
    let mut total = vec!["all".to_owned()];
    total.extend(Change::ALL.map(|change| thousands(comparison.total(change))));
    total.push(thousands(comparison.reads));
    rows.push(total);
    let mut share = vec!["%".to_owned()];
    share.extend(Change::ALL.map(|change| percent(comparison.total(change), comparison.reads)));
    share.push(String::new());
    rows.push(share);
    aligned(&rows)
}

/// A heading, and a row for each tally with its sum.
fn tally_rows<'a>(first: &str, tallies: impl Iterator<Item = (&'a str, &'a Tally)>) -> Vec<Vec<String>> {
    let mut rows = vec![heading(first, Change::ALL.map(Change::label).iter().chain(&["all"]))];
    for (name, tally) in tallies {
        let mut row = vec![name.to_owned()];
        row.extend(Change::ALL.map(|change| thousands(tally.count(change))));
        row.push(thousands(tally.all()));
        rows.push(row);
    }
    rows
}

/// CIGARs, flags, fields and tags; those that differ nowhere are left out.
fn differences(comparison: &Comparison) -> String {
    let cigars = &comparison.cigars;
    let mut text = format!(
        "\nCIGARs of reads at about the same place: {} the same, {} with other ends, {} with other gaps\n",
        thousands(cigars.same),
        thousands(cigars.ends_differ),
        thousands(cigars.gaps_differ)
    );
    for scores in &comparison.scores {
        let _ = writeln!(
            text,
            "{} reads by AS: {} the same, {} higher in A, {} higher in B, {} without",
            scores.change.label(),
            thousands(scores.same),
            thousands(scores.higher_in_a),
            thousands(scores.higher_in_b),
            thousands(scores.unknown)
        );
    }
    let flags: Vec<_> = comparison.flags.iter().filter(|flag| flag.only_a + flag.only_b > 0).collect();
    if !flags.is_empty() {
        let mut rows = vec![heading("flags of primary records", ["A", "B", "only A", "only B"].iter())];
        for flag in flags {
            let mut row = vec![format!("{} ({:#x})", flag.flag.replace('_', " "), flag.bit)];
            row.extend([flag.a, flag.b, flag.only_a, flag.only_b].map(thousands));
            rows.push(row);
        }
        let _ = write!(text, "\n{}", aligned(&rows));
    }
    let same = &comparison.same_place;
    let head = format!("of {} reads in place", thousands(same.reads));
    let mut rows = vec![heading(&head, ["differs", "only A", "only B"].iter())];
    for field in same.fields.iter().filter(|field| field.differs > 0) {
        rows.push(vec![field.field.to_owned(), thousands(field.differs), String::new(), String::new()]);
    }
    for tag in &same.tags {
        let mut row = vec![format!("tag {}", tag.tag)];
        row.extend([tag.differs, tag.only_a, tag.only_b].map(thousands));
        rows.push(row);
    }
    if rows.len() > 1 {
        let _ = write!(text, "\n{}", aligned(&rows));
    }
    text
}

fn file_rows(a: &FileCounts, b: &FileCounts) -> Vec<Vec<String>> {
    let mut rows = vec![heading("records", ["A", "B"].iter())];
    for (name, of_a, of_b) in file_counts(a, b) {
        rows.push(vec![name.to_owned(), thousands(of_a), thousands(of_b)]);
    }
    rows.push(vec!["% in proper pairs".to_owned(), proper_pair_percent(a), proper_pair_percent(b)]);
    rows
}

/// Of the paired reads, in percent.
pub(crate) fn proper_pair_percent(counts: &FileCounts) -> String {
    percent(counts.proper_pairs, counts.paired)
}

/// Name, A and B of what is counted for each file.
pub(crate) fn file_counts(a: &FileCounts, b: &FileCounts) -> [(&'static str, u64, u64); 4] {
    [
        ("mapped reads", a.mapped, b.mapped),
        ("in proper pairs", a.proper_pairs, b.proper_pairs),
        ("secondary records", a.secondary, b.secondary),
        ("supplementary records", a.supplementary, b.supplementary),
    ]
}
