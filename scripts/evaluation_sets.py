#!/usr/bin/env python3
"""Makes the data sets that the shipped models are trained and evaluated on. Standard library only.

Trained on: one person at 30x and a genome-wide library whose reads mostly come from elsewhere. Evaluated on reads that
share no read with them: 30x reads of another person at another place, HiSeqX reads of a third person, the genome-wide
library's other reads, repeats (telomere, subtelomere, one MHC haplotype against another), yeast.
"""

from __future__ import annotations

import argparse
import gzip
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bam_to_fastq

WINDOWS_START = 16_569_852
"""Where the two 30x windows begin on chr21 and chr22."""
UNSEEN_END = 16_598_000
"""The person trained on has reads from 16.60 Mb."""
TRAINING_PAIRS = 20_000
"""Pairs of the genome-wide library that may be trained on; the rest are evaluated on."""
MHC_PAIRS = 1_500
INSERT_MEAN, INSERT_DEVIATION, READ_BASES, ERRORS = 400, 50, 150, 0.003
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")

SETS = {
    # name: (reference, inputs, options of extract-seeds)
    "train/kgp30x-k19": ("human_mix", "na12878", ["--read-pairs", "12000"]),
    "train/kgp30x-k14": ("human_mix", "na12878", ["-k", "14", "--read-pairs", "5000", "--seed", "2"]),
    "train/foreign-k19": ("human_mix", "foreign_train", ["--read-pairs", "8000", "--seed", "4"]),
    "train/foreign-k14": ("human_mix", "foreign_train", ["-k", "14", "--read-pairs", "4000"]),
    "train/foreign-k12": ("human_mix", "foreign_train", ["-k", "12", "--read-pairs", "1200", "--seed", "3"]),
    "test/30x-k19": ("human_mix", "na19401", ["--read-pairs", "5000"]),
    "test/hiseqx-hg002-k19": ("human_mix", "hg002", ["--read-pairs", "3000"]),
    "test/foreign-k14": ("human_mix", "foreign_test", ["-k", "14", "--read-pairs", "1500"]),
    "test/foreign-k12": ("human_mix", "foreign_test", ["-k", "12", "--read-pairs", "600"]),
    "test/telomere-k19": ("human_mix", "telomere", ["--read-pairs", "400"]),
    "test/subtelomere-k19": ("human_mix", "subtelomere", ["--read-pairs", "1500"]),
    "test/mhc-k19": ("PGF", "mhc", []),
    "test/yeast-k19": ("sacCer3", "yeast", ["--read-pairs", "6000"]),
    "test/yeast-k14": ("sacCer3", "yeast", ["-k", "14", "--read-pairs", "2000"]),
}
"""`train/` is trained on (its own test part, by place, is held out); `test/` is never touched in training."""


def main() -> int:
    """Makes what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder (docs/training-data.md)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the data sets")
    parser.add_argument("--seedsieve", type=Path, default=Path("target/release/seedsieve"), help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--only", action="append", choices=SETS, help="make only this set; may be repeated")
    options = parser.parse_args()
    reads = prepared_reads(options.data, options.out / "reads")
    for name in options.only or SETS:
        reference, source, settings = SETS[name]
        folder = options.out / name
        if (folder / "dataset.json").exists():
            continue
        fasta = prepared_reference(options.data, options.out / "references", reference, options.seedsieve)
        threads = ["--threads", str(options.threads)]
        command = [options.seedsieve, "extract-seeds", "--reference", fasta, "-o", folder, *threads, *settings]
        subprocess.run([*map(str, command), *reads[source]], check=True)
    return 0


def prepared_reads(data: Path, out: Path) -> dict[str, list[str]]:
    """Inputs of `extract-seeds` by name; those that have to be made are made."""
    out.mkdir(parents=True, exist_ok=True)
    reads, other = data / "human_reads", data / "other"
    foreign = [reads / f"genomewide/hiseq_TESTX_L001_R{mate}.fastq.gz" for mate in (1, 2)]
    made = {name: pair_of(out, name) for name in ("foreign_train", "foreign_test", "na19401", "mhc")}
    if not all(path.exists() for pair in made.values() for path in pair):
        for name, first, last in (("foreign_train", 0, TRAINING_PAIRS), ("foreign_test", TRAINING_PAIRS, None)):
            for source, target in zip(foreign, made[name], strict=True):
                target.write_text("".join(fastq_records(source, first, last)), encoding="ascii")
        write_pairs(made["na19401"], unseen_pairs(data / "kgp30x/NA19401.chr21_chr22.16.57-16.61M.bam"))
        write_pairs(made["mhc"], simulated_pairs(data / "human_ref/COX.fasta.gz", MHC_PAIRS))
    yeast = [str(other / f"yeast/SRR5204809_Input_100k_R{mate}.fastq.gz") for mate in (1, 2)]
    windows = [str(data / f"kgp30x/NA12878.chr{number}.16.60-16.80M.bam") for number in (21, 22)]
    return {
        **{name: [",".join(map(str, pair))] for name, pair in made.items()},
        "na12878": windows,
        "hg002": [str(reads / "hg002_10x_NA24385.b37.20.20156208_20234556.bam")],
        "telomere": [str(reads / "hiseqx_NA12878_garvan.b37.chr1_10k.bam")],
        "subtelomere": [str(reads / "kgp_lowcov_HG03297.b37.chr1.10kreads.bam")],
        "yeast": [",".join(yeast)],
    }


def prepared_reference(data: Path, out: Path, name: str, seedsieve: Path) -> Path:
    """An unpacked and indexed reference."""
    packed = {"human_mix": "human_ref/human_mix.fa.gz", "PGF": "human_ref/PGF.fasta.gz"}.get(
        name, f"other/yeast/{name}.fa.gz"
    )
    out.mkdir(parents=True, exist_ok=True)
    fasta = out / f"{name}.fa"
    if not fasta.exists():
        with gzip.open(data / packed, "rb") as source:
            fasta.write_bytes(source.read())
    if not Path(f"{fasta}.bwt.2bit.64").exists():
        subprocess.run([str(seedsieve), "index", str(fasta)], check=True)
    return fasta


def pair_of(out: Path, name: str) -> tuple[Path, Path]:
    """The two FASTQ files of a name."""
    return out / f"{name}_1.fastq", out / f"{name}_2.fastq"


def fastq_records(path: Path, first: int, last: int | None) -> Iterator[str]:
    """Records `first` to `last` (0-based, half-open) of a packed FASTQ file."""
    with gzip.open(path, "rt", encoding="ascii") as lines:
        for number, lines_of_record in enumerate(zip(*[lines] * 4, strict=True)):
            if number >= first and (last is None or number < last):
                yield "".join(lines_of_record)


def write_pairs(paths: tuple[Path, Path], pairs: Iterator[tuple[bam_to_fastq.Read, bam_to_fastq.Read]]) -> None:
    """Two FASTQ files."""
    with paths[0].open("w", encoding="ascii") as first, paths[1].open("w", encoding="ascii") as second:
        for one, two in pairs:
            first.write(one.fastq())
            second.write(two.fastq())


def unseen_pairs(bam: Path) -> Iterator[tuple[bam_to_fastq.Read, bam_to_fastq.Read]]:
    """Pairs whose both mates begin where the person that is trained on has no reads."""
    places: dict[tuple[str, int], int] = {}
    for read, position in bam_to_fastq.reads_and_positions(bam):
        places[read.name, read.mate] = position
    for one, two in bam_to_fastq.pairs(bam_to_fastq.read_bam(bam)):
        if all(WINDOWS_START <= places[read.name, read.mate] < UNSEEN_END for read in (one, two)):
            yield one, two


def simulated_pairs(fasta: Path, pairs: int) -> Iterator[tuple[bam_to_fastq.Read, bam_to_fastq.Read]]:
    """Pairs drawn evenly from a sequence, with substitutions as sequencing errors."""
    with gzip.open(fasta, "rt", encoding="ascii") as lines:
        sequence = "".join(line.strip() for line in lines if not line.startswith(">")).upper()
    draw = random.Random(1)
    for number in range(pairs):
        insert = max(READ_BASES, round(draw.gauss(INSERT_MEAN, INSERT_DEVIATION)))
        start = draw.randrange(len(sequence) - insert)
        fragment = sequence[start : start + insert]
        ends = [fragment[:READ_BASES], fragment[-READ_BASES:].translate(COMPLEMENT)[::-1]]
        if draw.random() < 0.5:
            ends.reverse()
        bases = ["".join(misread(base, draw) for base in end) for end in ends]
        yield tuple(
            bam_to_fastq.Read(f"mhc:{number}", mate, end, "I" * READ_BASES) for mate, end in enumerate(bases, start=1)
        )


def misread(base: str, draw: random.Random) -> str:
    """The base, or now and then another one."""
    return draw.choice([other for other in "ACGT" if other != base]) if draw.random() < ERRORS else base


if __name__ == "__main__":
    sys.exit(main())
