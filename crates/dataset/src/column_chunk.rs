//! The pages of one column of one row group, as they lie in the file.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, EncodingMask, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use std::cell::RefCell;
use zstd::bulk::Compressor;

thread_local! {
    /// One for all columns: its tables are cleared for each page, but their memory stays.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// Collects pages, compressed with ZSTD at the default level.
pub(crate) struct ColumnChunk {
    column: ColumnDescPtr,
    pages: TrackedWrite<Vec<u8>>,
    /// Where the data pages begin, behind the dictionary.
    data_offset: Option<i64>,
    rows: usize,
    uncompressed: usize,
    encoding: Encoding,
}

impl ColumnChunk {
    pub(crate) fn new(column: ColumnDescPtr) -> Self {
        let pages = TrackedWrite::new(Vec::new());
        Self { column, pages, data_offset: None, rows: 0, uncompressed: 0, encoding: Encoding::PLAIN }
    }

    /// Appends the dictionary: so many values, plain. It comes before all other pages.
    pub(crate) fn dictionary(&mut self, values: &[u8], number: usize) -> Result<()> {
        let buf = compress(values)?;
        let page = Page::DictionaryPage { buf, num_values: number as u32, encoding: Encoding::PLAIN, is_sorted: false };
        self.append(page, values.len())?;
        self.encoding = Encoding::RLE_DICTIONARY;
        self.data_offset = Some(self.pages.bytes_written() as i64);
        Ok(())
    }

    /// Appends a page of so many rows: levels, where the column has them, and values, by number where there is a dictionary.
    pub(crate) fn data(&mut self, page: &[u8], rows: usize) -> Result<()> {
        let data = Page::DataPage {
            buf: compress(page)?,
            num_values: rows as u32,
            encoding: self.encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        self.rows += rows;
        self.append(data, page.len())
    }

    fn append(&mut self, page: Page, uncompressed: usize) -> Result<()> {
        let page = CompressedPage::new(page, uncompressed);
        let written = SerializedPageWriter::new(&mut self.pages).write_page(page)?;
        self.uncompressed += written.uncompressed_size;
        Ok(())
    }

    /// The column's bytes, and what the file's metadata say of them.
    pub(crate) fn close(self, statistics: Option<Statistics>) -> Result<(Bytes, ColumnCloseResult)> {
        let pages = self.pages.into_inner()?;
        let encodings = [Encoding::PLAIN, Encoding::RLE, self.encoding];
        let mut metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_encodings_mask(EncodingMask::new_from_encodings(encodings.iter()))
            .set_total_compressed_size(pages.len() as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_num_values(self.rows as i64)
            .set_data_page_offset(self.data_offset.unwrap_or(0))
            .set_dictionary_page_offset(self.data_offset.map(|_| 0));
        if let Some(statistics) = statistics {
            metadata = metadata.set_statistics(statistics);
        }
        let close = ColumnCloseResult {
            bytes_written: pages.len() as u64,
            rows_written: self.rows as u64,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok((pages.into(), close))
    }
}

fn compress(page: &[u8]) -> Result<Bytes> {
    let external = |error: std::io::Error| ParquetError::External(error.into());
    COMPRESSOR.with_borrow_mut(|compressor| {
        let compressor = match compressor {
            Some(compressor) => compressor,
            none => none.insert(Compressor::new(ZstdLevel::default().compression_level()).map_err(external)?),
        };
        compressor.compress(page).map(Bytes::from).map_err(external)
    })
}

/// Appends the definition levels of a page, 0 (null) and 1: their length, then the hybrid of run lengths and packed bits
/// (Parquet's format, Encodings, RLE). `present` has a bit a row, the lowest first; none of them is read where no row is null.
pub(crate) fn append_levels(present: &[u8], rows: usize, nulls: usize, page: &mut Vec<u8>) {
    let start = page.len();
    page.extend_from_slice(&[0; 4]);
    if nulls == 0 || nulls == rows {
        append_varint(rows << 1, page);
        page.push(u8::from(nulls == 0));
    } else {
        let bytes = rows.div_ceil(8);
        append_varint(bytes << 1 | 1, page);
        page.extend_from_slice(&present[..bytes]);
    }
    let length = (page.len() - start - 4) as u32;
    page[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Seven bits a byte, the lowest first; the highest bit says that another follows.
pub(crate) fn append_varint(mut value: usize, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_one_run_or_packed_bits() {
        let levels = |present: &[u8], rows, nulls| {
            let mut page = vec![7];
            append_levels(present, rows, nulls, &mut page);
            page
        };
        assert_eq!(levels(&[], 300, 0), [7, 3, 0, 0, 0, 0b1101_1000, 0b100, 1]);
        assert_eq!(levels(&[0], 3, 3), [7, 2, 0, 0, 0, 6, 0]);
        assert_eq!(levels(&[0b1101, 1, 0], 9, 5), [7, 3, 0, 0, 0, 5, 0b1101, 1]);
    }
}
