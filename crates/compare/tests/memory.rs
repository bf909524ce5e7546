//! The peak of memory, in a process of its own.
#![cfg(target_os = "linux")]

use std::path::Path;

use seedsieve_compare::{AlignmentInput, CompareOptions, compare_inputs};

/// A SAM that is made as it is read.
struct Endless {
    reads: std::ops::Range<u32>,
    line: Vec<u8>,
}

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.line.is_empty() {
            let Some(read) = self.reads.next() else { return Ok(0) };
            let bases = "ACGTT".repeat(30);
            self.line =
                format!("r{read}\t0\tchr1\t{}\t60\t150M\t*\t0\t0\t{bases}\t{bases}\tAS:i:150\n", read % 9 + 1).into();
        }
        let length = buffer.len().min(self.line.len());
        buffer[..length].copy_from_slice(&self.line[..length]);
        self.line.drain(..length);
        Ok(length)
    }
}

#[test]
fn memory_does_not_grow_with_the_files() {
    let peak = || -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let compared = |reads| {
        let input = || {
            let endless = Endless { reads: 0..reads, line: Vec::new() };
            AlignmentInput::from_reader(Path::new("endless"), Box::new(endless)).unwrap()
        };
        compare_inputs(input(), input(), &CompareOptions::default()).unwrap().reads
    };
    assert_eq!(compared(1_000), 1_000);
    let before = peak();
    // Twice 70 MB.
    assert_eq!(compared(200_000), 200_000);
    let grown = peak() - before;
    assert!(grown < 30_000, "the peak grew by {grown} kB");
}
