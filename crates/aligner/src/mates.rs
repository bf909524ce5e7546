//! Reads of one stream: which of them are mates, and chunks of both kinds.

use crate::{AlignerError, Read};

/// What a stream says of a read's mate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mate {
    /// Nothing: neighbours of one name are mates (FASTQ).
    ByName,
    /// There is none.
    Unpaired,
    /// This is the first read of a pair.
    First,
    /// This is the second read of a pair.
    Second,
}

/// Reads one after the other, whatever the format.
pub trait ReadStream: Send {
    /// The next read, or `None` at the end.
    ///
    /// # Errors
    /// A broken record.
    fn next_read(&mut self) -> Result<Option<(Read, Mate)>, AlignerError>;

    /// An error about the read that came last.
    fn error(&self, problem: String) -> AlignerError;
}

/// A chunk of single reads and pairs in any order.
#[derive(Debug, Default)]
pub struct MixedChunk {
    /// The single reads, in their order.
    pub singles: Vec<Read>,
    /// The pairs, in their order.
    pub pairs: Vec<[Read; 2]>,
    /// For each single read or pair, in the order of the stream: whether it is a pair.
    pub is_pair: Vec<bool>,
}

impl MixedChunk {
    /// Reads, mates counted one each.
    #[must_use]
    pub fn reads(&self) -> u64 {
        (self.singles.len() + 2 * self.pairs.len()) as u64
    }
}

/// Joins neighbours that are mates; other reads stay single, as bwa's -p has it.
pub struct MateJoiner {
    stream: Box<dyn ReadStream>,
    ahead: Option<(Read, Mate)>,
}

impl MateJoiner {
    /// Joins the mates of `stream`.
    #[must_use]
    pub fn new(stream: Box<dyn ReadStream>) -> Self {
        Self { stream, ahead: None }
    }

    /// The next reads, until they have at least `bases` bases together; an empty chunk at the end. A pair is never cut.
    ///
    /// # Errors
    /// A broken record; a read that is flagged as one of a pair and has no mate beside it.
    pub fn next_chunk(&mut self, bases: u64) -> Result<MixedChunk, AlignerError> {
        let mut chunk = MixedChunk::default();
        let mut seen = 0;
        while seen < bases {
            let Some((one, mate)) = self.next_read()? else { break };
            seen += one.bases.len() as u64;
            match self.mate_of(&one, mate)? {
                Some(two) => {
                    seen += two.bases.len() as u64;
                    chunk.pairs.push(if mate == Mate::Second { [two, one] } else { [one, two] });
                    chunk.is_pair.push(true);
                }
                None => {
                    chunk.singles.push(one);
                    chunk.is_pair.push(false);
                }
            }
        }
        Ok(chunk)
    }

    fn next_read(&mut self) -> Result<Option<(Read, Mate)>, AlignerError> {
        match self.ahead.take() {
            Some(read) => Ok(Some(read)),
            None => self.stream.next_read(),
        }
    }

    fn mate_of(&mut self, one: &Read, mate: Mate) -> Result<Option<Read>, AlignerError> {
        if mate == Mate::Unpaired {
            return Ok(None);
        }
        let wanted = match mate {
            Mate::First => Mate::Second,
            Mate::Second => Mate::First,
            other => other,
        };
        match self.stream.next_read()? {
            Some((two, kind)) if kind == wanted && two.name == one.name => Ok(Some(two)),
            other if mate == Mate::ByName => {
                self.ahead = other;
                Ok(None)
            }
            other => {
                let found = other.map_or("the file ends".to_owned(), |(two, _)| format!("{} comes", two.name));
                Err(self.stream.error(format!(
                    "{} is flagged as one of a pair, but {found} after it instead of its mate; put mates together with \
                     `samtools collate`",
                    one.name
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Listed(std::collections::VecDeque<(&'static str, Mate)>);

    impl ReadStream for Listed {
        fn next_read(&mut self) -> Result<Option<(Read, Mate)>, AlignerError> {
            let read = |name: &str| Read { name: name.into(), bases: b"ACGT".to_vec(), ..Read::default() };
            Ok(self.0.pop_front().map(|(name, mate)| (read(name), mate)))
        }

        fn error(&self, problem: String) -> AlignerError {
            AlignerError::Reads { path: "listed".into(), record: 0, problem }
        }
    }

    fn joined(reads: &[(&'static str, Mate)]) -> Result<MixedChunk, AlignerError> {
        MateJoiner::new(Box::new(Listed(reads.iter().copied().collect()))).next_chunk(1 << 20)
    }

    #[test]
    fn neighbours_of_one_name_are_mates_and_the_others_single() {
        let named = |names: &[&'static str]| names.iter().map(|name| (*name, Mate::ByName)).collect::<Vec<_>>();
        let chunk = joined(&named(&["a", "b", "b", "c", "d", "d", "e"])).unwrap();
        assert_eq!(chunk.is_pair, [false, true, false, true, false]);
        assert_eq!(chunk.singles.iter().map(|read| read.name.as_str()).collect::<String>(), "ace");
        assert_eq!((chunk.pairs.len(), chunk.reads()), (2, 7));
    }

    #[test]
    fn flags_decide_where_there_are_some() {
        let chunk = joined(&[("a", Mate::Unpaired), ("a", Mate::Unpaired), ("b", Mate::Second), ("b", Mate::First)]);
        assert_eq!(chunk.unwrap().is_pair, [false, false, true]);
        let problem = joined(&[("a", Mate::First), ("b", Mate::Second)]).unwrap_err().to_string();
        assert!(problem.contains("a is flagged") && problem.contains("b comes after it"), "{problem}");
        assert!(joined(&[("a", Mate::First)]).unwrap_err().to_string().contains("the file ends"));
    }

    #[test]
    fn a_chunk_ends_behind_a_whole_pair() {
        let reads = [("a", Mate::ByName), ("a", Mate::ByName), ("b", Mate::ByName)];
        let mut joiner = MateJoiner::new(Box::new(Listed(reads.iter().copied().collect())));
        assert_eq!(joiner.next_chunk(1).unwrap().is_pair, [true]);
        assert_eq!(joiner.next_chunk(1).unwrap().is_pair, [false]);
        assert!(joiner.next_chunk(1).unwrap().is_pair.is_empty());
    }
}
