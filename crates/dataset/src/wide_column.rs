//! Columns of windows and masks, written without the Parquet crate's own column writer: that makes an object of each value,
//! which takes more time than compressing them.

use arrow_array::{Array, FixedSizeBinaryArray};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, EncodingMask};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

/// Bytes of values from which on a page is full.
const PAGE_BYTES: usize = 1 << 20;

/// Writes one column of one row group: fixed-size binary at the top level, plain, ZSTD, without dictionary and statistics.
pub(crate) struct WideColumnWriter {
    column: ColumnDescPtr,
    compression: Compression,
    compressor: Compressor<'static>,
    /// Values of the page that is under way, one behind the other, those that are null left out.
    values: Vec<u8>,
    /// Which of its rows are not null; empty where the column's values cannot be.
    present: Vec<bool>,
    page_rows: usize,
    rows: usize,
    pages: TrackedWrite<Vec<u8>>,
    uncompressed: usize,
}

impl WideColumnWriter {
    /// A writer for a column of the schema, compressing with a ZSTD `level`.
    pub(crate) fn new(column: ColumnDescPtr, compression: Compression, level: i32) -> Result<Self> {
        let compressor = Compressor::new(level).map_err(|error| ParquetError::External(error.into()))?;
        Ok(Self {
            column,
            compression,
            compressor,
            values: Vec::new(),
            present: Vec::new(),
            page_rows: 0,
            rows: 0,
            pages: TrackedWrite::new(Vec::new()),
            uncompressed: 0,
        })
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
            self.present.extend((0..array.len()).map(|row| array.is_valid(row)));
        }
        self.page_rows += array.len();
        self.rows += array.len();
        if self.values.len() >= PAGE_BYTES { self.end_page() } else { Ok(()) }
    }

    /// The column's bytes, and what the file's metadata say of them.
    pub(crate) fn close(mut self) -> Result<(Bytes, ColumnCloseResult)> {
        if self.page_rows > 0 {
            self.end_page()?;
        }
        let pages = self.pages.into_inner()?;
        let metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(self.compression)
            .set_encodings_mask(EncodingMask::new_from_encodings([Encoding::PLAIN, Encoding::RLE].iter()))
            .set_total_compressed_size(pages.len() as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_num_values(self.rows as i64)
            .set_data_page_offset(0)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: pages.len() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok((pages.into(), close))
    }

    fn may_be_null(&self) -> bool {
        self.column.max_def_level() > 0
    }

    fn end_page(&mut self) -> Result<()> {
        let mut page = Vec::with_capacity(self.values.len() + self.present.len() / 8 + 16);
        if self.may_be_null() {
            let levels = levels(&self.present);
            page.extend_from_slice(&(levels.len() as u32).to_le_bytes());
            page.extend_from_slice(&levels);
        }
        page.append(&mut self.values);
        let compressed = self.compressor.compress(&page).map_err(|error| ParquetError::External(error.into()))?;
        let data = Page::DataPage {
            buf: compressed.into(),
            num_values: self.page_rows as u32,
            encoding: Encoding::PLAIN,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let written = SerializedPageWriter::new(&mut self.pages).write_page(CompressedPage::new(data, page.len()))?;
        self.uncompressed += written.uncompressed_size;
        self.page_rows = 0;
        self.present.clear();
        // The page's memory serves the next.
        page.clear();
        self.values = page;
        Ok(())
    }
}

/// Definition levels 0 (null) and 1, in the hybrid of run lengths and packed bits: one run where all are the same, else
/// all packed (Parquet's format, Encodings, RLE).
fn levels(present: &[bool]) -> Vec<u8> {
    if let Some(first) = present.first()
        && present.iter().all(|one| one == first)
    {
        let mut run = varint(present.len() << 1);
        run.push(u8::from(*first));
        return run;
    }
    let mut packed = varint(present.len().div_ceil(8) << 1 | 1);
    packed.extend(
        present
            .chunks(8)
            .map(|bits| bits.iter().enumerate().fold(0u8, |byte, (bit, &present)| byte | u8::from(present) << bit)),
    );
    packed
}

/// Seven bits a byte, the lowest first; the highest bit says that another follows.
fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_one_run_or_packed_bits() {
        assert_eq!(levels(&[true; 300]), [0b1101_1000, 0b100, 1]);
        assert_eq!(levels(&[false; 3]), [6, 0]);
        assert_eq!(levels(&[true, false, true, true, false, false, false, false, true]), [5, 0b1101, 1]);
        assert!(levels(&[]).len() == 1);
    }
}
