"""Context windows around seeds: encoding, packed form and one-hot form, in numpy.

The layout is that of the `seedsieve-encoding` crate. This is a second implementation of it, position by position from
the crate's documentation, so that the two can be tested against each other.
"""

import numpy as np

WINDOW_SIZE = 128
"""Positions in one context window."""
UPSTREAM = 32
"""Positions for bases before the seed."""
DOWNSTREAM = 32
"""Positions for bases after the seed."""
MAX_SEED_IN_WINDOW = WINDOW_SIZE - UPSTREAM - DOWNSTREAM
"""Seed bases that a window holds; a longer seed keeps its first and last half of this many."""
PACKED_WINDOW_BYTES = WINDOW_SIZE // 2
"""Bytes of one packed window: four bits a position."""
PACKED_SEED_BYTES = 2 * PACKED_WINDOW_BYTES
"""Bytes of one packed seed: the read's window, then the reference's."""
AMBIGUOUS = 4
"""Code of an empty position; codes 0 to 3 are A, C, G, T."""
WINDOW_SPEC = f"{WINDOW_SIZE}/{UPSTREAM}/{DOWNSTREAM}"
"""The window as model files state it: size/upstream/downstream."""


def window_codes(sequence: np.ndarray, seed_start: int, seed_length: int) -> np.ndarray:
    """Base codes of the window around one seed.

    Args:
        sequence: uint8[n], base codes; anything above 3 is empty. Ends where the window has to end: at the ends of the
            read, or of the contig and strand.
        seed_start: 0-based start of the seed in `sequence`.
        seed_length: bases of the seed.

    Returns:
        uint8[128]: 0 to 3 for A, C, G, T, 4 for an empty position.

    Raises:
        ValueError: if the seed does not lie within `sequence`.
    """
    if seed_start < 0 or seed_length < 0 or seed_start + seed_length > len(sequence):
        raise ValueError(
            f"the seed {seed_start}..{seed_start + seed_length} lies outside its sequence of {len(sequence)} bases"
        )
    offset = np.arange(WINDOW_SIZE) - UPSTREAM
    left_out = max(seed_length - MAX_SEED_IN_WINDOW, 0)
    # From the middle of a seed that is too long, positions skip the bases that are left out.
    index = seed_start + offset + np.where(offset >= MAX_SEED_IN_WINDOW // 2, left_out, 0)
    shown_end = min(seed_length, MAX_SEED_IN_WINDOW) + DOWNSTREAM
    inside = (offset < shown_end) & (index >= 0) & (index < len(sequence))
    codes = np.full(WINDOW_SIZE, AMBIGUOUS, dtype=np.uint8)
    codes[inside] = sequence[index[inside]]
    return np.minimum(codes, AMBIGUOUS)


def pack_codes(codes: np.ndarray) -> np.ndarray:
    """Pack base codes at four bits a base, the earlier base in the high nibble.

    Args:
        codes: uint8[..., 128], 0 to 4.

    Returns:
        uint8[..., 64].
    """
    nibbles = np.array([1, 2, 4, 8, 0], dtype=np.uint8)[codes]
    return nibbles[..., 0::2] << 4 | nibbles[..., 1::2]


def encode_window(sequence: np.ndarray, seed_start: int, seed_length: int) -> np.ndarray:
    """Packed window around one seed, uint8[64]; arguments and errors as in `window_codes`."""
    return pack_codes(window_codes(sequence, seed_start, seed_length))


ONE_HOT_OF_BYTE = np.stack(
    [(np.arange(256) >> (bit + shift) & 1).astype(np.float32) for shift in (4, 0) for bit in range(4)], axis=1
)
"""float32[256, 8]: two positions of four bases for each packed byte."""


def expand_one_hot(packed: np.ndarray) -> np.ndarray:
    """Expand packed seeds to the network's input.

    Args:
        packed: uint8[n, 128], the read's window, then the reference's.

    Returns:
        float32[n, 2, 128, 4]: read and reference; positions; A, C, G, T.

    Raises:
        ValueError: if `packed` has another shape or type.
    """
    if packed.ndim != 2 or packed.shape[1] != PACKED_SEED_BYTES or packed.dtype != np.uint8:
        raise ValueError(f"packed seeds are uint8[n, {PACKED_SEED_BYTES}], not {packed.dtype}{list(packed.shape)}")
    return ONE_HOT_OF_BYTE[packed].reshape(len(packed), 2, WINDOW_SIZE, 4)
