"""Compares the primary records of `seedsieve align` (filter off) with those of `bwa mem`, on real and simulated reads.

    python scripts/compare_with_bwa.py [--data DIR] [--work DIR] [SET ...]

Prints a table in Markdown for docs/same-answers.md; `compare`'s JSON of each set stays in the work folder. Needs bwa
0.7.17 and samtools (Debian's), target/release/seedsieve, and a folder of real data (SEEDSIEVE_DATA or ../shared/data).
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SEEDSIEVE = ROOT / "target/release/seedsieve"

#: 24 Mb of human sequence.
HUMAN = "human_ref/human_mix.fa.gz"

#: Reference, reads, and options of each set; `simulated` reads are made by `seedsieve simulate`.
SETS = {
    "kgp30x": (HUMAN, "kgp30x/NA12878.chr21_R{}.fastq.gz", []),
    "kgp30x, single": (HUMAN, "kgp30x/NA12878.chr22_R1.fastq.gz", []),
    "genomewide": (HUMAN, "human_reads/genomewide/hiseq_TESTX_L001_R{}.fastq.gz", []),
    "genomewide, -k 14": (
        HUMAN,
        "human_reads/genomewide/hiseq_TESTX_L001_R{}.fastq.gz",
        ["-k", "14"],
    ),
    "telomere": (HUMAN, "human_reads/hiseqx_NA12878_garvan.b37.chr1_10k.bam", []),
    "subtelomere": (HUMAN, "human_reads/kgp_lowcov_HG03297.b37.chr1.10kreads.bam", []),
    "platinum": (HUMAN, "human_reads/platinum_NA12878.hg19.chr4_12_X.bam", []),
    "yeast": ("other/yeast/sacCer3.fa.gz", "other/yeast/SRR5204809_Input_100k_R{}.fastq.gz", []),
    "simulated": ("simulated", "simulated", []),
}

#: Bases of a chunk, the same for both programs: insert sizes are measured chunk by chunk.
CHUNK = ["-K", "10000000"]


def run(command: list[str | Path], output: Path | None = None) -> None:
    """Runs a program whose standard output goes to a file; stops with its messages where it fails."""
    with open(output or os.devnull, "wb") as target:
        result = subprocess.run(command, stdout=target, stderr=subprocess.PIPE, check=False)
    if result.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))} failed:\n{result.stderr.decode(errors='replace')}")


def plain_reference(source: Path, work: Path) -> Path:
    """The reference as plain FASTA with both programs' indexes beside it, made once."""
    place = work / source.name.removesuffix(".gz")
    if not place.with_name(place.name + ".done").exists():
        opener = gzip.open if source.suffix == ".gz" else open
        with opener(source, "rb") as reader, open(place, "wb") as writer:
            shutil.copyfileobj(reader, writer)
        run(["bwa", "index", place])
        ours = work / ("ours-" + place.name)
        run([SEEDSIEVE, "index", "--prefix", ours, place])
        place.with_name(place.name + ".done").touch()
    return place


def reads_of(data: Path, pattern: str, work: Path) -> list[Path]:
    """One file, or the two of a pair; the reads of a BAM become FASTQ."""
    if pattern.endswith(".bam"):
        stem = Path(pattern).stem
        reads = [work / f"{stem}_R{mate}.fastq" for mate in (1, 2)]
        collated = work / f"{stem}.collated.bam"
        run(["samtools", "collate", "-o", collated, data / pattern])
        unpaired = ["-s", os.devnull, "-0", os.devnull]
        run(["samtools", "fastq", "-n", "-1", reads[0], "-2", reads[1], *unpaired, collated])
        collated.unlink()
        return reads
    return [data / pattern.format(mate) for mate in (1, 2)] if "{}" in pattern else [data / pattern]


def simulated(work: Path) -> tuple[Path, list[Path]]:
    """A synthetic genome of 3 Mb and 50,000 pairs, a tenth of them foreign."""
    folder = work / "simulated"
    if not (folder / "genome.fa").exists():
        size = ["--genome-size", "3000000", "--read-pairs", "50000", "--foreign", "0.1", "--seed", "11"]
        run([SEEDSIEVE, "simulate", "--output", folder, *size])
    return folder / "genome.fa", [folder / "reads_1.fastq", folder / "reads_2.fastq"]


def compare(name: str, data: Path, work: Path) -> dict:
    """Aligns one set with both programs; returns what `seedsieve compare` counts (A is bwa)."""
    reference, pattern, options = SETS[name]
    source, reads = (
        simulated(work)
        if reference == "simulated"
        else (
            data / reference,
            reads_of(data, pattern, work),
        )
    )
    index = plain_reference(source, work)
    label = name.replace(", ", "_").replace(" ", "")
    theirs, ours, result = (work / f"{label}.{suffix}" for suffix in ("bwa.sam", "seedsieve.sam", "json"))
    common = ["-t", "2", *CHUNK, *options]
    run(["bwa", "mem", *common, index, *reads], theirs)
    run([SEEDSIEVE, "align", *common, work / ("ours-" + index.name), *reads], ours)
    run([SEEDSIEVE, "compare", theirs, ours, "--json", result, "--examples", "1000", "--label-a", "bwa"])
    theirs.unlink()
    ours.unlink()
    return json.loads(result.read_text())


def row(name: str, counts: dict) -> str:
    """A row of the table."""
    total = {
        key: sum(bin_[key] for bin_ in counts["changes"])
        for key in ("identical", "place_kept", "realigned", "moved", "lost", "gained")
    }
    ties = next(scores for scores in counts["scores"] if scores["change"] == "moved")
    tags = ", ".join(
        f"{tag['tag']} {tag['differs'] + tag['only_a'] + tag['only_b']}" for tag in counts["same_place"]["tags"]
    )
    fields = ", ".join(
        f"{field['field']} {field['differs']}" for field in counts["same_place"]["fields"] if field["differs"]
    )
    differing = counts["reads"] - total["identical"]
    further = [kind for kind in counts["by_kind"] if kind["kind"] in ("secondary", "supplementary")]
    further_all = sum(kind[key] for kind in further for key in total)
    further_differing = further_all - sum(kind["identical"] for kind in further)
    cells = [
        name,
        f"{counts['reads']:,}",
        f"{differing:,} ({100 * differing / counts['reads']:.4f} %)",
        f"{total['place_kept']:,}",
        ", ".join(part for part in (fields, tags) if part) or "-",
        f"{total['realigned']:,}",
        f"{total['moved']:,} ({ties['same']:,})",
        f"{total['lost']:,}, {total['gained']:,}",
        f"{further_differing:,} of {further_all:,}",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Runs the sets that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SEEDSIEVE_DATA", ROOT / "../shared/data")))
    parser.add_argument("--work", type=Path, default=ROOT / "target/compare-with-bwa")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of: {'; '.join(SETS)}")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.sets if name not in SETS]:
        parser.error(f"no set {unknown[0]!r}: there are {'; '.join(SETS)}")
    arguments.work.mkdir(parents=True, exist_ok=True)
    print(
        "| reads | compared | records that differ | same place | in what | realigned | moved (with the same AS) "
        "| lost, gained | secondary, supplementary |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in arguments.sets or SETS:
        print(row(name, compare(name, arguments.data, arguments.work)), flush=True)


if __name__ == "__main__":
    main()
