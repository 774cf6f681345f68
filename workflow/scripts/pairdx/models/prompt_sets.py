"""Which prompts a system of the CLIP family is tried with, beside its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

# Of a table of predictions by prompts.
COLUMNS = ["pair_id", "case_id", "label", "template", "predicted"]
# Which prompts, where these are of findings; beside it stand the columns of predictions.
PROMPTS = "prompts"
OWN_PROMPTS = "own prompts"
ALL_TEMPLATES = "all templates together"


def prompt_sets(own: Sequence[str], templates: Sequence[str]) -> dict[str, list[str]]:
    """Name the sets of templates: the system's own, each single one, and all single ones as one.

    Args:
        own: The templates of the system's settings, all of which make its prompts.
        templates: The single ones, with {} in place of the class.

    Returns:
        Templates by the name of the set; a single template is its own name.
    """
    return {
        OWN_PROMPTS: list(own),
        **{template: [template] for template in templates},
        ALL_TEMPLATES: list(templates),
    }


def finding_prompt_sets(
    own: Mapping[str, Any], sets: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Name the sets of prompts of findings: the system's own, each set, and each pair of templates.

    Args:
        own: The set of the system's settings: ``positive`` and ``negative`` templates, and ``own``,
            whole prompts of single findings.
        sets: Those of the configuration, by name.

    Returns:
        The sets by name. A set of several templates gives a pair of each positive one and the
        negative one in the same place, called ``set: positive | negative``; findings with whole
        prompts keep them in it. What is the same as the system's own is not asked again.
    """
    found = {OWN_PROMPTS: dict(own), **{name: dict(of) for name, of in sets.items()}}
    for name, of in sets.items():
        if len(of["positive"]) == len(of["negative"]) == 1:
            continue
        for positive, negative in zip(of["positive"], of["negative"], strict=False):
            pair = {**of, "positive": [positive], "negative": [negative]}
            found[f"{name}: {positive} | {negative}"] = pair
    return {name: of for name, of in found.items() if name == OWN_PROMPTS or of != dict(own)}


def no_predictions_by_prompts(columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Return prompts.parquet of a system whose prompts are not varied: no rows."""
    return pd.DataFrame(columns=list(columns), dtype=str)
