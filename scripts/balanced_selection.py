"""Which samples: as many of each population and sex as can be, parts spread over super-populations."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from downloads import DataError

METHOD = (
    "Everything is drawn in the order of SHA-256(seed:name), lowest first. Each population gives the same number of "
    "samples; where the number does not divide, some give one less: of each super-population the last in that order "
    "before a second one of any. Half of a population's samples are female; of an odd number the extra one is female "
    "and male in turns. The held-out parts are drawn from the selected: super-populations in turns, female and male in "
    "turns, each time from the population that the held-out parts have used least."
)
SEXES = ("female", "male")


@dataclass(frozen=True)
class Candidate:
    """A sample that may be selected."""

    name: str
    population: str
    super_population: str
    sex: str
    """female or male."""


@dataclass(frozen=True)
class Choice:
    """A selected sample and its part."""

    candidate: Candidate
    part: str
    """train, validation or test."""


def select(candidates: list[Candidate], samples: int, held_out: dict[str, int], seed: int) -> list[Choice]:
    """Select samples by `METHOD`.

    Args:
        candidates: all that may be selected.
        samples: how many.
        held_out: how many of them go into each part other than train.
        seed: another seed selects others.

    Returns:
        The choices, by super-population, population and name.

    Raises:
        DataError: if the candidates do not give that many.
    """
    if samples < 1 or min(held_out.values(), default=0) < 0 or sum(held_out.values()) > samples:
        wanted = ", ".join(f"{number} for {part}" for part, number in held_out.items())
        raise DataError(f"{samples} samples, of them {wanted}: parts are 0 or more and together at most all samples")
    selected: list[Candidate] = []
    extra_sexes = 0
    for population, number in sorted(_quotas(candidates, samples, seed).items()):
        females = number // 2
        if number % 2:
            females += extra_sexes % 2 == 0
            extra_sexes += 1
        for sex, wanted in zip(SEXES, (females, number - females), strict=True):
            there = [one for one in candidates if (one.population, one.sex) == (population, sex)]
            if len(there) < wanted:
                raise DataError(
                    f"population {population} has {len(there)} {sex} samples, {wanted} are wanted: select fewer samples"
                )
            selected += sorted(there, key=lambda one: _rank(seed, one.name))[:wanted]
    parts = _held_out(selected, held_out, seed)
    selected.sort(key=lambda one: (one.super_population, one.population, one.name))
    return [Choice(one, parts.get(one.name, "train")) for one in selected]


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def _quotas(candidates: list[Candidate], samples: int, seed: int) -> dict[str, int]:
    """Samples that each population gives."""
    super_population = {one.population: one.super_population for one in candidates}
    populations = sorted(super_population, key=lambda name: _rank(seed, name))
    if not populations:
        raise DataError("no sample to select from: the panel is empty, or none of it is in the sequence index")
    each, more = divmod(samples, len(populations))
    # Of each super-population the last in the order gives less first, then of each the last but one, and so on.
    of_group: Counter[str] = Counter()
    turn = {}
    for name in reversed(populations):
        turn[name] = of_group[super_population[name]]
        of_group[super_population[name]] += 1
    less = sorted(reversed(populations), key=turn.__getitem__)[: len(populations) - more]
    return {name: each + (name not in less) for name in populations}


def _held_out(selected: list[Candidate], held_out: dict[str, int], seed: int) -> dict[str, str]:
    """Part of each held-out sample, by name."""
    groups = sorted({one.super_population for one in selected})
    used: Counter[str] = Counter()
    parts: dict[str, str] = {}
    for part, number in held_out.items():
        for draw in range(number):
            group, turn = draw % len(groups), draw // len(groups)
            sex = SEXES[(group + turn) % 2]
            free = [one for one in selected if one.name not in parts]
            # Where a super-population or a sex has none left, any other sample stands in.
            one = min(
                free,
                key=lambda one: (
                    one.super_population != groups[group],
                    one.sex != sex,
                    used[one.population],
                    _rank(seed, one.name),
                ),
            )
            parts[one.name] = part
            used[one.population] += 1
    return parts
