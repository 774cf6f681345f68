"""What an epoch has come to, where any number of classes can be true of an example."""

from __future__ import annotations

import math

import torch

from pairdx.training.distributed import Team
from pairdx.training.totals import Totals

CPU = torch.device("cpu")
NAN = math.nan
LOSS = torch.tensor(1.0)


def totals_of(*labels: list[list[float]]) -> Totals:
    """Steps of two examples with three classes, all of which are said to be true."""
    totals = Totals(len(labels), CPU)
    for of_step in labels:
        totals.add(LOSS, torch.ones(2, 3), torch.tensor(of_step))
    return totals


def test_the_accuracy_is_the_share_of_what_is_known_over_all_steps() -> None:
    """By hand: 2 of 3 known ones of the first step are right, and 1 of 5 of the second."""
    found = totals_of([[1, NAN, 0], [NAN, 1, NAN]], [[0, 0, 0], [0, 1, NAN]])
    assert found.accuracy == 3 / 8
    assert found.count == 4


def test_a_score_of_zero_says_that_a_class_is_not_true() -> None:
    totals = Totals(1, CPU)
    totals.add(LOSS, torch.tensor([[0.0, 0.1, -0.1]]), torch.tensor([[0.0, 1.0, 1.0]]))
    assert totals.accuracy == 2 / 3


def test_where_nothing_is_known_the_accuracy_is_no_number() -> None:
    """Images without any label can be trained on, by their texts."""
    found = totals_of([[NAN] * 3, [NAN] * 3])
    assert math.isnan(found.accuracy)
    assert found.loss == 1


def test_an_interrupted_pass_goes_on_with_what_was_known() -> None:
    known = [[1, NAN, 0], [NAN, 1, NAN]]
    found = totals_of(known, [[NAN] * 3, [NAN] * 3]).state()
    assert Totals.resumed(found, CPU, Team()).accuracy == 2 / 3
