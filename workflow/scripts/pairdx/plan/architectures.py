"""What open_clip's architectures are called and which images they read, without importing it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@cache
def known_architectures() -> dict[str, Path]:
    """Return open_clip's model configurations by name; none where open_clip is not installed.

    The rules may be read by a Python without it, whose jobs run in environments of their own.
    """
    package = find_spec("open_clip")
    places = package.submodule_search_locations if package else None
    return {
        path.stem: path
        for place in places or ()
        for path in sorted(Path(place, "model_configs").glob("*.json"))
    }


def image_side(architecture: str | Mapping[str, Any] | None) -> int | None:
    """Return the side in pixels of the images that a CLIP model reads; None if it is not known.

    Args:
        architecture: As in config/models.yaml: a name, an open_clip model configuration, or None.
    """
    if isinstance(architecture, str):
        path = known_architectures().get(architecture)
        architecture = json.loads(path.read_text(encoding="utf-8")) if path else None
    vision = (architecture or {}).get("vision_cfg")
    side = vision.get("image_size", 224) if isinstance(vision, Mapping) else None  # open_clip's
    return side if isinstance(side, int) else None
