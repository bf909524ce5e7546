import numpy as np

from seedsieve_train.evaluation.window_baselines import EMPTY, anchored_distance, flank_distance, shared_q_grams
from seedsieve_train.windows import encode_window


def by_dynamic_programming(pattern, text):
    row = list(range(len(text) + 1))
    for number, base in enumerate(pattern, start=1):
        following = [number]
        for place, other in enumerate(text):
            substitution = row[place] + (base != other)
            following.append(min(substitution, row[place + 1] + 1, following[-1] + 1))
        row = following
    return min(row)


def test_distances_are_those_of_dynamic_programming():
    random = np.random.default_rng(3)
    patterns, texts = np.full((300, 32), EMPTY, np.uint8), np.full((300, 32), EMPTY, np.uint8)
    expected = []
    for row in range(300):
        text = random.integers(0, 4, random.integers(0, 33))
        # Some alike but for a few changes, some not at all.
        pattern = text.copy() if row % 2 else random.integers(0, 4, random.integers(0, 33))
        for _ in range(row % 5):
            if len(pattern) > 2:
                place = random.integers(0, len(pattern))
                pattern = np.delete(pattern, place) if row % 3 else np.insert(pattern, place, 2)[:32]
        patterns[row, : len(pattern)], texts[row, : len(text)] = pattern, text
        expected.append(by_dynamic_programming(pattern, text))
    assert anchored_distance(patterns, texts).tolist() == expected
    assert len(set(expected)) > 10


def test_a_perfect_match_has_distance_0_and_all_votes():
    random = np.random.default_rng(4)
    read = random.integers(0, 4, 150, dtype=np.uint8)
    window = encode_window(read, 60, 25)
    changed = read.copy()
    changed[[50, 90]] = 3 - changed[[50, 90]]
    packed = np.stack([np.concatenate([window, window]), np.concatenate([window, encode_window(changed, 60, 25)])])
    assert flank_distance(packed, np.array([25, 25])).tolist() == [0, 2]
    votes = shared_q_grams(packed)
    # 32 + 25 + 32 bases show 84 q-grams of six; each change hides six of them.
    assert votes[0] == 84 and 72 <= votes[1] < 84
