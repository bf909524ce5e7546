use crate::Role;
use std::fmt;
use std::str::FromStr;

/// Which seeds count as viable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LabelPolicy {
    /// The seed's own extension reaches the reporting threshold T.
    OwnExtension,
    /// It does, and comes within 20 of the read's best region.
    NearBest,
    /// A final region of at least T contains the seed. Generous: the seed need not have made the region.
    Contributed,
}

impl LabelPolicy {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::OwnExtension, Self::NearBest, Self::Contributed];

    /// The name that models store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OwnExtension => "own-extension",
            Self::NearBest => "near-best",
            Self::Contributed => "contributed",
        }
    }

    /// Whether it looks at the seed's own extension, which [`crate::OwnExtensions`] may have left out.
    #[must_use]
    pub const fn looks_at_own_extension(self) -> bool {
        !matches!(self, Self::Contributed)
    }

    /// Whether a seed with these facts is viable at the reporting threshold `threshold` (T).
    #[must_use]
    pub fn viable(self, threshold: i32, own_score: i32, read_best: i32, region_score: Option<i32>, role: Role) -> bool {
        /// Score below the read's best at which a seed can no longer be the runner-up that MAPQ needs.
        const NEAR: i32 = 20;
        match self {
            Self::OwnExtension => own_score >= threshold,
            Self::NearBest => own_score >= threshold && own_score >= read_best - NEAR,
            Self::Contributed => region_score.is_some_and(|score| score >= threshold) && role != Role::None,
        }
    }
}

impl fmt::Display for LabelPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for LabelPolicy {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|policy| policy.name() == name)
            .ok_or_else(|| format!("label policy `{name}`; valid are {}", Self::ALL.map(LabelPolicy::name).join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_decides_at_its_own_boundary() {
        let viable = |policy: LabelPolicy, own, best, region, role| policy.viable(30, own, best, region, role);
        assert!(viable(LabelPolicy::OwnExtension, 30, 150, None, Role::None));
        assert!(!viable(LabelPolicy::OwnExtension, 29, 150, Some(150), Role::Primary));
        assert!(viable(LabelPolicy::NearBest, 130, 150, None, Role::None));
        assert!(!viable(LabelPolicy::NearBest, 129, 150, None, Role::None));
        assert!(!viable(LabelPolicy::NearBest, 29, 30, None, Role::None));
        assert!(viable(LabelPolicy::Contributed, 0, 150, Some(30), Role::Secondary));
        assert!(!viable(LabelPolicy::Contributed, 150, 150, Some(29), Role::BelowThreshold));
        assert!(!viable(LabelPolicy::Contributed, 150, 150, None, Role::None));
    }
}
