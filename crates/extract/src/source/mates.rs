use super::{SourceRead, Unit};
use std::collections::{BTreeMap, HashMap};

/// Brings mates together by name, with at most a stated number of reads waiting.
///
/// Pairs come in the order in which their second read is met. When one read more would have to wait, the read that has
/// waited longest is released as a single read; its mate then waits in vain and is released at the end.
pub(crate) struct MateJoiner {
    limit: usize,
    arrivals: u64,
    number_of: HashMap<String, u64>,
    waiting: BTreeMap<u64, SourceRead>,
}

impl MateJoiner {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), arrivals: 0, number_of: HashMap::new(), waiting: BTreeMap::new() }
    }

    /// Takes a read of a pair; gives back its pair, or a read that has waited too long.
    pub(crate) fn add(&mut self, read: SourceRead) -> Option<Unit> {
        if let Some(&number) = self.number_of.get(&read.read.name)
            && self.waiting.get(&number).is_some_and(|waiting| waiting.mate != read.mate)
        {
            self.number_of.remove(&read.read.name);
            let waiting = self.waiting.remove(&number)?;
            let pair = if waiting.mate == 1 { [waiting, read] } else { [read, waiting] };
            return Some(Unit::Pair(Box::new(pair)));
        }
        // Two first reads of one name are no pair: the earlier one is released.
        let same_name = self.number_of.get(&read.read.name).and_then(|number| self.waiting.remove(number));
        let released = match same_name {
            Some(same_name) => Some(same_name),
            None if self.waiting.len() == self.limit => self.take_oldest(),
            None => None,
        };
        self.number_of.insert(read.read.name.clone(), self.arrivals);
        self.waiting.insert(self.arrivals, read);
        self.arrivals += 1;
        released.map(|read| Unit::Single(Box::new(read)))
    }

    /// Reads that wait for their mates.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The read that has waited longest.
    pub(crate) fn take_oldest(&mut self) -> Option<SourceRead> {
        let (_, read) = self.waiting.pop_first()?;
        self.number_of.remove(&read.read.name);
        Some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedsieve_aligner::Read;
    use std::path::Path;
    use std::sync::Arc;

    fn read(name: &str, mate: u8) -> SourceRead {
        SourceRead {
            read: Read { name: name.into(), ..Read::default() },
            mate,
            sample: Arc::from("s"),
            path: Arc::from(Path::new("a.bam")),
            alignment: None,
        }
    }

    /// `name1+name2` for a pair, `name1` for a single read, the digit being the mate.
    fn shown(unit: Option<Unit>) -> String {
        let show = |read: &SourceRead| format!("{}{}", read.read.name, read.mate);
        match unit {
            None => String::new(),
            Some(Unit::Single(read)) => show(&read),
            Some(Unit::Pair(pair)) => format!("{}+{}", show(&pair[0]), show(&pair[1])),
        }
    }

    fn run(limit: usize, reads: &[(&str, u8)]) -> Vec<String> {
        let mut joiner = MateJoiner::new(limit);
        let mut units: Vec<_> = reads.iter().map(|&(name, mate)| shown(joiner.add(read(name, mate)))).collect();
        while let Some(read) = joiner.take_oldest() {
            units.push(shown(Some(Unit::Single(Box::new(read)))));
        }
        units.retain(|unit| !unit.is_empty());
        units
    }

    #[test]
    fn pairs_come_when_the_second_read_is_met_with_the_first_mate_first() {
        assert_eq!(run(9, &[("a", 2), ("b", 1), ("b", 2), ("c", 1), ("a", 1)]), ["b1+b2", "a1+a2", "c1"]);
    }

    #[test]
    fn the_read_that_has_waited_longest_is_released_at_the_limit() {
        let reads = [("a", 1), ("b", 1), ("c", 1), ("b", 2), ("a", 2), ("c", 2)];
        assert_eq!(run(2, &reads), ["a1", "b1+b2", "c1+c2", "a2"]);
    }

    #[test]
    fn two_first_reads_of_one_name_are_no_pair() {
        assert_eq!(run(9, &[("a", 1), ("a", 1), ("a", 2)]), ["a1", "a1+a2"]);
    }
}
