"""What a dataset's ``curation.mode`` stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# A data set whose makers decided: nothing that can be used is taken out; captions are left as they
# are, and copies are only marked, so that a published split stays theirs. What no one can use (an
# image that cannot be read, an empty caption) is still rejected, and counted.
OFFICIAL: Mapping[str, Any] = {
    "min_age": 0,
    "unknown_age": "keep",
    "caption_problems": ["empty"],
    "identifiers": {
        "name": "keep",
        "date": "keep",
        "record_number": "keep",
        "phone": "keep",
        "email": "keep",
        "url": "keep",
        "initials": "keep",
    },
    "images": {"min_side_pixels": 2, "max_aspect_ratio": 1000, "min_grey_level_spread": 0},
    "duplicates": {"exact": "cluster", "near": "cluster"},
    "balance": {"total": None, "per_class_cap": None},
}
MODES: Mapping[str, Mapping[str, Any]] = {"full": {}, "official": OFFICIAL}


def settings(curation: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dataset's curation with the values that its mode stands for, in the same order.

    Args:
        curation: The section of that name of a completed configuration.

    Returns:
        ``full``: as stated. ``official``: :data:`OFFICIAL` in place of what is stated there; all
        else as stated (seed, licences, modalities, review, how far near duplicates may differ).
    """
    found = dict(curation)
    for key, value in MODES[curation["mode"]].items():
        both = isinstance(value, Mapping)
        found[key] = {**curation[key], **value} if both else value
    return found
