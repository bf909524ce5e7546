import json
from pathlib import Path

import numpy as np
import pytest

from seedsieve_train.__main__ import main
from seedsieve_train.window_cases import window_cases
from seedsieve_train.windows import AMBIGUOUS, encode_window, expand_one_hot, pack_codes, window_codes

FIXTURE = Path(__file__).resolve().parents[2] / "crates" / "encoding" / "tests" / "numpy_windows.jsonl"
"""What the tests of the Rust encoding compare with."""
READ = (np.arange(200) * 7 % 11 % 4).astype(np.uint8)


def test_layout_of_a_seed_inside_a_read():
    codes = window_codes(READ, 50, 20)
    assert (codes[: 32 + 20 + 32] == READ[18:102]).all()
    assert (codes[32 + 20 + 32 :] == AMBIGUOUS).all()


def test_bases_before_the_seed_are_right_aligned_at_the_start_of_a_read():
    codes = window_codes(READ, 3, 20)
    assert (codes[:29] == AMBIGUOUS).all()
    assert (codes[29 : 32 + 20 + 32] == READ[: 3 + 20 + 32]).all()


def test_bases_after_the_seed_end_with_the_read():
    codes = window_codes(READ[:75], 50, 20)
    assert (codes[32 : 32 + 25] == READ[50:75]).all()
    assert (codes[32 + 25 :] == AMBIGUOUS).all()


@pytest.mark.parametrize("length", [64, 65, 90])
def test_long_seeds_keep_both_ends(length):
    codes = window_codes(READ, 50, length)
    assert (codes[32:64] == READ[50:82]).all()
    assert (codes[64:96] == READ[50 + length - 32 : 50 + length]).all()
    assert (codes[96:] == READ[50 + length : 50 + length + 32]).all()


def test_bases_without_a_code_are_empty():
    read = READ.copy()
    read[60] = 4
    read[61] = 78
    assert (window_codes(read, 50, 20)[42:44] == AMBIGUOUS).all()
    one_hot = expand_one_hot(np.tile(encode_window(read, 50, 20), (1, 2)))
    assert one_hot[0, :, 42:44].sum() == 0 and one_hot[0, 0, 41].sum() == 1


def test_earlier_base_is_in_the_high_nibble():
    packed = encode_window(np.array([0, 1, 2, 3], dtype=np.uint8), 0, 4)
    assert packed[16] == 0x12 and packed[17] == 0x48 and packed.sum() == 0x12 + 0x48


def test_one_hot_has_a_one_at_the_base_and_nothing_else():
    codes = np.random.default_rng(1).integers(0, 5, (30, 2, 128)).astype(np.uint8)
    one_hot = expand_one_hot(pack_codes(codes).reshape(30, 128))
    assert one_hot.shape == (30, 2, 128, 4) and one_hot.dtype == np.float32
    assert (one_hot == (codes[..., None] == np.arange(4))).all()


@pytest.mark.parametrize(("start", "length"), [(190, 11), (-1, 5), (201, 0)])
def test_a_seed_outside_its_sequence_is_refused(start, length):
    with pytest.raises(ValueError, match="lies outside its sequence of 200 bases"):
        window_codes(READ, start, length)


def test_packed_seeds_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"uint8\[n, 128\], not uint8\[3, 64\]"):
        expand_one_hot(np.zeros((3, 64), dtype=np.uint8))


def test_random_cases_cover_what_matters_and_repeat():
    cases = window_cases(500, seed=1)
    assert cases == window_cases(500, seed=1) != window_cases(500, seed=2)
    sizes = [len(case["sequence"]) for case in cases]
    assert min(sizes) < 40
    assert sum(case["length"] > 64 for case in cases) > 50
    assert sum(case["start"] == 0 for case in cases) > 50
    assert sum(case["start"] + case["length"] == size for case, size in zip(cases, sizes, strict=True)) > 50
    assert sum("N" in case["sequence"] for case in cases) > 100


def test_the_reverse_complement_mirrors_the_shown_seed():
    for case in window_cases(200, seed=3):
        shown = min(case["length"], 64)
        forward, reverse = ([int(nibble, 16) for nibble in case[key]] for key in ("packed", "reverse_packed"))
        mirrored = [{0: 0, 1: 8, 2: 4, 4: 2, 8: 1}[nibble] for nibble in forward[: 64 + shown][::-1]]
        assert reverse[: 64 + shown] == mirrored


def test_the_windows_that_rust_is_compared_with_are_those_of_this_package(tmp_path, capsys):
    out = tmp_path / "windows.jsonl"
    assert main(["windows", "--cases", "300", "--seed", "1", "--out", str(out)]) == 0
    # Not `==` on the bytes: its message would be the whole file.
    same = out.read_bytes() == FIXTURE.read_bytes()
    assert same, f"{FIXTURE} differs: the encoding, the random cases or numpy's generator changed"


def test_one_hot_values_are_the_bits_of_the_windows_that_rust_is_compared_with():
    cases = [json.loads(line) for line in FIXTURE.read_text().splitlines()]
    digits = [case["packed"] + case["reverse_packed"] for case in cases]
    one_hot = expand_one_hot(np.stack([np.frombuffer(bytes.fromhex(text), np.uint8) for text in digits]))
    nibbles = np.array([[int(digit, 16) for digit in text] for text in digits]).reshape(-1, 2, 128, 1)
    assert len(cases) == 300 and (one_hot == (nibbles & [1, 2, 4, 8] != 0)).all()
