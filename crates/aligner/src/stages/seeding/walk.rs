//! One read's way through the rounds of seeding, step by step: a step looks at one interval of the FM-index.
//!
//! The first two rounds are one search with different bounds: all matches that occur at least `least` times, cannot be made
//! longer without occurring less often, have at least -k bases, and start between `from` and `last_start` (second round:
//! and hold the base at `last_start`). From left to right:
//!
//! - A window of -k bases from `from` on is looked for backwards, from its last base. Where the pattern stops occurring, no
//!   match starts at that base or before it and reaches the window's end, so that `from` may go behind it.
//! - Where the whole window occurs, a match starts at `from`: the window before did not, so it cannot be longer to the left.
//!   It is made longer to the right.
//! - The next match ends behind this one, thus its window has to hold the first base behind this one.

use std::ops::Range;

use super::prefixes::{Prefixes, WORD};
use super::settings::Settings;
use super::{Match, Places};
use crate::fm_index::{FmIndex, Interval};
use crate::gates::{FirstMatch, SeedingVerdict};

/// What all walks search in, and for what.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) fm: &'a FmIndex,
    pub(super) prefixes: &'a Prefixes,
    pub(super) settings: &'a Settings<'a>,
}

/// What a walk wants next.
pub(super) enum Step {
    /// Another step.
    Again,
    /// The place of its match, which occurs once ([`Walk::row`]).
    LookUp,
    /// Nothing: all matches are found.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A window is chosen.
    Window,
    /// It is looked for, base by base to the left.
    Left,
    /// A match is made longer to the right.
    Right,
    /// A part that must not occur twice is chosen, and looked for.
    Part,
    PartLeft,
    /// A stretch of the third round is chosen, looked for, and made longer.
    Stretch,
    StretchLeft,
    StretchRight,
}

/// The search of one read.
#[derive(Debug)]
pub(super) struct Walk {
    read: usize,
    found: Vec<Match>,
    round: u8,
    phase: Phase,
    /// The pattern at hand: bases `[start, end)` of the read.
    interval: Interval,
    start: usize,
    end: usize,
    least: i64,
    from: usize,
    last_start: usize,
    /// A window has to reach this base.
    reach: usize,
    /// Whether the window may be longer to the left than `from`: the first one of a second round.
    is_open_left: bool,
    /// Matches of the first round, and those of them that the second one has been through.
    first_round: usize,
    parents: usize,
    /// The match of the earlier rounds around a stretch of the third one that occurs most often: its number, and how often.
    around: Option<(usize, i64)>,
    /// Parts of the read that must not occur twice if the further rounds are to be left out.
    parts: Vec<Range<u32>>,
    /// Whether they were.
    is_first_round_enough: bool,
}

impl Walk {
    pub(super) fn new(read: usize) -> Self {
        Self {
            read,
            found: Vec::new(),
            round: 1,
            phase: Phase::Window,
            interval: Interval::default(),
            start: 0,
            end: 0,
            least: 1,
            from: 0,
            last_start: usize::MAX,
            reach: 0,
            is_open_left: false,
            first_round: 0,
            parents: 0,
            around: None,
            parts: Vec::new(),
            is_first_round_enough: false,
        }
    }

    /// Number of the read in its batch.
    pub(super) fn read(&self) -> usize {
        self.read
    }

    pub(super) fn into_matches(self) -> Vec<Match> {
        self.found
    }

    /// Whether the further rounds were left out.
    pub(super) fn is_first_round_enough(&self) -> bool {
        self.is_first_round_enough
    }

    /// The suffix-array row of the match at hand.
    pub(super) fn row(&self) -> i64 {
        self.interval.row
    }

    /// Bases of the match at hand.
    pub(super) fn matched(&self) -> usize {
        self.end - self.start
    }

    /// Its end in the read, exclusive.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Takes the place of the match at hand, and by how many bases it is longer than it was.
    pub(super) fn looked_up(&mut self, place: i64, longer: usize) {
        self.end += longer;
        self.take_match(Places::At(place));
    }

    #[inline]
    pub(super) fn step(&mut self, search: &Search<'_>, codes: &[u8]) -> Step {
        match self.phase {
            Phase::Window => return self.choose_window(search, codes),
            Phase::Left => return self.look_left(search, codes),
            Phase::Right => return self.look_right(search, codes),
            Phase::Part => return self.choose_part(search, codes),
            Phase::PartLeft => return self.part_left(search, codes),
            Phase::Stretch => return self.choose_stretch(search, codes),
            Phase::StretchLeft => self.stretch_left(search, codes),
            Phase::StretchRight => self.stretch_right(search, codes),
        }
        Step::Again
    }

    fn choose_window(&mut self, search: &Search<'_>, codes: &[u8]) -> Step {
        let last = self.reach.max(self.from + search.settings.shortest - 1);
        if self.from > self.last_start || last >= codes.len() {
            return self.next_search(search, codes);
        }
        match self.begin(search, search.settings.shortest, last + 1, codes) {
            Err(unknown) => self.rule_out(unknown),
            // At one of the word's bases it stops occurring; which one is not asked.
            Ok(()) if self.interval.occurrences < self.least => self.rule_out(self.start),
            Ok(()) => {
                search.fm.prefetch_before(self.interval);
                self.phase = Phase::Left;
            }
        }
        Step::Again
    }

    /// Begins a pattern of at least `bases` bases with its last ones, those before `end`; the error is one of these that is
    /// none of A, C, G, T.
    fn begin(&mut self, search: &Search<'_>, bases: usize, end: usize, codes: &[u8]) -> Result<(), usize> {
        self.end = end;
        if bases < WORD {
            self.start = end - 1;
            let base = codes[self.start];
            if base > 3 {
                return Err(self.start);
            }
            self.interval = search.fm.of_base(base);
            return Ok(());
        }
        self.start = end - WORD;
        let word = codes[self.start..end].try_into().expect("as many bases as a word has");
        match search.prefixes.of(word) {
            Some(interval) => self.interval = interval,
            None => return Err(self.start + word.iter().rposition(|&base| base > 3).expect("an unknown base")),
        }
        Ok(())
    }

    fn look_left(&mut self, search: &Search<'_>, codes: &[u8]) -> Step {
        if self.start == 0 || self.start == self.from && !self.is_open_left {
            return self.start_of_match_found(search);
        }
        let before = self.start - 1;
        let base = codes[before];
        let longer = if base > 3 { Interval::default() } else { search.fm.with_base_before(self.interval, base) };
        if longer.occurrences >= self.least {
            (self.interval, self.start) = (longer, before);
            search.fm.prefetch_before(longer);
            return Step::Again;
        }
        if before < self.from {
            return self.start_of_match_found(search);
        }
        self.rule_out(before);
        Step::Again
    }

    /// No match starts at this base or before it.
    fn rule_out(&mut self, base: usize) {
        self.from = base + 1;
        self.is_open_left = false;
        self.phase = Phase::Window;
    }

    fn start_of_match_found(&mut self, search: &Search<'_>) -> Step {
        self.phase = Phase::Right;
        if self.occurs_once() {
            return Step::LookUp;
        }
        search.fm.prefetch_behind(self.interval);
        Step::Again
    }

    /// Whether comparing read and reference takes the place of further steps.
    fn occurs_once(&self) -> bool {
        self.interval.occurrences == 1 && self.least <= 1
    }

    fn look_right(&mut self, search: &Search<'_>, codes: &[u8]) -> Step {
        let longer = match codes.get(self.end) {
            Some(&base) if base < 4 => search.fm.with_base_behind(self.interval, base),
            _ => Interval::default(),
        };
        if longer.occurrences < self.least {
            self.take_match(Places::Rows(self.interval.row));
            return Step::Again;
        }
        self.interval = longer;
        self.end += 1;
        if self.occurs_once() {
            return Step::LookUp;
        }
        search.fm.prefetch_behind(longer);
        Step::Again
    }

    fn take_match(&mut self, places: Places) {
        self.push(self.interval.occurrences, places);
        (self.from, self.reach) = (self.start + 1, self.end);
        self.is_open_left = false;
        self.phase = Phase::Window;
    }

    fn push(&mut self, occurrences: i64, places: Places) {
        let (start, end) = (self.start as u32, self.end as u32);
        self.found.push(Match { start, end, occurrences, places, round: self.round });
    }

    /// The second round's next search, or the third round.
    fn next_search(&mut self, search: &Search<'_>, codes: &[u8]) -> Step {
        if self.round > 1 {
            return self.search_further(search);
        }
        self.round = 2;
        self.first_round = self.found.len();
        match search.settings.gate.map(|gate| gate.judge(codes.len(), &self.first_matches())) {
            None | Some(SeedingVerdict::Further) => self.search_further(search),
            Some(SeedingVerdict::Enough) => self.enough(),
            Some(SeedingVerdict::EnoughIfUnique(parts)) => {
                (self.parts, self.phase) = (parts, Phase::Part);
                Step::Again
            }
        }
    }

    fn first_matches(&self) -> Vec<FirstMatch> {
        let first = |of: &Match| {
            let place = if let Places::At(place) = of.places { Some(place) } else { None };
            FirstMatch { start: of.start, end: of.end, occurrences: of.occurrences, place }
        };
        self.found.iter().map(first).collect()
    }

    fn enough(&mut self) -> Step {
        self.is_first_round_enough = true;
        Step::Done
    }

    fn choose_part(&mut self, search: &Search<'_>, codes: &[u8]) -> Step {
        let Some(Range { start, end }) = self.parts.pop() else { return self.enough() };
        self.from = start as usize;
        if self.begin(search, (end - start) as usize, end as usize, codes).is_err() {
            return self.search_further(search);
        }
        search.fm.prefetch_before(self.interval);
        self.phase = Phase::PartLeft;
        Step::Again
    }

    fn part_left(&mut self, search: &Search<'_>, codes: &[u8]) -> Step {
        if self.interval.occurrences <= 1 {
            self.phase = Phase::Part;
        } else if self.start == self.from {
            return self.search_further(search);
        } else {
            self.start -= 1;
            self.interval = search.fm.with_base_before(self.interval, codes[self.start]);
            search.fm.prefetch_before(self.interval);
        }
        Step::Again
    }

    fn search_further(&mut self, search: &Search<'_>) -> Step {
        let parents = &self.found[self.parents..self.first_round];
        let is_parent = |parent: &Match| {
            (parent.end - parent.start) as usize >= search.settings.long && parent.occurrences <= search.settings.rare
        };
        if let Some(next) = parents.iter().position(is_parent) {
            let parent = parents[next];
            self.parents += next + 1;
            let middle = ((parent.start + parent.end) >> 1) as usize;
            self.from = (middle + 1).saturating_sub(search.settings.shortest);
            (self.last_start, self.reach, self.least) = (middle, 0, parent.occurrences + 1);
            self.is_open_left = true;
            self.phase = Phase::Window;
            return Step::Again;
        }
        if search.settings.third_round_below == 0 {
            return Step::Done;
        }
        self.round = 3;
        self.from = 0;
        self.phase = Phase::Stretch;
        Step::Again
    }

    fn choose_stretch(&mut self, search: &Search<'_>, codes: &[u8]) -> Step {
        let bases = search.settings.shortest_of_third_round();
        loop {
            let Some(stretch) = codes.get(self.from..self.from + bases) else { return Step::Done };
            match stretch.iter().position(|&base| base > 3) {
                Some(unknown) => self.from += unknown + 1,
                None => break,
            }
        }
        let end = self.from + bases;
        let earlier = self.found.iter().enumerate().take_while(|(_, earlier)| earlier.round < 3);
        let around = earlier.filter(|(_, earlier)| earlier.start as usize <= self.from && end <= earlier.end as usize);
        self.around =
            around.map(|(number, earlier)| (number, earlier.occurrences)).max_by_key(|&(_, occurrences)| occurrences);
        self.begin(search, bases, end, codes).expect("bases that are known");
        self.phase = Phase::StretchLeft;
        if !self.is_stretch_decided(search) {
            search.fm.prefetch_before(self.interval);
        }
        Step::Again
    }

    fn stretch_left(&mut self, search: &Search<'_>, codes: &[u8]) {
        if self.start > self.from {
            self.start -= 1;
            self.interval = search.fm.with_base_before(self.interval, codes[self.start]);
            if self.is_stretch_decided(search) {
                return;
            }
        }
        if self.start > self.from {
            search.fm.prefetch_before(self.interval);
        } else if self.interval.occurrences < search.settings.third_round_below {
            self.push(self.interval.occurrences, Places::Rows(self.interval.row));
            self.next_stretch();
        } else {
            search.fm.prefetch_behind(self.interval);
            self.phase = Phase::StretchRight;
        }
    }

    /// Whether no further base has to be looked at: the stretch does not occur, or as often as a match that it lies within.
    fn is_stretch_decided(&mut self, search: &Search<'_>) -> bool {
        let occurrences = self.interval.occurrences;
        match self.around {
            _ if occurrences == 0 => {}
            Some((number, least)) if occurrences == least && least < search.settings.third_round_below => {
                self.start = self.from;
                self.push(occurrences, Places::Within(number as u32));
            }
            _ => return false,
        }
        self.next_stretch();
        true
    }

    fn next_stretch(&mut self) {
        self.from = self.end;
        self.phase = Phase::Stretch;
    }

    fn stretch_right(&mut self, search: &Search<'_>, codes: &[u8]) {
        let base = codes.get(self.end).copied().unwrap_or(4);
        self.end += 1;
        if base > 3 {
            return self.next_stretch();
        }
        self.interval = search.fm.with_base_behind(self.interval, base);
        if self.interval.occurrences >= search.settings.third_round_below {
            return search.fm.prefetch_behind(self.interval);
        }
        if self.interval.occurrences > 0 {
            self.push(self.interval.occurrences, Places::Rows(self.interval.row));
        }
        self.next_stretch();
    }
}
