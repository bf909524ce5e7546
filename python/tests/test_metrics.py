import numpy as np
import pytest

from seedsieve_train.metrics import histogram, misses_allowed, rates_at, roc, summary

SCORES = np.array([0.9, 0.8, 0.8, 0.6, 0.4, 0.2])
VIABLE = np.array([True, True, False, True, False, False])


def test_roc_merges_ties_and_auc_counts_them_half():
    curve = roc(SCORES, VIABLE)
    assert np.allclose(curve.fpr, [0, 0, 1 / 3, 1 / 3, 2 / 3, 1])
    assert np.allclose(curve.tpr, [0, 1 / 3, 2 / 3, 1, 1, 1])
    # Of 9 pairs: 0.9 above 3, 0.8 above 2 and one tie, 0.6 above 2: 7.5.
    assert curve.auc == pytest.approx(7.5 / 9)


def test_auc_of_perfect_reversed_and_constant_scores():
    assert roc(VIABLE.astype(float), VIABLE).auc == 1
    assert roc(-VIABLE.astype(float), VIABLE).auc == 0
    assert roc(np.zeros(6), VIABLE).auc == 0.5


def test_fpr_at_a_tpr_is_that_of_the_highest_threshold_that_reaches_it():
    curve = roc(SCORES, VIABLE)
    assert curve.fpr_at(0.3) == 0
    assert curve.fpr_at(0.5) == pytest.approx(1 / 3)
    assert curve.fpr_at(1.0) == pytest.approx(1 / 3)


def test_rates_at_a_threshold_keep_what_reaches_it():
    assert rates_at(SCORES, VIABLE, 0.8) == {
        "threshold": 0.8,
        "tpr": pytest.approx(2 / 3),
        "fpr": pytest.approx(1 / 3),
    }


def test_histogram_counts_every_score_of_0_to_1():
    counts = histogram(np.array([0.0, 0.019, 0.02, 1.0]), np.array([True, True, True, False]))
    assert len(counts["edges"]) == 51 and counts["viable"][:2] == [2, 1]
    assert counts["hopeless"][-1] == 1 and sum(counts["hopeless"]) == 1


def test_thinned_curve_keeps_its_ends_and_its_area():
    random = np.random.default_rng(2)
    viable = random.random(20_000) < 0.5
    curve = roc(random.normal(size=20_000) + viable, viable)
    points = np.array(curve.thinned())
    assert len(points) <= 200 and points[0].tolist() == [0, 0] and points[-1].tolist() == [1, 1]
    area = np.sum(np.diff(points[:, 0]) * (points[1:, 1] + points[:-1, 1]) / 2)
    assert area == pytest.approx(curve.auc, abs=1e-3)


def test_summary_has_the_keys_of_the_metrics_file():
    assert set(summary(SCORES, VIABLE)) == {"auc", "fpr_at_tpr", "roc"}
    assert set(summary(SCORES, VIABLE)["fpr_at_tpr"]) == {"0.95", "0.99", "0.999"}


def test_a_missing_class_or_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="both viable and hopeless"):
        roc(SCORES, np.ones(6, dtype=bool))
    with pytest.raises(ValueError, match="1 of 6 scores are not numbers"):
        roc(np.where(SCORES == 0.9, np.nan, SCORES), VIABLE)


def test_misses_allowed_follow_the_binomial_bound():
    # 0.999 ** 2995 = 0.04996, 0.999 ** 2994 = 0.05001.
    assert misses_allowed(2_994) is None
    assert misses_allowed(2_995) == 0
    # Poisson with mean 10: P(X <= 4) = 0.0293, P(X <= 5) = 0.0671.
    assert misses_allowed(10_000) == 4
    assert 800 < misses_allowed(1_000_000) < 1_000
