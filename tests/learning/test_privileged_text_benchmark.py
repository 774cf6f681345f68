"""The benchmark of privileged text draws what it says, and compares what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import privileged_data as drawn
from benchmarks import privileged_text as benchmark

FEW = "--seeds 2 --encoder-pairs 256 --encoder-epochs 1 --pairs 32 --validation-pairs 16 --epochs 1"
FEW += " --test-pairs 40 --texts 20"


def test_labels_are_wrong_as_often_as_asked_and_banks_say_what_they_say() -> None:
    """Labels depend on the signs that captions name; texts on nothing."""
    world = drawn.World(benchmark.parsed([]))
    right, noisy = (world.pairs("p", 5, 2000, wrong=wrong).table for wrong in (0.0, 0.25))
    named = [
        sum(sign in text.split() for sign in drawn.SIGNS[: drawn.DECISIVE])
        for text in right["caption"]
    ]
    high = np.array(named) > drawn.DECISIVE / 2
    assert (high == (right["label"] == drawn.CLASSES[1])).all()
    assert (right["label"] != noisy["label"]).mean() == pytest.approx(0.25, abs=0.04)
    assert any(sign in " ".join(world.bank(drawn.SAYS)) for sign in drawn.SIGNS)
    assert not any(sign in " ".join(world.bank(drawn.NOTHING)) for sign in drawn.SIGNS)


def test_every_condition_is_compared_with_both_controls(tmp_path: Path) -> None:
    run = benchmark.Run(benchmark.parsed(FEW.split()), tmp_path)
    for seed in (1, 2):
        run.with_seed(seed)
    table = benchmark.table_of(run)
    compared = list(zip(table["condition"], table["compared with"], strict=True))
    others = (benchmark.ALONE, benchmark.RANDOM)
    assert compared == [(says, one) for says in (drawn.SAYS, drawn.NOTHING) for one in others]
    assert {len(each) for each in run.predictions.values()} == {2}
    told = run.told[drawn.NOTHING, benchmark.NEAREST]
    assert np.mean(told) == pytest.approx(0.5, abs=0.1)
