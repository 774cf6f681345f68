"""The number of examples of a property, in one place for both of hypothesis's profiles."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100  # hypothesis's own default


def examples(count: int) -> settings:
    """Settings of so many examples; of as many times more as the profile tries (conftest.py)."""
    return settings(max_examples=count * settings().max_examples // USUAL)
