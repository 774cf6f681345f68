"""Settings of drawn sentences and relaxed pairs: what is refused at the start, and the registry."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from pairdx.errors import PairDxError
from pairdx.models.clip.tuning import problems_of_tuning
from pairdx.plan.start import plan_of
from plans import REPOSITORY

TUNED = ("pairdx_clip_sampled", "pairdx_clip_relaxed", "pairdx_clip_sampled_relaxed")


def said_of(settings: str) -> list[str]:
    stated = {"objective": "contrastive", **yaml.safe_load(settings)}
    return [line.removeprefix("config key k") for line in problems_of_tuning("k", stated)]


@pytest.mark.parametrize(
    "settings",
    [
        "{}",
        "{objective: prompts}",
        "{objective: prompts, sentence_sampling: null, relaxation: null}",
        "sentence_sampling: {at_least: 1, at_most: 1}",
        "relaxation: {form: none}",
        "relaxation: {form: clip, threshold: 0.3, quantile: null}",
        "relaxation: {form: clip, quantile: 0, sides: numerator}",
        "relaxation: {form: slope, quantile: 0.5, slope: 0, epsilon: null}",
        "relaxation: {form: target, epsilon: 0}",
    ],
)
def test_sound_settings_pass(settings: str) -> None:
    assert said_of(settings) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            "{objective: prompts, relaxation: {form: none}}",
            ".relaxation: images and texts are aligned by the objective contrastive only",
        ),
        (
            "{objective: class_contrastive, sentence_sampling: {at_least: 1, at_most: 2}}",
            ".sentence_sampling: images and texts are aligned by the objective contrastive only",
        ),
        ("sentence_sampling: {at_least: 3, at_most: 2}", "at_least is 3, and at_most 2"),
        ("relaxation: {form: clip}", "form clip needs either threshold or quantile"),
        ("relaxation: {form: clip, threshold: 0.2, quantile: 0.5}", "set the other to null"),
        ("relaxation: {form: slope, quantile: 0.5}", ".relaxation.slope: form slope needs it"),
        ("relaxation: {form: clip, quantile: 0.5, slope: 0.1}", ".slope: form clip does not read"),
        ("relaxation: {form: target}", ".relaxation.epsilon: form target needs it"),
        ("relaxation: {form: target, epsilon: 0.1, quantile: 0.5}", ".quantile: form target does"),
        ("relaxation: {form: none, threshold: 0.5}", ".threshold: form none does not read it"),
    ],
)
def test_a_contradiction_is_one_sentence_with_its_key(settings: str, said: str) -> None:
    (line,) = said_of(settings)
    assert said in line


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("relaxation: {quantile: null}", "form clip needs either threshold or quantile"),
        ("relaxation: {form: clipp}", "settings.relaxation.form"),
        ("relaxation: {quantile: 1.5}", "settings.relaxation.quantile"),
        # All of the target for the other texts: the pairs would be pushed apart.
        (
            "relaxation: {form: target, quantile: null, epsilon: 1}",
            "settings.relaxation.epsilon: 1 is greater than or equal to the maximum of 1",
        ),
        ("sentence_sampling: {at_least: 0}", "settings.sentence_sampling.at_least"),
        ("sentence_sampling: {at_leest: 1}", "unknown at_leest"),
    ],
)
def test_a_configuration_with_one_is_refused_before_the_first_job(settings: str, said: str) -> None:
    name = "pairdx_clip_sampled_relaxed"
    overlay: dict[str, Any] = {"enabled": True, "settings": yaml.safe_load(settings)}
    with pytest.raises(PairDxError, match="the configuration is not valid") as caught:
        plan_of({"systems": {name: overlay}}, REPOSITORY, [])
    (line,) = str(caught.value).splitlines()[1:]
    assert said in line


def test_the_tuned_systems_differ_from_pairdx_in_what_they_are_called_after() -> None:
    """They are off by default; enabled, they have the settings of pairdx_clip and their own."""
    stated = plan_of({}, REPOSITORY, [])[0].systems
    assert not any(stated[name].entry["enabled"] for name in TUNED)
    plan, _ = plan_of({"systems": {name: {"enabled": True} for name in TUNED}}, REPOSITORY, [])
    plain = plan.systems["pairdx_clip"].entry["settings"]
    sampling = {"sentence_sampling": {"at_least": 1, "at_most": 1}}
    found = [dict(plan.systems[name].entry["settings"]) for name in TUNED]
    assert found[0] == plain | sampling
    assert found[2] == found[1] | sampling
    assert found[1].keys() == plain.keys() | {"relaxation"}
