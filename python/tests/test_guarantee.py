import numpy as np
import pytest

from seedsieve_train.export import ModelMetadata
from seedsieve_train.guarantee import (
    chosen_threshold,
    design_effect,
    for_every_group,
    held_out,
    loss_by_group,
    stated_guarantee,
    upper_bound,
)
from seedsieve_train.metrics import largest_rate


def test_independent_seeds_have_a_design_effect_of_one_and_copies_one_of_their_number():
    random = np.random.default_rng(3)
    dropped = random.random(40_000) < 0.02
    assert design_effect(dropped, np.arange(40_000)) == pytest.approx(1, abs=0.01)
    assert design_effect(np.repeat(dropped, 7), np.repeat(np.arange(40_000), 7)) == pytest.approx(7, abs=0.1)
    assert design_effect(np.zeros(10, bool), np.arange(10) // 5) == 1


def test_the_bound_counts_copies_once():
    assert upper_bound(30, 40_000, 1) == largest_rate(30, 40_000)
    assert upper_bound(30, 40_000, 10) == largest_rate(3, 4_000) > upper_bound(30, 40_000, 1)


def test_as_many_viable_seeds_are_dropped_as_the_bound_allows():
    viable = np.ones(10_100, dtype=bool)
    viable[10_000:] = False
    scores = np.random.default_rng(3).permutation(10_100).astype(np.float32) / 10_100
    found = chosen_threshold(scores, viable, np.arange(10_100))
    assert found.places == 10_000 and 1 <= found.design_effect < 1.1
    assert (scores[viable] < found.threshold).sum() == found.dropped in (3, 4)
    assert chosen_threshold(scores[:2_000], viable[:2_000], np.arange(2_000)) is None
    of_copies = chosen_threshold(np.repeat(scores, 9), np.repeat(viable, 9), np.repeat(np.arange(10_100), 9))
    assert of_copies.design_effect == pytest.approx(9, abs=1) and of_copies.dropped < 9 * 5
    # The middle between the two scores beside it: nothing lies on it.
    assert not (scores == np.float32(found.threshold)).any()


def test_a_stricter_guarantee_gives_a_lower_threshold():
    random = np.random.default_rng(1)
    viable, place, scores = np.ones(50_000, bool), np.arange(50_000), random.random(50_000)
    loose = chosen_threshold(scores, viable, place, 0.01, 0.95).threshold
    assert chosen_threshold(scores, viable, place, 0.01, 0.999).threshold < loose < 0.01
    assert chosen_threshold(scores, viable, place, 0.001, 0.95).threshold < loose


@pytest.mark.parametrize("of_place", [1, 12])
def test_the_guarantee_holds_as_often_as_it_says(of_place):
    """Over many validation sets the true loss is above the stated one in at most 5 of 100 (and a little for the design
    effect, which is an estimate), whether seeds of one place are independent or mostly alike."""
    random = np.random.default_rng(7)
    broken = 0
    place = np.arange(400 * of_place * 5) // of_place
    for _ in range(300):
        # Scores are uniform, those of one place mostly the same: the true loss of a threshold is the threshold.
        shared = random.random(place[-1] + 1)[place]
        scores = np.where(random.random(len(place)) < 0.7, shared, random.random(len(place)))
        broken += chosen_threshold(scores, np.ones(len(place), bool), place, 0.01, 0.95).threshold > 0.01
    assert 1 <= broken <= 0.08 * 300


def test_taking_seeds_of_one_place_as_independent_breaks_the_promise():
    random = np.random.default_rng(7)
    place, broken = np.arange(24_000) // 12, 0
    for _ in range(100):
        scores = random.random(place[-1] + 1)[place]
        broken += chosen_threshold(scores, np.ones(len(place), bool), np.arange(24_000), 0.01, 0.95).threshold > 0.01
    assert broken > 15


def test_no_group_loses_more_than_the_mix_may():
    random = np.random.default_rng(9)
    # Of the second group a hundredth scores low; the third is too small to say anything.
    group = np.repeat([0, 1, 2], [40_000, 4_000, 500])
    scores = 0.5 + random.random(len(group)) / 2
    scores[40_000:40_040] = np.linspace(0.1, 0.2, 40)
    scores[-5:] = 0.01
    viable = np.ones(len(group), bool)
    mixed = chosen_threshold(scores, viable, np.arange(len(group)))
    names = ["many", "few", "hardly any"]
    found = for_every_group(mixed, scores, viable, group, names)
    assert (scores[group == 1] < mixed.threshold).sum() > 4
    assert (scores[group == 1] < found.threshold).sum() == 4
    assert found.groups == 2 and found.deciding_group == "few" and found.dropped == 9
    assert found.upper_bound < mixed.upper_bound
    assert "2 data sets" in found.words() and "few decides" in found.words()
    assert found.properties()["seedsieve.threshold_groups"] == "2"
    # Where the mix is the stricter nothing changes.
    alike = for_every_group(mixed, scores, viable, np.zeros(len(group), int), names)
    assert (alike.threshold, alike.deciding_group, alike.groups) == (mixed.threshold, None, 1)
    loss = loss_by_group(scores, viable, group, names, found.threshold)
    assert loss["few"] == {"viable": 4_000, "missed": 4, "fpr": 0.0} and loss["hardly any"]["missed"] == 5


def test_what_a_held_out_part_says():
    scores = np.linspace(0, 1, 20_000)
    found = held_out(scores, np.ones(20_000, bool), np.arange(20_000), 0.001)
    assert found["test_missed"] == 20 and found["test_miss_rate"] == 0.001 < found["test_upper_bound"] < 0.0016
    by_place = held_out(scores, np.ones(20_000, bool), np.arange(20_000) // 20, 0.001)
    assert by_place["test_upper_bound"] > 0.003 and by_place["test_places"] == 1_000


def test_a_file_states_what_its_threshold_rests_on():
    found = chosen_threshold(np.linspace(0, 1, 20_000), np.ones(20_000, bool), np.arange(20_000) // 2)
    properties = found.properties()
    assert properties["seedsieve.threshold_places"] == "10000" and properties["seedsieve.miss_rate"] == "0.001"
    metadata = ModelMetadata("t", "own-extension", 30, found.threshold, "00", 1, "nothing", guarantee=properties)
    assert stated_guarantee(metadata.properties()) == properties
    # The threshold itself is another key, and a model whose threshold was given states nothing.
    given = ModelMetadata("t", "own-extension", 30, 0.3, "00", 1, "nothing").properties()
    assert stated_guarantee(given) == {} and "seedsieve.threshold" in given
