"""The statistics that tests of equal time rest on: blind to noise, and not blind to what an attacker would see."""

import random

import pytest

from tests.support.timing import PAIRS, TELLING, deviation


def _noise(chance: random.Random) -> float:
    """Milliseconds with a long tail, as on a busy machine."""
    return chance.lognormvariate(2, 0.6)


@pytest.mark.parametrize("seed", range(200))
def test_noise_alone_is_never_telling(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    assert deviation([_noise(chance) - _noise(chance) for _ in range(PAIRS)]) < TELLING


def test_outliers_are_not_telling() -> None:
    chance = random.Random(0)  # noqa: S311 - no secret
    differences = [_noise(chance) - _noise(chance) for _ in range(PAIRS)]
    assert deviation([*differences[:-3], 1000.0, 2000.0, 3000.0]) < TELLING


@pytest.mark.parametrize("seed", range(20))
def test_a_difference_of_twice_the_noise_is_telling(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    assert deviation([_noise(chance) - _noise(chance) + 16 for _ in range(PAIRS)]) > TELLING
