"""What open_clip's architectures are called and what they read, without importing it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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


def contradictions(settings: Mapping[str, Any], image_size: int) -> Iterator[tuple[str, str]]:
    """Yield what settings of a CLIP model say otherwise than its architecture, where that is known.

    Args:
        settings: As in config/systems: ``architecture`` (a name, an open_clip model
            configuration, or None for that of a folder of weights), ``context_length`` and
            ``quick_gelu``.
        image_size: Side of the images that it is given, in pixels.

    Yields:
        The key, and a sentence's end.
    """
    architecture = settings["architecture"]
    if isinstance(architecture, str):
        path = known_architectures().get(architecture)
        architecture = json.loads(path.read_text(encoding="utf-8")) if path else None
    if not isinstance(architecture, Mapping):
        return
    vision, text = (architecture.get(part) for part in ("vision_cfg", "text_cfg"))
    # What open_clip takes where a configuration does not say it.
    side = vision.get("image_size", 224) if isinstance(vision, Mapping) else image_size
    if side != image_size:
        yield "image_size", f"images of {image_size} pixels are packed, and it reads {side}"
    if not isinstance(text, Mapping):
        return
    if text.get("hf_model_name") or text.get("hf_tokenizer_name"):
        yield (
            "architecture",
            "its text encoder is one of the transformers library: name a folder of weights by "
            "weights, and null here",
        )
        return
    tokens, read = settings["context_length"], text.get("context_length", 77)
    if tokens != read:
        yield "context_length", f"it reads {read} tokens, not {tokens}"
    if settings["quick_gelu"] != architecture.get("quick_gelu", False):
        built = "with" if architecture.get("quick_gelu", False) else "without"
        yield "quick_gelu", f"it is built {built} QuickGELU"
