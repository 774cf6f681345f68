"""What the family linear_probe says of itself: see :class:`pairdx.plan.descriptions.Family`.

Its encoders stand in a section of the configuration of their own, ``feature_extractors``, because
several probes share one. Each is a CLIP model, described as those of the family clip are.
"""

from __future__ import annotations

from collections.abc import Iterator

from pairdx.models.clip import description as clip
from pairdx.plan.descriptions import ImageSizes, Settings
from pairdx.plan.wording import not_among

NETWORK = False
CAN_BE_UNTRAINED = False
EXPLAINED = False
EXPORTED = False
PROMPTED = False
SEVERAL = False
RUNTIME = "PyTorch"


def reads(settings: Settings) -> list[str]:
    """Whose features it takes."""
    return [name for name in ("image", "caption") if name in settings["inputs"]]


def learns_from(settings: Settings) -> list[str]:
    """What it reads."""
    return reads(settings)


def weights_name(settings: Settings, config: Settings) -> str | None:
    """Those of its encoder, unless they are random."""
    return clip.weights_name(config["feature_extractors"][settings["features"]], config)


def needs(settings: Settings) -> list[str]:
    """The features that its encoder gives to the dataset's images and captions."""
    return ["features"]


def encoder(settings: Settings) -> str | None:
    """The key of ``feature_extractors``."""
    return str(settings["features"])


def pairing(settings: Settings) -> str | None:
    """None: it is trained with no other texts than captions."""
    return None


def build_settings(settings: Settings, config: Settings, dataset: Settings) -> Settings:
    """Add, as ``encoder``, the description of its encoder and how images become square for it."""
    described = config["feature_extractors"][settings["features"]]
    return {**settings, "encoder": {**described, "squaring": dataset["squaring"]}}


def text_reader(settings: Settings, config: Settings) -> Settings | None:
    """Texts are read as its encoder reads them."""
    if "caption" not in settings["inputs"]:
        return None
    return clip.text_reader(config["feature_extractors"][settings["features"]], config)


def problems(key: str, entry: Settings, config: Settings, image_sizes: ImageSizes) -> Iterator[str]:
    """Compare it with the encoders that there are, and its encoder with the weights."""
    named, encoders = entry["settings"]["features"], config["feature_extractors"]
    if named not in encoders:
        yield not_among(f"{key}.settings.features", named, "feature_extractors", encoders)
        return
    described = f"feature_extractors.{named}"
    yield from clip.problems_of_weights(described, encoders[named], config)
    yield from clip.problems_of_architecture(described, encoders[named], image_sizes)
