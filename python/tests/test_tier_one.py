import numpy as np

from seedsieve_train.evaluation.tier_one import STEPS, cells, learnt_table


def test_places_of_seeds():
    found = cells(np.array([-3, 0, 62, 63, 300]), np.array([15, 16, 27, 40, 99]), np.array([1, 2, 20, 21, 10**6]))
    assert [part.tolist() for part in found] == [[0, 0, 62, 63, 63], [0, 1, 2, 4, 4], [0, 1, 2, 3, 4]]


def test_a_cell_holds_the_odds_of_its_seeds_and_an_empty_one_those_of_its_gap_bound():
    # Bound 30: of the short rare ones 3 in 4 are viable; of the long rare ones 1 in 4; there are no frequent ones.
    number = 40_000
    bound = np.full(number, 30)
    length = np.repeat([12, 50], number // 2)
    viable = np.arange(number) % 4 < np.repeat([3, 1], number // 2)
    table = learnt_table(bound, length, np.ones(number), viable)
    assert abs(table[30, 0, 0] - STEPS * np.log(3)) <= 1 and abs(table[30, 4, 0] + STEPS * np.log(3)) <= 1
    assert abs(int(table[30, 2, 4])) <= 1
