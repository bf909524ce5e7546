//! Columns of numbers, truth values and texts, written without the Parquet crate's own column writer.
//!
//! Most of a data set's columns repeat: what belongs to a read stands in a row for each of its seeds, and the rest are small
//! numbers. So a column is looked through once in a row group: few different values become a dictionary, which is filled
//! by a table instead of hashes, and the rows' numbers in it either runs or whole bytes, which ZSTD compresses better and
//! faster than packed bits.

use crate::column_chunk::{ColumnChunk, append_levels, append_varint};
use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, StringArray};
use arrow_schema::DataType;
use bytes::Bytes;
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;
use std::collections::HashMap;
use std::hash::Hash;

/// Integers that lie within so many have a dictionary.
const DICTIONARY_SPAN: usize = 1 << 12;
/// Values in a row at the least, on average, where runs are written: a run takes two or three bytes.
const RUN: usize = 3;
/// The same where values are too far apart for a table, and have to be hashed.
const HASHED_RUN: usize = 6;

/// Writes one column of one row group after another, at the top level, a page each.
pub(crate) struct NarrowColumnWriter {
    column: ColumnDescPtr,
    has_statistics: bool,
    values: Values,
    /// Which rows are not null; only of a column whose values can be.
    present: BooleanBufferBuilder,
    nulls: usize,
    rows: usize,
    page: Vec<u8>,
}

/// Values that are not null.
enum Values {
    Bits(BooleanBufferBuilder),
    /// Integers of up to 32 bits, in an order of which that of unsigned numbers is the same: signed ones are moved by `flip`.
    Words {
        keys: Vec<u32>,
        flip: u32,
    },
    Longs(Vec<u64>),
    /// Floating-point numbers by their bits.
    Doubles(Vec<u64>),
    Texts(Texts),
}

/// Texts by their numbers, in the order in which they were met.
#[derive(Default)]
struct Texts {
    keys: Vec<u32>,
    known: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl NarrowColumnWriter {
    /// A writer for a column of this type.
    ///
    /// # Errors
    /// No data set has columns of the type.
    pub(crate) fn new(column: ColumnDescPtr, data_type: &DataType, has_statistics: bool) -> Result<Self> {
        let words = |flip| Values::Words { keys: Vec::new(), flip };
        let values = match data_type {
            DataType::Boolean => Values::Bits(BooleanBufferBuilder::new(0)),
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => words(0),
            DataType::Int32 => words(1 << 31),
            DataType::UInt64 => Values::Longs(Vec::new()),
            DataType::Float64 => Values::Doubles(Vec::new()),
            DataType::Utf8 => Values::Texts(Texts::default()),
            other => return Err(ParquetError::NYI(format!("columns of type {other}"))),
        };
        let present = BooleanBufferBuilder::new(0);
        Ok(Self { column, has_statistics, values, present, nulls: 0, rows: 0, page: Vec::new() })
    }

    /// Appends the values of some rows.
    pub(crate) fn write(&mut self, array: &dyn Array) {
        if self.column.max_def_level() > 0 {
            match array.nulls() {
                Some(nulls) => self.present.append_buffer(nulls.inner()),
                None => self.present.append_n(array.len(), true),
            }
        }
        self.nulls += array.null_count();
        self.rows += array.len();
        match &mut self.values {
            Values::Bits(bits) => {
                let array = array.as_boolean();
                if array.null_count() == 0 {
                    bits.append_buffer(array.values());
                } else {
                    array.iter().flatten().for_each(|bit| bits.append(bit));
                }
            }
            Values::Words { keys, flip } => match array.data_type() {
                DataType::UInt8 => append(array, array.as_primitive::<UInt8Type>().values(), u32::from, keys),
                DataType::UInt16 => append(array, array.as_primitive::<UInt16Type>().values(), u32::from, keys),
                DataType::UInt32 => append(array, array.as_primitive::<UInt32Type>().values(), |value| value, keys),
                _ => append(array, array.as_primitive::<Int32Type>().values(), |value| value as u32 ^ *flip, keys),
            },
            Values::Longs(longs) => append(array, array.as_primitive::<UInt64Type>().values(), |value| value, longs),
            Values::Doubles(bits) => append(array, array.as_primitive::<Float64Type>().values(), f64::to_bits, bits),
            Values::Texts(texts) => texts.append(array.as_string()),
        }
    }

    /// Ends the row group: the column's bytes there, and what the file's metadata say of them.
    pub(crate) fn finish(&mut self) -> Result<(Bytes, ColumnCloseResult)> {
        let mut chunk = ColumnChunk::new(self.column.clone());
        let page = &mut self.page;
        page.clear();
        if self.column.max_def_level() > 0 {
            append_levels(self.present.as_slice(), self.rows, self.nulls, page);
        }
        let nulls = Some(self.nulls as u64);
        let statistics = match &mut self.values {
            Values::Bits(bits) => {
                page.extend_from_slice(bits.as_slice());
                let bits = bits.finish();
                let set = bits.count_set_bits();
                let is_any = !bits.is_empty();
                Statistics::boolean(is_any.then_some(set == bits.len()), is_any.then_some(set > 0), None, nulls, false)
            }
            Values::Words { keys, flip } => {
                let range = range(keys);
                let value = |key: u32| (key ^ *flip) as i32;
                match Dictionary::of_words(keys, range) {
                    Some(dictionary) => {
                        let values = dictionary.values.iter().flat_map(|&key| value(key).to_le_bytes());
                        chunk.dictionary(&values.collect::<Vec<u8>>(), dictionary.values.len())?;
                        append_numbers(&dictionary.numbers, dictionary.values.len(), page);
                    }
                    None => page.extend(keys.iter().flat_map(|&key| value(key).to_le_bytes())),
                }
                keys.clear();
                Statistics::int32(
                    range.map(|(min, _)| value(min)),
                    range.map(|(_, max)| value(max)),
                    None,
                    nulls,
                    false,
                )
            }
            Values::Longs(longs) => {
                let range = range(longs);
                match Dictionary::of_runs(longs) {
                    Some(dictionary) => {
                        let values = dictionary.values.iter().flat_map(|long| long.to_le_bytes());
                        chunk.dictionary(&values.collect::<Vec<u8>>(), dictionary.values.len())?;
                        append_numbers(&dictionary.numbers, dictionary.values.len(), page);
                    }
                    None => page.extend(longs.iter().flat_map(|long| long.to_le_bytes())),
                }
                longs.clear();
                Statistics::int64(
                    range.map(|(min, _)| min as i64),
                    range.map(|(_, max)| max as i64),
                    None,
                    nulls,
                    false,
                )
            }
            Values::Doubles(bits) => {
                page.extend(bits.iter().flat_map(|bits| bits.to_le_bytes()));
                bits.clear();
                Statistics::double(None, None, None, nulls, false)
            }
            Values::Texts(texts) => {
                let plain = |text: &String| [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
                if !texts.known.is_empty() {
                    chunk.dictionary(&texts.known.iter().flat_map(plain).collect::<Vec<u8>>(), texts.known.len())?;
                    let numbers: Vec<u16> = texts.keys.iter().map(|&key| key as u16).collect();
                    append_numbers(&numbers, texts.known.len(), page);
                }
                let text = |text: Option<&String>| text.map(|text| ByteArray::from(text.as_str()));
                let (min, max) = (text(texts.known.iter().min()), text(texts.known.iter().max()));
                texts.clear();
                Statistics::byte_array(min, max, None, nulls, false)
            }
        };
        chunk.data(page, self.rows)?;
        self.present.truncate(0);
        (self.nulls, self.rows) = (0, 0);
        chunk.close(self.has_statistics.then_some(statistics))
    }
}

/// Appends the values of an array that are not null.
fn append<T: Copy, K>(array: &dyn Array, values: &[T], key: impl Fn(T) -> K, keys: &mut Vec<K>) {
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => keys.extend(values.iter().map(|&value| key(value))),
        Some(nulls) => keys.extend(nulls.valid_indices().map(|row| key(values[row]))),
    }
}

impl Texts {
    fn append(&mut self, array: &StringArray) {
        for text in array.iter().flatten() {
            let last = self.keys.last().copied();
            let key = match last.filter(|&last| self.known[last as usize] == text) {
                Some(last) => last,
                None => self.number_of(text),
            };
            self.keys.push(key);
        }
    }

    fn number_of(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.known.len() as u32;
        self.known.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.known.clear();
        self.numbers.clear();
    }
}

/// The least and the greatest.
fn range<T: Copy + Ord>(values: &[T]) -> Option<(T, T)> {
    let first = *values.first()?;
    Some(values.iter().fold((first, first), |(min, max), &value| (min.min(value), max.max(value))))
}

/// Different values, and the number of each row's. A row group has no more than 2^16 rows.
struct Dictionary<T> {
    values: Vec<T>,
    numbers: Vec<u16>,
}

impl Dictionary<u32> {
    /// In ascending order; `None` where a dictionary would not pay.
    fn of_words(keys: &[u32], range: Option<(u32, u32)>) -> Option<Self> {
        let (min, max) = range?;
        let span = (max - min) as usize;
        if span >= DICTIONARY_SPAN {
            return Self::of_runs(keys);
        }
        let mut table = vec![0; span + 1];
        for key in keys {
            table[(key - min) as usize] = 1;
        }
        let mut values = Vec::new();
        for (place, number) in table.iter_mut().enumerate().filter(|(_, number)| **number > 0) {
            *number = values.len() as u16;
            values.push(min + place as u32);
        }
        let numbers = keys.iter().map(|key| table[(key - min) as usize]).collect();
        Some(Self { values, numbers })
    }
}

impl<T: Copy + Eq + Hash> Dictionary<T> {
    /// In the order of the rows; `None` where values seldom repeat from row to row.
    fn of_runs(keys: &[T]) -> Option<Self> {
        let changes = keys.windows(2).filter(|pair| pair[0] != pair[1]).count();
        if keys.len() < HASHED_RUN * (changes + 1) {
            return None;
        }
        let (mut values, mut found, mut numbers) = (Vec::new(), HashMap::new(), Vec::with_capacity(keys.len()));
        for run in keys.chunk_by(|one, other| one == other) {
            let number = *found.entry(run[0]).or_insert_with(|| {
                values.push(run[0]);
                (values.len() - 1) as u16
            });
            numbers.resize(numbers.len() + run.len(), number);
        }
        Some(Self { values, numbers })
    }
}

/// Appends numbers in a dictionary of so many values: their width, then the hybrid of run lengths and packed bits, all of the
/// one or all of the other. The width is that of whole bytes.
fn append_numbers(numbers: &[u16], values: usize, page: &mut Vec<u8>) {
    let is_short = values <= 1 << 8;
    page.push(if is_short { 8 } else { 16 });
    let changes = numbers.windows(2).filter(|pair| pair[0] != pair[1]).count();
    if RUN * (changes + 1) <= numbers.len() {
        for run in numbers.chunk_by(|one, other| one == other) {
            append_varint(run.len() << 1, page);
            let number = run[0].to_le_bytes();
            page.extend_from_slice(if is_short { &number[..1] } else { &number });
        }
        return;
    }
    // Packed in groups of eight.
    let groups = numbers.len().div_ceil(8);
    append_varint(groups << 1 | 1, page);
    let missing = 8 * groups - numbers.len();
    if is_short {
        page.extend(numbers.iter().map(|&number| number as u8));
        page.resize(page.len() + missing, 0);
    } else {
        page.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        page.resize(page.len() + 2 * missing, 0);
    }
}

#[cfg(test)]
mod tests;
