"""Which prompts a system of the CLIP family is tried with, beside its own."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

# Of a table of predictions by prompts.
COLUMNS = ["pair_id", "case_id", "label", "template", "predicted"]
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


def no_predictions_by_prompts() -> pd.DataFrame:
    """Return prompts.parquet of a system whose prompts are not varied: no rows."""
    return pd.DataFrame(columns=COLUMNS, dtype=str)
