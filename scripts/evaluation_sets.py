#!/usr/bin/env python3
"""Makes the data sets that the shipped models are trained and evaluated on. Standard library only.

Trained on: one person at 30x, a genome-wide library whose reads mostly come from elsewhere, six people at low coverage,
two of another platform, repeats (LPA haplotypes against one of them), fly, E. coli, a plant. Evaluated on reads that
share neither read nor person nor place with them: 30x, low-coverage and 2 x 101 reads of other people at other places,
HiSeqX reads of a fifth person, the genome-wide library's other reads, repeats (telomere, subtelomere, an MHC haplotype
against another), yeast. (The telomere's person is one of those trained on, at other places.)

`fresh/` is for the last word on a model that was chosen after a look at `test/`: pairs of the genome-wide library that
are in no other set, and yeast reads against the human reference.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import bam_to_fastq

WINDOWS_START = 16_569_852
"""Where the two 30x windows begin on chr21 and chr22."""
UNSEEN_END = 16_598_000
"""The person trained on has reads from 16.60 Mb."""
TRAINING_PAIRS = 20_000
"""Pairs of the genome-wide library that may be trained on; the rest are evaluated on."""
INSERT_MEAN, INSERT_DEVIATION, READ_BASES = 400, 50, 150
SIMULATED = {
    # name: (FASTA, pairs, substitutions a base)
    "mhc": ("human_ref/COX.fasta.gz", 3_000, 0.003),
    "lpa": ("human_ref/LPA_haplotypes.fa.gz", 3_000, 0.003),
    "kiwi": ("other/plants/kiwifruit_chr1.fa.gz", 3_000, 0.02),
}
"""Reads drawn evenly from sequences."""
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")

LOWCOV_TRAIN = ("20000000-20150000", "20240000-20300000")
LOWCOV_TEST = ("20152000-20238000",)
"""Places on chr20 of the low-coverage reads; those of HG002 lie within the latter."""
LOWCOV_PEOPLE = {
    "train": ("NA06984", "NA12058", "NA12400", "NA12272", "NA12273", "NA12275"),
    "test": ("NA12341", "NA12718"),
}


def regions(contig: str, places: Sequence[str]) -> list[str]:
    """Options of `extract-seeds`; an empty place is the whole contig."""
    return [word for place in places for word in ("--region", f"{contig}:{place}" if place else contig)]


SETS = {
    # name: (reference, inputs, options of extract-seeds)
    "train/kgp30x-k19": ("human_mix", "na12878", ["--read-pairs", "20000"]),
    "train/kgp30x-k14": ("human_mix", "na12878", ["-k", "14", "--read-pairs", "6000", "--seed", "2"]),
    "train/foreign-k19": ("human_mix", "foreign_train", ["--read-pairs", "12000", "--seed", "4"]),
    "train/foreign-k14": ("human_mix", "foreign_train", ["-k", "14", "--read-pairs", "8000"]),
    "train/foreign-k12": ("human_mix", "foreign_train", ["-k", "12", "--read-pairs", "3000", "--seed", "3"]),
    "train/foreign-more-k14": ("human_mix", "foreign_more_k14", ["-k", "14"]),
    "train/foreign-more-k12": ("human_mix", "foreign_more_k12", ["-k", "12", "--read-pairs", "5000"]),
    "train/lowcov-k19": ("human_mix", "lowcov_train", ["--read-pairs", "12000", *regions("20", LOWCOV_TRAIN)]),
    "train/lowcov-k14": (
        "human_mix",
        "lowcov_train",
        ["-k", "14", "--read-pairs", "4000", "--seed", "2", *regions("20", LOWCOV_TRAIN)],
    ),
    "train/platinum-k19": ("human_mix", "platinum_train", ["--read-pairs", "6000", "--region", "chrX"]),
    "train/lpa-k19": ("lpa", "lpa", []),
    "train/fly-k14": ("dm6", "fly", ["-k", "14", "--read-pairs", "12000"]),
    "train/ecoli-k19": ("ecoli", "ecoli", ["--read-pairs", "3000"]),
    "train/kiwi-k19": ("kiwi", "kiwi", []),
    "test/30x-k19": ("human_mix", "na19401", []),
    "test/hiseqx-hg002-k19": ("human_mix", "hg002", ["--read-pairs", "6000"]),
    "test/lowcov-k19": ("human_mix", "lowcov_test", regions("20", LOWCOV_TEST)),
    "test/platinum-k19": ("human_mix", "platinum_test", [*regions("chr4", [""]), *regions("chr12", [""])]),
    "test/foreign-k14": ("human_mix", "foreign_test", ["-k", "14", "--read-pairs", "3000"]),
    "test/foreign-k12": ("human_mix", "foreign_test", ["-k", "12", "--read-pairs", "1500"]),
    "test/telomere-k19": ("human_mix", "telomere", ["--read-pairs", "1000"]),
    "test/subtelomere-k19": ("human_mix", "subtelomere", ["--read-pairs", "3000"]),
    "test/mhc-k19": ("PGF", "mhc", []),
    "test/yeast-k19": ("sacCer3", "yeast", ["--read-pairs", "6000"]),
    "test/yeast-k14": ("sacCer3", "yeast", ["-k", "14", "--read-pairs", "2000"]),
    "fresh/foreign-k14": ("human_mix", "foreign_fresh", ["-k", "14"]),
    "fresh/foreign-k12": ("human_mix", "foreign_fresh", ["-k", "12", "--read-pairs", "3000"]),
    "fresh/yeast-on-human-k14": ("human_mix", "yeast", ["-k", "14", "--read-pairs", "30000"]),
}
"""`train/` is trained on (its own test part, by place, is held out); `test/` is never touched in training."""
FOREIGN = ("foreign_train", "foreign_test")
"""Both parts of the genome-wide library."""
FOREIGN_MORE = {"foreign_more_k14": "train/foreign-k14", "foreign_more_k12": "train/foreign-k12"}
"""Pairs of `foreign_train` that some set draws, but not this one: more to learn from, and none of the fresh ones."""


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
    made = {name: pair_of(out, name) for name in (*FOREIGN, *FOREIGN_MORE, "foreign_fresh", "na19401", *SIMULATED)}
    if not all(path.exists() for pair in made.values() for path in pair):
        for name, ends in zip(FOREIGN, ((0, TRAINING_PAIRS), (TRAINING_PAIRS, None)), strict=True):
            for source, target in zip(foreign, made[name], strict=True):
                target.write_text("".join(fastq_records(source, *ends)), encoding="ascii")
        for mate, source in enumerate(foreign):
            records = list(fastq_records(source, 0, None))
            parts = dict(zip(FOREIGN, (records[:TRAINING_PAIRS], records[TRAINING_PAIRS:]), strict=True))
            fresh = [record for name, part in parts.items() for record in unsampled(part, samples_of(name))]
            made["foreign_fresh"][mate].write_text("".join(fresh), encoding="ascii")
            kept_away = set(fresh)
            for name, data_set in FOREIGN_MORE.items():
                more = unsampled(parts["foreign_train"], [sample_of(data_set)])
                more = [record for record in more if record not in kept_away]
                made[name][mate].write_text("".join(more), encoding="ascii")
        write_pairs(made["na19401"], unseen_pairs(data / "kgp30x/NA19401.chr21_chr22.16.57-16.61M.bam"))
        for name, (fasta, pairs, errors) in SIMULATED.items():
            write_pairs(made[name], simulated_pairs(name, data / fasta, pairs, errors))
    yeast = [str(other / f"yeast/SRR5204809_Input_100k_R{mate}.fastq.gz") for mate in (1, 2)]
    lowcov = {
        part: [str(reads / f"kgp_lowcov_chr20/{person}.b37.20.20.0-20.3M.bam") for person in people]
        for part, people in LOWCOV_PEOPLE.items()
    }
    windows = [str(data / f"kgp30x/NA12878.chr{number}.16.60-16.80M.bam") for number in (21, 22)]
    return {
        **{name: [",".join(map(str, pair))] for name, pair in made.items()},
        "na12878": windows,
        "hg002": [str(reads / "hg002_10x_NA24385.b37.20.20156208_20234556.bam")],
        "lowcov_train": lowcov["train"],
        "lowcov_test": lowcov["test"],
        "platinum_train": [str(reads / f"platinum_{person}.hg19.chr4_12_X.bam") for person in ("NA12878", "NA12889")],
        "platinum_test": [str(reads / "platinum_NA12890.hg19.chr4_12_X.bam")],
        "fly": [str(other / "fly/ip_2.small_R1.fastq.gz")],
        "ecoli": [str(other / "ecoli/E.coli.cram")],
        "telomere": [str(reads / "hiseqx_NA12878_garvan.b37.chr1_10k.bam")],
        "subtelomere": [str(reads / "kgp_lowcov_HG03297.b37.chr1.10kreads.bam")],
        "yeast": [",".join(yeast)],
    }


def prepared_reference(data: Path, out: Path, name: str, seedsieve: Path) -> Path:
    """An unpacked and indexed reference."""
    packed = {
        "human_mix": "human_ref/human_mix.fa.gz",
        "PGF": "human_ref/PGF.fasta.gz",
        "lpa": "human_ref/LPA_haplotypes.fa.gz",
        "dm6": "other/fly/dm6.small.fa.gz",
        "ecoli": "other/ecoli/E.coli.fa.gz",
        "kiwi": "other/plants/kiwifruit_chr1.fa.gz",
        "sacCer3": "other/yeast/sacCer3.fa.gz",
    }[name]
    out.mkdir(parents=True, exist_ok=True)
    fasta = out / f"{name}.fa"
    if not fasta.exists():
        with gzip.open(data / packed, "rb") as source:
            content = source.read()
        # Of the haplotypes the first is the reference of the others' reads.
        fasta.write_bytes(content[: content.index(b">", 1)] if name == "lpa" else content)
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


def sample_of(name: str) -> tuple[int, int]:
    """Number of pairs and seed of the sample that a set draws."""
    settings = SETS[name][2]
    given = dict(zip(settings[::2], settings[1::2], strict=True))
    return int(given["--read-pairs"]), int(given.get("--seed", 1))


def samples_of(source: str) -> list[tuple[int, int]]:
    """The samples that sets draw from some reads."""
    return [sample_of(name) for name, (_, reads, _) in SETS.items() if reads == source]


def unsampled(records: Sequence[str], samples: Sequence[tuple[int, int]]) -> list[str]:
    """The FASTQ records that are in none of the samples, each of `--read-pairs` and `--seed` of `extract-seeds`.

    It keeps the pairs whose names have the smallest hashes (crates/extract/src/sampling.rs).
    """
    names = [record.split()[0].removeprefix("@").removesuffix("/1").removesuffix("/2") for record in records]
    kept = set()
    for pairs, seed in samples:
        first = seed.to_bytes(8, "big")
        hashes = {name: hashlib.sha256(first + name.encode()).digest() for name in names}
        kept |= set(sorted(names, key=hashes.__getitem__)[:pairs])
    return [record for record, name in zip(records, names, strict=True) if name not in kept]


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


def simulated_pairs(
    name: str, fasta: Path, pairs: int, errors: float
) -> Iterator[tuple[bam_to_fastq.Read, bam_to_fastq.Read]]:
    """Pairs drawn evenly from the sequences of a file, laid end to end, with substitutions."""
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
        bases = ["".join(misread(base, draw, errors) for base in end) for end in ends]
        yield tuple(
            bam_to_fastq.Read(f"{name}:{number}", mate, end, "I" * READ_BASES)
            for mate, end in enumerate(bases, start=1)
        )


def misread(base: str, draw: random.Random, errors: float) -> str:
    """The base, or now and then another one."""
    return draw.choice([other for other in "ACGT" if other != base]) if draw.random() < errors else base


if __name__ == "__main__":
    sys.exit(main())
