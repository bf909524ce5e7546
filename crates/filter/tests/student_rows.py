"""Writes random seeds and the student's rows of them, by the training package: `student_rows.jsonl`.

In the folder `python`: `python ../crates/filter/tests/student_rows.py > ../crates/filter/tests/student_rows.jsonl`.
The three bounds with a gap and the narrow scores are filled in here from their definition, so that rows of version 1 of the package will do.
"""

import json
import random
import sys

import numpy as np

sys.path.insert(0, ".")
from seedsieve_train.student import features as student

READS = 20
FIRST_GAP_FACT = 274
COLUMNS = (
    "length",
    "query_start",
    "read_length",
    "occurrences",
    "ungapped_score",
    "position",
    "reverse",
    "contig",
    "read",
)


def main() -> None:
    """Prints one JSON object a seed."""
    draw = random.Random(1)
    seeds = [seed for read in range(READS) for seed in seeds_of(read, draw)]
    masks = {
        side: np.array([list(seed[name].to_bytes(32, "little")) for seed in seeds], dtype=np.uint8)
        for side, name in (("left_matches", "before"), ("right_matches", "behind"))
    }
    column = {name: np.array([seed[name] for seed in seeds]) for name in (*COLUMNS, "room_before", "room_after")}
    rows = student.features(student.SeedColumns(**masks, **column))
    bounds = np.array([seed["gap_bound"] for seed in seeds], dtype=np.int64)
    of_mates = [[other["gap_bound"] for other in seeds if other["read"] == seed["read"] ^ 1] for seed in seeds]
    mate_best = np.array([max(of_mate, default=0) for of_mate in of_mates])
    narrow = np.array([seed["narrow_score"] for seed in seeds], dtype=np.int64)
    of_others = [student.best_of_others(scores, column["read"]) for scores in (bounds, narrow)]
    for number, fact in enumerate((bounds, of_others[0], mate_best, narrow, of_others[1])):
        rows[:, FIRST_GAP_FACT + number] = np.clip(fact, 0, 255)
    for seed, row in zip(seeds, rows, strict=True):
        seed["before"], seed["behind"] = f"{seed['before']:x}", f"{seed['behind']:x}"
        print(json.dumps({**seed, "row": bytes(row).hex()}))


def seeds_of(read: int, draw: random.Random) -> list[dict]:
    """Seeds of one read; reads 2n and 2n + 1 are mates."""
    read_length = draw.choice((50, 101, 150, 600))
    start = draw.randrange(1_000, 9_000)

    def seed() -> dict:
        length = draw.randrange(12, 40)
        query_start = draw.randrange(read_length - length + 1)
        behind = read_length - query_start - length
        reverse, contig = draw.random() < 0.5, draw.randrange(2)
        # Many on one diagonal or near it.
        position = start + draw.choice((0, 3, 10, 11, 60, 100, 101, 5_000)) + (behind if reverse else query_start)
        masks = [draw.getrandbits(side) | draw.getrandbits(side) for side in (min(query_start, 256), min(behind, 256))]
        return {
            "read": read,
            "read_length": read_length,
            "length": length,
            "query_start": query_start,
            "before": masks[0],
            "behind": masks[1],
            "room_before": draw.choice((0, 7, 40, 10**6)),
            "room_after": draw.choice((0, 7, 40, 10**6)),
            "occurrences": draw.choice((0, 1, 2, 3, 7, 500, 2**31, draw.randrange(1, 10**6))),
            "ungapped_score": draw.randrange(12, 300),
            "gap_bound": draw.randrange(12, 300),
            # Drawn by itself, so that the other numbers stay as they were.
            "narrow_score": (7 * position + length) % 300,
            "position": position,
            "reverse": reverse,
            "contig": contig,
        }

    return [seed() for _ in range(draw.choice((1, 2, 5, 12)))]


if __name__ == "__main__":
    main()
