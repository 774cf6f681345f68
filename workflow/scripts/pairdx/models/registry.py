"""From a registry entry's ``family`` to that family's module, imported only when asked for."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from pairdx.errors import PairDxError
from pairdx.files import read_json
from pairdx.models.base import SETTINGS_FILE, Classifier

FUNCTIONS = ("build", "fit", "load")


def family(name: str) -> ModuleType:
    """Import the family ``name``: the module ``system`` of its folder.

    Raises:
        PairDxError: There is no such module, or it is no family.
    """
    file = Path(__file__).parent / name / "system.py"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or not file.is_file():
        raise PairDxError(
            f"there is no model family {name!r}",
            where="systems: … family",
            remedy="use one that workflow/scripts/pairdx/models has, or add a folder "
            f"{name} there (base.py says what it holds)",
        )
    module = importlib.import_module(f"pairdx.models.{name}.system")
    missing = [function for function in FUNCTIONS if not hasattr(module, function)]
    if missing:
        raise PairDxError(
            f"{name} is no model family: its file has no function {missing[0]}",
            where="systems: … family",
            remedy="see workflow/scripts/pairdx/models/base.py for what a system.py offers",
        )
    return module


def load_classifier(folder: Path, resources: Mapping[str, Path]) -> Classifier:
    """Load whatever system was saved to ``folder``; its settings.json names the family.

    Raises:
        PairDxError: The folder holds no saved system, or the family refuses it.
    """
    content = read_json(folder / SETTINGS_FILE)
    if not isinstance(content, dict) or "family" not in content:
        raise PairDxError("these are not a saved model's settings", where=folder / SETTINGS_FILE)
    classifier: Classifier = family(content["family"]).load(folder, resources)
    return classifier


def load_or_build(
    settings: str | Path | None,
    untrained: Mapping[str, Any],
    classes: Sequence[str],
    resources: Mapping[str, Path],
) -> Classifier:
    """Load a trained system, or build one that is not trained.

    Args:
        settings: settings.json of the trained system; None if it is not trained.
        untrained: family, settings and seed of one that is not trained.
        classes: The labels, in order.
        resources: The files from outside that it is built from (see :mod:`pairdx.models.inputs`).

    Raises:
        PairDxError: There is no such system or family, or the family refuses its files.
    """
    if settings is not None:
        return load_classifier(Path(settings).parent, resources)
    built: Classifier = family(untrained["family"]).build(
        untrained["settings"], classes, resources, untrained["seed"]
    )
    return built
