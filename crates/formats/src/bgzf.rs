use std::io::{self, Write};

use noodles::bgzf;
use noodles::bgzf::io::writer::CompressionLevel;
use rayon::prelude::*;

/// Bytes in each block but the last, before compression. All blocks are of one size, so that the place of a byte tells its
/// block, and the file does not depend on how the bytes came in, or on the number of threads. htslib's blocks have it, too.
const BLOCK_BYTES: usize = 0xff00;

/// Writes BGZF; whole blocks are compressed in parallel on the current rayon pool.
pub(crate) struct BlockWriter<W: Write> {
    out: W,
    level: CompressionLevel,
    /// Not compressed yet; less than a block between two calls.
    pending: Vec<u8>,
    /// Blocks written.
    blocks: u64,
    /// Bytes of them in the file.
    compressed: u64,
    /// Where in the file the last blocks start: those of the last [`BlockWriter::write`], and the one to come.
    starts: Vec<u64>,
}

impl<W: Write> BlockWriter<W> {
    pub fn new(out: W, level: CompressionLevel) -> Self {
        Self { out, level, pending: Vec::new(), blocks: 0, compressed: 0, starts: vec![0] }
    }

    /// Bytes that came in so far.
    pub fn position(&self) -> u64 {
        self.blocks * BLOCK_BYTES as u64 + self.pending.len() as u64
    }

    /// Takes further bytes, and writes the blocks that they fill.
    pub fn write(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        for part in parts {
            self.pending.extend_from_slice(part);
        }
        let whole = self.pending.len() / BLOCK_BYTES * BLOCK_BYTES;
        self.starts.clear();
        self.starts.push(self.compressed);
        self.compress(whole)?;
        self.pending.drain(..whole);
        Ok(())
    }

    /// Virtual position (SAM specification, section 4.1.1) of a byte that came in during the last [`BlockWriter::write`],
    /// of a byte that was pending then, or of the byte to come.
    pub fn virtual_position(&self, position: u64) -> bgzf::VirtualPosition {
        let (block, within) = (position / BLOCK_BYTES as u64, position % BLOCK_BYTES as u64);
        let oldest = self.blocks + 1 - self.starts.len() as u64;
        let start = self.starts[(block - oldest) as usize];
        bgzf::VirtualPosition::from(start << 16 | within)
    }

    /// Writes what is pending and the block that ends the file.
    pub fn finish(mut self) -> io::Result<W> {
        self.compress(self.pending.len())?;
        let end = bgzf::io::Writer::new(Vec::new()).finish()?;
        self.out.write_all(&end)?;
        Ok(self.out)
    }

    fn compress(&mut self, bytes: usize) -> io::Result<()> {
        let level = self.level;
        let blocks: Vec<Vec<u8>> = self.pending[..bytes]
            .par_chunks(BLOCK_BYTES)
            .map(|block| compressed(block, level))
            .collect::<Result<_, _>>()?;
        for block in blocks {
            self.out.write_all(&block)?;
            self.blocks += 1;
            self.compressed += block.len() as u64;
            self.starts.push(self.compressed);
        }
        Ok(())
    }
}

/// One block, without the block that ends a file.
fn compressed(bytes: &[u8], level: CompressionLevel) -> io::Result<Vec<u8>> {
    let builder = bgzf::io::writer::Builder::default().set_compression_level(level);
    let mut writer = builder.build_from_writer(Vec::with_capacity(bytes.len() / 2));
    writer.write_all(bytes)?;
    writer.flush()?;
    Ok(writer.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, SeekFrom};

    use super::*;

    /// Lines that compress badly enough to give several blocks of different sizes.
    fn lines() -> Vec<Vec<u8>> {
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        (0..20_000).map(|number| format!("{number}\t{}\t{}\n", next(), next() % 7).into_bytes()).collect()
    }

    fn written(lines: &[Vec<u8>], batch: usize) -> (Vec<u8>, Vec<bgzf::VirtualPosition>) {
        let mut writer = BlockWriter::new(Vec::new(), CompressionLevel::default());
        let mut places = Vec::new();
        for batch in lines.chunks(batch) {
            let parts: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
            let mut starts = vec![writer.position()];
            starts.extend(batch.iter().map(|line| line.len() as u64));
            writer.write(&parts).unwrap();
            let mut at = 0;
            places.extend(starts[..batch.len()].iter().map(|step| {
                at += step;
                writer.virtual_position(at)
            }));
        }
        (writer.finish().unwrap(), places)
    }

    #[test]
    fn the_bytes_do_not_depend_on_how_they_came_in() {
        let lines = lines();
        assert_eq!(written(&lines, 1).0, written(&lines, 7_001).0);
    }

    #[test]
    fn every_line_is_found_at_its_virtual_position() {
        let lines = lines();
        for batch in [1, 333, 20_000] {
            let (file, places) = written(&lines, batch);
            let mut reader = bgzf::io::Reader::new(io::Cursor::new(&file));
            for number in (0..lines.len()).step_by(997) {
                reader.seek(places[number]).unwrap();
                let mut found = vec![0; lines[number].len()];
                reader.read_exact(&mut found).unwrap();
                assert_eq!(found, lines[number], "line {number} of batches of {batch}");
            }
        }
        let (file, _) = written(&lines, 5);
        let mut end = io::Cursor::new(&file);
        end.seek(SeekFrom::End(-28)).unwrap();
        let mut last = Vec::new();
        end.read_to_end(&mut last).unwrap();
        assert_eq!(&last[..4], [0x1f, 0x8b, 8, 4], "the block that ends a file");
    }
}
