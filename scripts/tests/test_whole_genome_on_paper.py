"""Rates between those that were measured."""

import math

import pytest

import whole_genome_on_paper as paper


def report(reads: int, seconds: float) -> dict:
    stages = ["seeding", "locating", "filter", "chaining", "extension", "rescue", "output"]
    return {
        "reads": reads,
        "counts": {"seeds": 10 * reads, "extensions": 3 * reads},
        "stages": [{"name": name, "cpu_seconds": seconds} for name in stages],
    }


def test_rates_are_of_one_read_and_hold_every_stage_once() -> None:
    rates = paper.rates_of(report(2_000, 0.5))
    assert (rates["seeds"], rates["extensions"]) == (10, 3)
    assert rates["seeding and look-up"] == rates["rest"] == pytest.approx(500)
    assert paper.total(rates) == pytest.approx(7 * 250)


def test_between_two_lengths_a_rate_falls_by_a_factor() -> None:
    names = ["seeds", "extensions", *paper.PARTS]
    rates = {(length, "off"): dict.fromkeys(names, 4.0 ** (20 - length)) for length in (12, 13)}
    assert paper.between(rates, 12.25, "off")["seeds"] == pytest.approx(4.0**7.75)
    assert paper.between(rates, 12.0, "off")["filter"] == pytest.approx(4.0**8)


def test_the_shift_is_that_of_the_texts() -> None:
    assert math.log(paper.GENOME_BASES / 24_323_763, 4) == pytest.approx(3.50, abs=0.01)


def test_medians_are_taken_rate_by_rate() -> None:
    runs = [paper.rates_of(report(1_000, seconds)) for seconds in (0.3, 0.1, 0.2)]
    assert paper.median_rates(runs)["filter"] == pytest.approx(200)
