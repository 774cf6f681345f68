"""What the datasheet says of every dataset: purpose and uses. Readers say the rest (TEXTS)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def motivation(facts: Mapping[str, Any]) -> str:
    """Say what the dataset serves for, by what its pairs hold."""
    given = "the image" if "captions" in facts["lacks"] else "the image, its caption, or both"
    task = "which findings an image shows" if facts.get("several") else "of which class an image is"
    return (
        "The dataset serves to compare ways of adapting vision-language models to medicine: the "
        f"task is to say {task}, given {given}."
    )


def uses(facts: Mapping[str, Any]) -> list[str]:
    """Say what the data are fit for.

    Args:
        facts: ``texts`` (``classes`` and, if that is known, ``frequencies``: whom the data show),
            ``articles``, ``lacks``.
    """
    texts = facts["texts"]
    kinds = "kinds of medical images" if facts["articles"] else "these classes of images"
    kinds = "these findings" if facts.get("several") else kinds
    captions = "captions" not in facts["lacks"]
    both = ", and for studying what images and captions add to each other" if captions else ""
    named = "the kind of image" if facts["articles"] else "the class"
    often = "often" if facts["articles"] else "may"
    found = [
        f"Fit for comparing systems that tell {kinds} apart{both}.",
        f"Not fit for diagnosis or any decision about a patient: the {texts['classes']}.",
        texts.get("frequencies"),
        f"Captions {often} name {named} outright: hold every system that reads them against one "
        "that reads nothing else."
        if captions
        else None,
        "Do not try to find out who a patient is.",
    ]
    return [use for use in found if use]
