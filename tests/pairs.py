"""Combinations of faults that take ten seconds and more each: some run always, all with the slow tests."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest


def pairs(*axes: Sequence[Any]) -> list[Any]:
    """Return every combination as a parameter; those not slow hold all values, of three axes of two all pairs too."""
    found = []
    for places in itertools.product(*(range(len(axis)) for axis in axes)):
        marks = [pytest.mark.slow] if sum(places) % max(map(len, axes)) else []
        found.append(pytest.param(*(axis[place] for axis, place in zip(axes, places, strict=True)), marks=marks))
    return found
