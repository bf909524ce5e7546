use std::fmt::Write as _;

use super::layout::{aligned, heading, percent, thousands};
use crate::statistics::RunStatistics;

/// What the two runs cost: CPU seconds of each stage, over all threads, and the seeds that the filter dropped. Nothing
/// where neither run left statistics; a dash where one did not.
pub fn cost_table(a: Option<&RunStatistics>, b: Option<&RunStatistics>) -> String {
    let runs = [a, b];
    let Some(known) = runs.into_iter().flatten().next() else { return String::new() };
    let mut rows = vec![heading("CPU seconds", ["A", "B"].iter())];
    let row = |name: &str, value: &dyn Fn(&RunStatistics) -> Option<String>| {
        let cells = runs.map(|run| run.and_then(value).unwrap_or_else(|| "-".to_owned()));
        std::iter::once(name.to_owned()).chain(cells).collect::<Vec<_>>()
    };
    for stage in &known.stages {
        let seconds =
            |run: &RunStatistics| run.stages.iter().find(|one| one.name == stage.name).map(|one| one.cpu_seconds);
        rows.push(row(&stage.name, &|run| seconds(run).map(|seconds| format!("{seconds:.2}"))));
    }
    let all = |run: &RunStatistics| run.stages.iter().map(|stage| stage.cpu_seconds).sum::<f64>();
    rows.push(row("all stages", &|run| Some(format!("{:.2}", all(run)))));
    let mut text = format!("\n{}", aligned(&rows));

    let mut rows = vec![heading("seeds", ["A", "B"].iter())];
    let seeds = |run: &RunStatistics| run.counts.get("seeds").and_then(serde_json::Value::as_u64);
    rows.push(row("found", &|run| seeds(run).map(thousands)));
    rows.push(row("dropped", &|run| Some(thousands(run.filter.as_ref().map_or(0, |filter| filter.dropped)))));
    let share = |run: &RunStatistics| {
        let dropped = run.filter.as_ref().map_or(0, |filter| filter.dropped);
        seeds(run).map(|seeds| percent(dropped, seeds))
    };
    rows.push(row("% dropped", &share));
    let _ = write!(text, "\n{}", aligned(&rows));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_shown_for_the_runs_that_tell_it() {
        let run = |filter: &str| -> RunStatistics {
            let text = format!(
                r#"{{"wall_seconds":2.0,"stages":[{{"name":"seeding","cpu_seconds":1.25}},{{"name":"filter","cpu_seconds":0.5}}],
                "counts":{{"seeds":4000}},"filter":{filter}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let filtered = r#"{"seeds_in":4000,"dropped":1000,"kept_by_guard_rails":500,"scored":3500}"#;
        let (off, on) = (run("null"), run(filtered));
        let both = cost_table(Some(&off), Some(&on));
        let row = |table: &str, name: &str| {
            let line = table.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
            line[name.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(row(&both, "seeding"), ["1.25", "1.25"]);
        assert_eq!(row(&both, "all stages"), ["1.75", "1.75"]);
        assert_eq!(row(&both, "found"), ["4,000", "4,000"]);
        assert_eq!(row(&both, "dropped"), ["0", "1,000"]);
        assert_eq!(row(&both, "% dropped"), ["0.000", "25.000"]);
        let one = cost_table(None, Some(&on));
        assert_eq!(row(&one, "filter"), ["-", "0.50"]);
        assert_eq!(row(&one, "dropped"), ["-", "1,000"]);
        assert_eq!(cost_table(None, None), "");
    }
}
