//! Reads from what the test programs print how many tests there were.

use std::ops::AddAssign;

/// Numbers of tests, or of steps, by their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ran and held.
    pub passed: usize,
    /// Ran and did not hold, crashed or took too long.
    pub failed: usize,
    /// Did not run.
    pub skipped: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Counts {
    /// Sorts one number under the word that a test program has printed after it; other words count nothing.
    fn add_item(&mut self, item: &str) {
        let mut words = item.split_whitespace();
        let Some(Ok(number)) = words.next().map(str::parse::<usize>) else { return };
        match words.collect::<Vec<_>>().join(" ").as_str() {
            "passed" | "xpassed" => self.passed += number,
            "failed" | "error" | "errors" | "timed out" | "exec failed" => self.failed += number,
            "skipped" | "ignored" | "xfailed" => self.skipped += number,
            _ => {}
        }
    }

    fn of_items<'a>(items: impl Iterator<Item = &'a str>) -> Self {
        let mut counts = Self::default();
        items.for_each(|item| counts.add_item(item));
        counts
    }
}

/// Reads what nextest (`Summary [ 1.2s] 3 tests run: 2 passed (1 slow), 1 failed, 0 skipped`), cargo test
/// (`test result: ok. 3 passed; 0 failed; 1 ignored; ...`, one line a program, summed) or pytest (`2 passed, 1 skipped
/// in 0.12s`) print. `None` where no such line is found.
///
/// nextest and pytest show what failed tests have written, which may look like the other lines, and their own line comes
/// last: where there is one of nextest's, only the last of these counts.
pub fn counts(text: &str) -> Option<Counts> {
    let lines: Vec<String> = text.lines().map(|line| without_colours(line).trim().to_owned()).collect();
    let last = |read: fn(&str) -> Option<Counts>| lines.iter().rev().find_map(|line| read(line));
    let of_cargo = || {
        lines.iter().filter_map(|line| cargo_test_line(line)).reduce(|mut sum, counts| {
            sum += counts;
            sum
        })
    };
    last(nextest_line).or_else(of_cargo).or_else(|| last(pytest_line))
}

fn nextest_line(line: &str) -> Option<Counts> {
    let (_, items) = line.strip_prefix("Summary [")?.split_once(" run: ")?;
    Some(Counts::of_items(without_parentheses(items).split(',').map(str::trim)))
}

fn cargo_test_line(line: &str) -> Option<Counts> {
    let (_, items) = line.strip_prefix("test result: ")?.split_once(". ")?;
    Some(Counts::of_items(items.split(';').map(str::trim)))
}

fn pytest_line(line: &str) -> Option<Counts> {
    let line = line.trim_matches(|c| c == '=' || c == ' ');
    let (items, time) = line.rsplit_once(" in ")?;
    if !time.split_whitespace().next()?.strip_suffix('s')?.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let counts = Counts::of_items(items.split(',').map(str::trim));
    (counts != Counts::default()).then_some(counts)
}

fn without_colours(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    text.chars()
        .filter(|c| {
            depth += usize::from(*c == '(');
            let keep = depth == 0;
            depth -= usize::from(*c == ')' && depth > 0);
            keep
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(passed: usize, failed: usize, skipped: usize) -> Option<Counts> {
        Some(Counts { passed, failed, skipped })
    }

    #[test]
    fn nextest() {
        let text = "        PASS [   0.004s] seedsieve-encoding window::tests::a\n------------\n     \
                    Summary [   3.504s] 15 tests run: 11 passed (1 slow, 2 flaky), 3 failed, 1 timed out, 2 skipped\n";
        assert_eq!(counts(text), of(11, 4, 2));
        assert_eq!(counts("     Summary [   0.0s] 1/3 tests run: 1 passed, 0 skipped"), of(1, 0, 0));
    }

    #[test]
    fn cargo_test_prints_one_line_a_program() {
        let text = "test src/lib.rs - (line 3) ... ok\n\
                    test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.10s\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.10s\n";
        assert_eq!(counts(text), of(3, 2, 1));
    }

    #[test]
    fn pytest_with_and_without_colours_and_frame() {
        assert_eq!(counts("....s\n4 passed, 1 skipped in 0.12s\n"), of(4, 0, 1));
        assert_eq!(counts("=== 1 failed, 4 passed, 2 warnings, 1 error in 62.12s (0:01:02) ==="), of(4, 2, 0));
        assert_eq!(counts("\x1b[32m\x1b[1m7 passed\x1b[0m\x1b[32m in 0.50s\x1b[0m"), of(7, 0, 0));
    }

    #[test]
    fn what_a_failed_test_has_written_is_not_counted_again() {
        let text = "        FAIL [   0.3s] (2/3) index::a_truncated_index_file_is_named\n  stdout ---\n\
                    \x20   test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 44 filtered out; finished in 0.43s\n\
                    \x20   Summary [   1.0s] 9 tests run: 9 passed, 0 skipped\n------------\n\
                    \x20    Summary [   3.5s] 3 tests run: 2 passed, 1 failed, 2 skipped\n        FAIL [   0.3s] (2/3) index\n";
        assert_eq!(counts(text), of(2, 1, 2));
        assert_eq!(counts("9 passed in 0.10s\n== 1 failed, 2 passed in 0.12s =="), of(2, 1, 0));
    }

    #[test]
    fn other_lines_hold_no_counts() {
        let text = "Finished `release` profile in 3.2s\n12 files already formatted\n3 passed the gate\n\
                    no tests ran in 0.01s\nerror: could not compile\n";
        assert_eq!(counts(text), None);
    }
}
