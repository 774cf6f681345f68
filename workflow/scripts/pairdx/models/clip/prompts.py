"""The prompts of classes, as texts and as tokens.

Of one label per pair, a class has the templates with its display name in them. Of several labels
per pair it has prompts that say that it is there and prompts that say that it is not, which is how
CheXzero asks about findings (Tiu et al. 2022, doi:10.1038/s41551-022-00936-9: "{}" and "no {}").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from pairdx.errors import PairDxError
from pairdx.models.clip.loading import ClipParts
from pairdx.plan.finding_prompts import SIDES


def prompt_tokens(
    settings: Mapping[str, Any], classes: Sequence[str], parts: ClipParts
) -> list[Tensor]:
    """Return the tokens of each class's T prompts, int64 (T, L).

    Args:
        settings: ``templates``; by class, ``class_names`` that are put into them; and
            ``class_prompts``, where given: the whole prompts that stand in their place, by class.
            With ``several``, ``finding_prompts`` in place of both (:func:`finding_texts`).
        classes: The C labels.
        parts: The tokeniser's.

    Returns:
        One per class; with ``several`` 2 C: the positive ones of all classes, then the negative.

    Raises:
        PairDxError: A class has no phrase, or a template no place for it.
    """
    return tokens_of(prompt_texts(settings, classes), parts)


def prompt_texts(settings: Mapping[str, Any], classes: Sequence[str]) -> list[list[str]]:
    """Return the texts that :func:`prompt_tokens` makes tokens of, by the same settings.

    Raises:
        PairDxError: A class has no phrase, or a template no place for it.
    """
    if settings.get("several", False):
        return finding_texts(settings["finding_prompts"], settings["class_names"], classes)
    return _class_texts(settings, classes)


def tokens_of(texts: Sequence[Sequence[str]], parts: ClipParts) -> list[Tensor]:
    """Return the tokens of each list of T texts, int64 (T, L)."""
    tokens = parts.tokenise([text for of_class in texts for text in of_class])
    return list(tokens.split([len(of_class) for of_class in texts]))


def finding_texts(
    prompts: Mapping[str, Any], names: Mapping[str, str], classes: Sequence[str]
) -> list[list[str]]:
    """Return the texts of 2 C prompts: the positive ones of C classes, then the negative ones.

    Args:
        prompts: ``positive`` and ``negative`` templates, and, by class, ``own`` whole prompts of
            both kinds, which stand in their place.
        names: What is put into templates, by class.
        classes: The C labels.

    Raises:
        PairDxError: A class has no phrase, or a template no place for it.
    """
    own = prompts.get("own", {})
    found = []
    for side in SIDES:
        _require_phrases(names, prompts[side], classes, f"finding_prompts: … {side}")
        for label in classes:
            filled = [template.format(names[label]) for template in prompts[side]]
            found.append(list(own[label][side]) if label in own else filled)
    return found


def _class_texts(settings: Mapping[str, Any], classes: Sequence[str]) -> list[list[str]]:
    names, templates = settings["class_names"], settings["templates"]
    _require_phrases(names, templates, classes, "systems: … settings: templates")
    own = settings.get("class_prompts", {})
    return [
        own.get(label) or [template.format(names[label]) for template in templates]
        for label in classes
    ]


def _require_phrases(
    names: Mapping[str, str], templates: Sequence[str], classes: Sequence[str], where: str
) -> None:
    missing = [label for label in classes if label not in names]
    if missing or not templates or any("{}" not in template for template in templates):
        raise PairDxError(
            f"no phrase stands for the class {missing[0]!r}"
            if missing
            else "there is no prompt template with {} in it",
            where="systems: … settings: class_names" if missing else where,
            remedy="give every class a phrase, and at least one template such as 'a photo of a {}'",
        )
