"""What contradicts itself in how sentences are drawn and positive pairs are relaxed.

Both are a reconstruction of Jang et al. (arXiv 2212.07050), whose exact form is not public.
Standard library only: the family's description asks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SETTINGS = ("sentence_sampling", "relaxation")
# The forms of a relaxation, with the keys that each needs besides a threshold.
FORMS: dict[str, tuple[str, ...]] = {
    "none": (),
    "clip": (),
    "slope": ("slope",),
    "target": ("epsilon",),
}
WITH_THRESHOLD = ("clip", "slope")


def problems_of_tuning(key: str, settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with these settings, of a system's settings that stand at ``key``."""
    stated = [name for name in SETTINGS if settings.get(name) is not None]
    if stated and settings.get("objective") != "contrastive":
        yield (
            f"config key {key}.{stated[0]}: images and texts are aligned by the objective "
            "contrastive only"
        )
    sampling = settings.get("sentence_sampling")
    if sampling and sampling["at_least"] > sampling["at_most"]:
        yield (
            f"config key {key}.sentence_sampling: at_least is {sampling['at_least']}, and at_most "
            f"{sampling['at_most']}"
        )
    if relaxation := settings.get("relaxation"):
        yield from _problems_of_relaxation(f"{key}.relaxation", relaxation)


def _problems_of_relaxation(key: str, relaxation: Mapping[str, Any]) -> Iterator[str]:
    form = relaxation["form"]
    stated = {name for name, value in relaxation.items() if value is not None} - {"form", "sides"}
    thresholds = stated & {"threshold", "quantile"}
    if form in WITH_THRESHOLD and len(thresholds) != 1:
        yield (
            f"config key {key}: form {form} needs either threshold or quantile; set the other to "
            "null"
        )
    needed = FORMS[form]
    for name in needed:
        if name not in stated:
            yield f"config key {key}.{name}: form {form} needs it"
    allowed = {*needed, *(("threshold", "quantile") if form in WITH_THRESHOLD else ())}
    for name in sorted(stated - allowed):
        yield f"config key {key}.{name}: form {form} does not read it; set it to null"
