"""Random seeds with their packed windows, for comparing other implementations of the encoding with `windows`."""

import json

import numpy as np

from .windows import AMBIGUOUS, encode_window

LETTERS = "ACGTN"


def window_cases(cases: int, seed: int) -> list[dict[str, object]]:
    """Random sequences of 19 to 300 bases with a seed somewhere in them.

    Seeds lie at both ends as often as inside, one in four is longer than 64 bases where the sequence allows it, and one
    base in twenty is N.

    Returns:
        For each case `sequence` (letters), `start` (0-based), `length`, `packed` (64 bytes in hexadecimal), and
        `reverse_packed`: the window of the same seed in the reverse complement of the sequence.
    """
    random = np.random.default_rng(seed)
    result: list[dict[str, object]] = []
    for _ in range(cases):
        size = int(random.integers(19, 301))
        codes = random.integers(0, 4, size, dtype=np.uint8)
        codes[random.random(size) < 0.05] = AMBIGUOUS
        shortest, longest = (65, size) if size > 65 and random.random() < 0.25 else (1, min(size, 64))
        length = int(random.integers(shortest, longest + 1))
        start = int(random.choice([0, size - length, random.integers(0, size - length + 1)]))
        complement = np.where(codes == AMBIGUOUS, AMBIGUOUS, 3 - codes).astype(np.uint8)[::-1]
        result.append(
            {
                "sequence": "".join(LETTERS[code] for code in codes),
                "start": start,
                "length": length,
                "packed": encode_window(codes, start, length).tobytes().hex(),
                "reverse_packed": encode_window(complement, size - start - length, length).tobytes().hex(),
            }
        )
    return result


def to_json_lines(cases: list[dict[str, object]]) -> bytes:
    """One JSON object a line."""
    return "".join(json.dumps(case) + "\n" for case in cases).encode()
