//! Values of a column as they are collected.

use arrow_array::builder::{BooleanBufferBuilder, NullBufferBuilder, StringBuilder};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray, FixedSizeBinaryArray, PrimitiveArray};
use std::sync::Arc;

/// Bytes of a text that room is made for: a sample, a contig, a role.
const TEXT_BYTES: usize = 8;

/// Numbers, never null.
#[derive(Debug)]
pub(crate) struct Numbers<T: ArrowPrimitiveType>(Vec<T::Native>);

impl<T: ArrowPrimitiveType> Numbers<T> {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self(Vec::with_capacity(rows))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push_times(&mut self, value: T::Native, times: usize) {
        self.0.resize(self.0.len() + times, value);
    }

    pub(crate) fn extend(&mut self, values: impl Iterator<Item = T::Native>) {
        self.0.extend(values);
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::new(std::mem::take(&mut self.0).into(), None))
    }
}

/// Numbers that may be null.
#[derive(Debug)]
pub(crate) struct OptionalNumbers<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    nulls: NullBufferBuilder,
}

impl<T: ArrowPrimitiveType> OptionalNumbers<T> {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), nulls: NullBufferBuilder::new(rows) }
    }

    pub(crate) fn push_times(&mut self, value: Option<T::Native>, times: usize) {
        append_times(&mut self.nulls, value.is_some(), times);
        self.values.resize(self.values.len() + times, value.unwrap_or_default());
    }

    pub(crate) fn extend(&mut self, values: impl Iterator<Item = Option<T::Native>>) {
        self.values.extend(values.map(|value| {
            self.nulls.append(value.is_some());
            value.unwrap_or_default()
        }));
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::new(std::mem::take(&mut self.values).into(), self.nulls.finish()))
    }
}

/// Truth values, never null.
#[derive(Debug)]
pub(crate) struct Bits(BooleanBufferBuilder);

impl Bits {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self(BooleanBufferBuilder::new(rows))
    }

    pub(crate) fn extend(&mut self, values: impl Iterator<Item = bool>) {
        values.for_each(|value| self.0.append(value));
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        Arc::new(BooleanArray::new(self.0.finish(), None))
    }
}

/// Truth values that may be null.
#[derive(Debug)]
pub(crate) struct OptionalBits {
    values: BooleanBufferBuilder,
    nulls: NullBufferBuilder,
}

impl OptionalBits {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self { values: BooleanBufferBuilder::new(rows), nulls: NullBufferBuilder::new(rows) }
    }

    pub(crate) fn push_times(&mut self, value: Option<bool>, times: usize) {
        append_times(&mut self.nulls, value.is_some(), times);
        self.values.append_n(times, value.unwrap_or(false));
    }

    pub(crate) fn extend(&mut self, values: impl Iterator<Item = Option<bool>>) {
        for value in values {
            self.nulls.append(value.is_some());
            self.values.append(value.unwrap_or(false));
        }
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        Arc::new(BooleanArray::new(self.values.finish(), self.nulls.finish()))
    }
}

/// Texts, which may be null.
#[derive(Debug)]
pub(crate) struct Texts(StringBuilder);

impl Texts {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self(StringBuilder::with_capacity(rows, rows * TEXT_BYTES))
    }

    pub(crate) fn push_times(&mut self, value: Option<&str>, times: usize) {
        match value {
            Some(value) => self.0.append_value_n(value, times),
            None => self.0.append_nulls(times),
        }
    }

    pub(crate) fn extend<'a>(&mut self, values: impl Iterator<Item = Option<&'a str>>) {
        values.for_each(|value| self.0.append_option(value));
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// Values of so many bytes, which may be null.
#[derive(Debug)]
pub(crate) struct Bytes<const WIDTH: usize> {
    values: Vec<u8>,
    nulls: NullBufferBuilder,
}

impl<const WIDTH: usize> Bytes<WIDTH> {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows * WIDTH), nulls: NullBufferBuilder::new(rows) }
    }

    pub(crate) fn extend<'a>(&mut self, values: impl Iterator<Item = Option<&'a [u8; WIDTH]>>) {
        for value in values {
            self.nulls.append(value.is_some());
            self.values.extend_from_slice(value.unwrap_or(&[0; WIDTH]));
        }
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        let values = std::mem::take(&mut self.values).into();
        Arc::new(FixedSizeBinaryArray::new(WIDTH as i32, values, self.nulls.finish()))
    }
}

fn append_times(nulls: &mut NullBufferBuilder, is_there: bool, times: usize) {
    if is_there {
        nulls.append_n_non_nulls(times);
    } else {
        nulls.append_n_nulls(times);
    }
}
