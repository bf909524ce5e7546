import numpy as np

from seedsieve_train.forests import fitted_trees


def test_no_leaf_gets_a_value_of_any_size():
    """A few seeds with the other label: without a penalty their neighbours' leaves grow with every iteration."""
    random = np.random.default_rng(3)
    facts = random.integers(0, 256, (3_000, 6)).astype(np.uint8)
    viable = (facts[:, 0] > 128) ^ (random.random(3_000) < 0.002)
    trees = fitted_trees(facts, viable, 1, 1)
    assert np.abs(trees.decision_function(facts)).max() < 14
    assert (trees.predict(facts) == viable).mean() > 0.99
