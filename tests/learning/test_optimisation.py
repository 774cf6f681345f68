"""Optimisers and their schedules against their formulas, step by step."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from pairdx.errors import PairDxError
from pairdx.training.optimisation import make_optimiser, make_schedule
from tiny_training import SETTINGS, run

# What the workflow's documentation promises of the one-cycle schedule.
SHARE_OF_RISE, START_DIVISOR, END_DIVISOR = 0.3, 25, 1e4
BETA = (0.95, 0.85)


def between(start: float, end: float, share: float) -> float:
    """The cosine's half wave from ``start`` (share 0) to ``end`` (share 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def one_cycle(step: int, total: int, peak: float) -> tuple[float, float]:
    """Learning rate and first beta of step 0 to total - 1, from the formula."""
    start = peak / START_DIVISOR
    summit = SHARE_OF_RISE * total - 1
    if step <= summit:
        share = step / summit
        return between(start, peak, share), between(*BETA, share)
    share = (step - summit) / (total - 1 - summit)
    return between(peak, start / END_DIVISOR, share), between(*reversed(BETA), share)


@pytest.mark.parametrize("weight_decay_on", ["all", "matrices"])
@pytest.mark.parametrize(("epochs", "steps"), [(20, 30), (8, 16), (4, 7), (2, 5)])
def test_the_one_cycle_schedule_equals_its_formula_at_every_step(epochs, steps, weight_decay_on):
    """Learning rate and AdamW's first beta, in every group, from the first step to the last."""
    settings = replace(
        SETTINGS, epochs=epochs, learning_rate=0.001, weight_decay_on=weight_decay_on
    )
    module = nn.Linear(3, 2)
    optimiser = make_optimiser(module, settings)
    schedule = make_schedule(optimiser, settings, steps)
    assert schedule is not None
    for step in range(epochs * steps):
        rate, beta = one_cycle(step, epochs * steps, 0.001)
        for group in optimiser.param_groups:
            assert group["lr"] == pytest.approx(rate, rel=1e-6), step
            assert group["betas"][0] == pytest.approx(beta, rel=1e-6), step
            assert group["betas"][1] == 0.999
        module(torch.ones(1, 3)).sum().backward()
        optimiser.step()
        schedule.step()


def test_the_loop_steps_the_schedule_after_every_batch():
    """An epoch's row names the rate of its last step: 17 examples, batches of 5, four steps."""
    _, rows = run(settings=replace(SETTINGS, epochs=3))
    expected = [one_cycle(4 * epoch - 1, 12, SETTINGS.learning_rate)[0] for epoch in (1, 2, 3)]
    assert rows["learning_rate"].tolist() == pytest.approx(expected, rel=1e-6)


def test_the_cosine_schedule_goes_down_to_a_tenth_of_the_learning_rate():
    """As torch's CosineAnnealingLR over all steps; the authors of CLIP-IT end at 1e-4 of 1e-3."""
    settings = replace(SETTINGS, epochs=2, learning_rate=0.001, schedule="cosine")
    module = nn.Linear(3, 2)
    optimiser = make_optimiser(module, settings)
    schedule = make_schedule(optimiser, settings, 5)
    assert schedule is not None
    for step in range(11):
        rate = between(0.001, 0.0001, step / 10)
        assert optimiser.param_groups[0]["lr"] == pytest.approx(rate, rel=1e-6), step
        module(torch.ones(1, 3)).sum().backward()
        optimiser.step()
        schedule.step()


def test_adam_adds_weight_decay_to_the_gradient_and_adamw_does_not():
    """From 2 with gradient 0: Adam's step is the learning rate, AdamW's that times the decay."""
    found = {}
    for name in ("adam", "adamw"):
        settings = replace(SETTINGS, optimiser=name, learning_rate=0.1, weight_decay=0.5)
        module = nn.Linear(1, 1, bias=False)
        module.weight.data.fill_(2.0)
        module.weight.grad = torch.zeros(1, 1)
        make_optimiser(module, settings).step()
        found[name] = module.weight.item()
    assert found["adam"] == pytest.approx(2 - 0.1)
    assert found["adamw"] == pytest.approx(2 - 0.1 * 0.5 * 2)


def test_an_unknown_optimiser_is_refused():
    with pytest.raises(PairDxError, match="optimiser must be adamw or adam, not 'sgd'"):
        replace(SETTINGS, optimiser="sgd")
