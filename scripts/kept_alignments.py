"""Count which primary alignments of one SAM file another one of the same reads has lost or moved, by score.

    python scripts/kept_alignments.py A.sam B.sam [--score 30]

Prints, for mapped reads of A with AS at or above the score and for those below it: how many, how many B has unmapped
(lost)
and how many B has elsewhere (moved: another contig, position or strand). Standard library only.
"""

import argparse
import sys
from pathlib import Path

UNMAPPED, REVERSE, MATE_BITS, NOT_PRIMARY = 0x4, 0x10, 0xC0, 0x900


def primaries(path: Path) -> dict[tuple[str, int], tuple[bool, tuple[str, str, int], int]]:
    """Primary record of each mate: name and mate bits -> mapped, (contig, 1-based position, strand), AS (0: none)."""
    found = {}
    with path.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith("@"):
                continue
            fields = line.rstrip("\n").split("\t")
            flag = int(fields[1])
            if flag & NOT_PRIMARY:
                continue
            score = next((int(tag[5:]) for tag in fields[11:] if tag.startswith("AS:i:")), 0)
            place = (fields[2], fields[3], flag & REVERSE)
            found[(fields[0], flag & MATE_BITS)] = (not flag & UNMAPPED, place, score)
    return found


def counts(a: Path, b: Path, score: int) -> dict[str, tuple[int, int, int]]:
    """Mapped reads of `a`, of them lost and moved in `b`, at or above `score` and below it."""
    others = primaries(b)
    rows = {"at or above": [0, 0, 0], "below": [0, 0, 0]}
    for read, (mapped, place, alignment_score) in primaries(a).items():
        if not mapped:
            continue
        if read not in others:
            sys.exit(f"error: {b}: no primary record of {read[0]}; both files have to hold the same reads")
        row = rows["at or above" if alignment_score >= score else "below"]
        still_mapped, other_place, _ = others[read]
        row[0] += 1
        row[1] += not still_mapped
        row[2] += still_mapped and place != other_place
    return {name: (row[0], row[1], row[2]) for name, row in rows.items()}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("a", type=Path)
    parser.add_argument("b", type=Path)
    parser.add_argument("--score", type=int, default=30)
    options = parser.parse_args()
    for name, (reads, lost, moved) in counts(options.a, options.b, options.score).items():
        print(f"AS {name} {options.score}: {reads} mapped, {lost} lost, {moved} moved")


if __name__ == "__main__":
    main()
