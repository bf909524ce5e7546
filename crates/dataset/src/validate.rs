use crate::{Counts, Dataset, DatasetError, LabelPolicy, Role, SeedRow};
use seedsieve_encoding::{AMBIGUOUS, DOWNSTREAM, MAX_SEED_IN_WINDOW, PACKED_WINDOW_BYTES, UPSTREAM, window_codes};
use std::path::Path;

/// Checks a data set through: checksums, the range of each value, that the seed reads the same in both windows, that
/// the match masks say of the windows' flanks what is there, and the counts of `dataset.json`. `check` adds a check of each row; its error is the name of the column, the value, and what
/// would be valid.
///
/// # Errors
/// The first that is wrong, with file and row.
pub fn validate(
    dataset: &Dataset,
    mut check: impl FnMut(&SeedRow<'_>) -> Result<(), (&'static str, String, String)>,
) -> Result<(), DatasetError> {
    dataset.verify_checksums()?;
    let threshold = dataset.manifest().reporting_threshold;
    let stated = dataset.manifest().counts;
    // Reads without a seed have no row, so the number of reads cannot be counted again.
    let mut counts = Counts { reads: stated.reads, ..Counts::default() };
    dataset.for_each_row(|path, number, row| {
        let value = |(column, value, valid): (&'static str, String, String)| DatasetError::Value {
            path: path.into(),
            row: number,
            column,
            value,
            valid,
        };
        check_row(row).and_then(|()| check(row)).map_err(value)?;
        counts.seeds += 1;
        *counts.roles.of_mut(row.role) += 1;
        let viable =
            LabelPolicy::OwnExtension.viable(threshold, row.own_score, row.read_best, row.region_score, row.role);
        counts.viable += u64::from(viable);
        Ok(())
    })?;
    compare(dataset.manifest_path().as_path(), "seeds", counts.seeds, stated.seeds)?;
    compare(dataset.manifest_path().as_path(), "viable seeds", counts.viable, stated.viable)?;
    for role in Role::ALL {
        let what = format!("seeds with the role {role}");
        compare(dataset.manifest_path().as_path(), &what, counts.roles.of(role), stated.roles.of(role))?;
    }
    Ok(())
}

fn compare(path: &Path, what: &str, found: u64, expected: u64) -> Result<(), DatasetError> {
    if found == expected {
        return Ok(());
    }
    Err(DatasetError::Count { path: path.into(), what: what.into(), found, expected })
}

/// Checks what can be told of a row by itself: ranges, windows, match masks.
///
/// # Errors
/// The name of the column, its value, and what would be valid.
pub fn check_row(row: &SeedRow<'_>) -> Result<(), (&'static str, String, String)> {
    check_ranges(row)?;
    check_windows(row)?;
    check_matches(row)
}

fn check_ranges(row: &SeedRow<'_>) -> Result<(), (&'static str, String, String)> {
    let read_length = u32::from(row.read_length);
    let seed_end = u32::from(row.query_start) + u32::from(row.length);
    let range = |column, value: u32, low: u32, high: u32| {
        if (low..=high).contains(&value) {
            Ok(())
        } else {
            Err((column, value.to_string(), format!("{low} to {high}")))
        }
    };
    range("mate", row.mate.into(), 0, 2)?;
    range("length", row.length.into(), 1, read_length)?;
    range("query_start", row.query_start.into(), 0, read_length - u32::from(row.length))?;
    if row.own_score > 0 {
        range("own_query_start", row.own_query_start.into(), 0, row.query_start.into())?;
        range("own_query_end", row.own_query_end.into(), seed_end, read_length)?;
    }
    if row.region_score.is_some() != (row.role != Role::None) {
        return Err(("role", row.role.to_string(), "none where region_score is null, another where not".into()));
    }
    Ok(())
}

/// A seed is an exact match: its part of both windows is the same. The reference's may have empty positions, because the
/// index has a random base in place of each N, and seeds match it.
fn check_windows(row: &SeedRow<'_>) -> Result<(), (&'static str, String, String)> {
    let (query, reference) = row.windows.split_at(PACKED_WINDOW_BYTES);
    let shown = usize::from(row.length).min(MAX_SEED_IN_WINDOW);
    let seed = |window| window_codes(window)[UPSTREAM..UPSTREAM + shown].to_vec();
    let (query, reference) = (seed(query), seed(reference));
    let differs = query.iter().zip(&reference).any(|(query, reference)| query != reference && *reference != AMBIGUOUS);
    if differs || query.contains(&AMBIGUOUS) {
        let letters = |codes: &[u8]| -> String {
            codes.iter().map(|&code| char::from(b"ACGTN"[usize::from(code.min(AMBIGUOUS))])).collect()
        };
        return Err((
            "reference_window",
            letters(&reference),
            format!("the seed of query_window: {}", letters(&query)),
        ));
    }
    Ok(())
}

/// The masks of the bases beside the seed against the same bases of both windows.
fn check_matches(row: &SeedRow<'_>) -> Result<(), (&'static str, String, String)> {
    let (query, reference) = row.windows.split_at(PACKED_WINDOW_BYTES);
    let (query, reference) = (window_codes(query), window_codes(reference));
    let seed_end = UPSTREAM + usize::from(row.length).min(MAX_SEED_IN_WINDOW);
    let outward: [(_, _, Vec<usize>); 2] = [
        ("left_matches", row.left_matches, (0..UPSTREAM).rev().collect()),
        ("right_matches", row.right_matches, (seed_end..seed_end + DOWNSTREAM).collect()),
    ];
    for (column, mask, positions) in outward {
        let Some(mask) = mask else { continue };
        let matches = positions.iter().map(|&at| query[at] == reference[at] && query[at] < AMBIGUOUS);
        let expected = matches.enumerate().fold(0u32, |bits, (at, matched)| bits | u32::from(matched) << at);
        let found = u32::from_le_bytes([mask[0], mask[1], mask[2], mask[3]]);
        if found != expected {
            let valid = format!("{expected:032b} (lowest bit last), as the windows have it");
            return Err((column, format!("{found:032b} in the first 32 bases"), valid));
        }
    }
    Ok(())
}
