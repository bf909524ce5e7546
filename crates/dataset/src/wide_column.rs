//! Columns of windows and masks, written without the Parquet crate's own column writer: that makes an object of each value,
//! which takes more time than compressing them.

use crate::column_chunk::{ColumnChunk, append_levels};
use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::{Array, FixedSizeBinaryArray};
use bytes::Bytes;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::schema::types::ColumnDescPtr;

/// Bytes of values from which on a page is full.
const PAGE_BYTES: usize = 1 << 20;

/// Writes one column of one row group after another: fixed-size binary at the top level, plain, without dictionary and
/// statistics.
pub(crate) struct WideColumnWriter {
    column: ColumnDescPtr,
    /// Values of the page that is under way, one behind the other, those that are null left out.
    values: Vec<u8>,
    /// Which of its rows are not null; empty where the column's values cannot be.
    present: BooleanBufferBuilder,
    nulls: usize,
    rows: usize,
    page: Vec<u8>,
    chunk: ColumnChunk,
}

impl WideColumnWriter {
    /// A writer for a column of the schema.
    pub(crate) fn new(column: ColumnDescPtr) -> Self {
        let chunk = ColumnChunk::new(column.clone());
        let (values, page) = (Vec::new(), Vec::new());
        Self { column, values, present: BooleanBufferBuilder::new(0), nulls: 0, rows: 0, page, chunk }
    }

    /// Appends the values of some rows.
    pub(crate) fn write(&mut self, array: &FixedSizeBinaryArray) -> Result<()> {
        if array.null_count() == 0 {
            let width = array.value_length() as usize;
            let start = array.offset() * width;
            self.values.extend_from_slice(&array.value_data()[start..start + array.len() * width]);
        } else {
            array.iter().flatten().for_each(|value| self.values.extend_from_slice(value));
        }
        if self.may_be_null() {
            match array.nulls() {
                Some(nulls) => self.present.append_buffer(nulls.inner()),
                None => self.present.append_n(array.len(), true),
            }
        }
        self.nulls += array.null_count();
        self.rows += array.len();
        if self.values.len() >= PAGE_BYTES { self.end_page() } else { Ok(()) }
    }

    /// Ends the row group: the column's bytes there, and what the file's metadata say of them.
    pub(crate) fn finish(&mut self) -> Result<(Bytes, ColumnCloseResult)> {
        if self.rows > 0 {
            self.end_page()?;
        }
        std::mem::replace(&mut self.chunk, ColumnChunk::new(self.column.clone())).close(None)
    }

    fn may_be_null(&self) -> bool {
        self.column.max_def_level() > 0
    }

    fn end_page(&mut self) -> Result<()> {
        let written = if self.may_be_null() {
            self.page.clear();
            append_levels(self.present.as_slice(), self.rows, self.nulls, &mut self.page);
            self.page.extend_from_slice(&self.values);
            self.chunk.data(&self.page, self.rows)
        } else {
            self.chunk.data(&self.values, self.rows)
        };
        self.values.clear();
        self.present.truncate(0);
        (self.nulls, self.rows) = (0, 0);
        written
    }
}
