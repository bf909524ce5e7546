//! The rescue gate: which mates are looked for.

/// Decides which mates are looked for.
pub trait RescueGate: Send + Sync {
    /// Whether the mates of a pair are looked for at all. `best` holds the best score of each read's regions.
    fn is_worth_rescue(&self, best: [Option<i32>; 2], report_score: i32) -> bool {
        let _ = (best, report_score);
        true
    }
}

/// A pair is rescued where one of its reads can be reported.
pub(super) struct Hopeless;

impl RescueGate for Hopeless {
    fn is_worth_rescue(&self, best: [Option<i32>; 2], report_score: i32) -> bool {
        best.into_iter().flatten().any(|best| best >= report_score)
    }
}
