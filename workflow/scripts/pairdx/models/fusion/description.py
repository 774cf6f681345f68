"""What the family fusion says of itself: see :class:`pairdx.plan.descriptions.Family`."""

from __future__ import annotations

from collections.abc import Iterator

from pairdx.plan.descriptions import ImageSizes, Settings
from pairdx.plan.wording import not_among

NETWORK = True
CAN_BE_UNTRAINED = False
EXPLAINED = True
EXPORTED = True
PROMPTED = False
SEVERAL = False
RUNTIME = "PyTorch"


def reads(settings: Settings) -> list[str]:
    """What it has branches for."""
    return [name for name in ("image", "caption") if name in settings["branches"]]


def learns_from(settings: Settings) -> list[str]:
    """What it reads."""
    return reads(settings)


def weights_name(settings: Settings, config: Settings) -> str | None:
    """Those of its image encoder, unless they are random."""
    return settings["weights"] or None


def needs(settings: Settings) -> list[str]:
    """The vectors of words, if it reads captions."""
    return ["word_vectors"] if "caption" in settings["branches"] else []


def encoder(settings: Settings) -> str | None:
    """None: its encoders are trained with it."""
    return None


def pairing(settings: Settings) -> str | None:
    """None: it is trained with no other texts than captions."""
    return None


def build_settings(settings: Settings, config: Settings, dataset: Settings) -> Settings:
    """Its settings as they are."""
    return settings


def text_reader(settings: Settings, config: Settings) -> Settings | None:
    """Words that have vectors, so many of each caption."""
    if "caption" not in settings["branches"]:
        return None
    return {
        "tokeniser": "words",
        "settings": {"tokens": settings["tokens"]},
        "weights": None,
        "tokeniser_in_folder": False,
        "vocabulary": True,
    }


def problems(key: str, entry: Settings, config: Settings, image_sizes: ImageSizes) -> Iterator[str]:
    """Compare branches with what joins them, and widths with attention heads."""
    settings, sources = entry["settings"], config["downloads"]["weights"]
    key = f"{key}.settings"
    branches, fusion, named = (settings[name] for name in ("branches", "fusion", "weights"))
    if named and named not in sources:
        yield not_among(f"{key}.weights", named, "downloads.weights", sources)
    if (len(branches) == 1) != (fusion is None):
        yield (
            f"config key {key}.fusion: {fusion} does not go with the branches {branches}; it is "
            "null with one branch only"
        )
    if named and "image" not in branches:
        yield f"config key {key}.weights: must be null, because there is no image branch"
    if "caption" in branches:
        yield from _undivided_widths(key, settings)


def _undivided_widths(key: str, settings: Settings) -> Iterator[str]:
    heads = settings["attention"]["heads"]
    widths = {"attention.dimension": settings["attention"]["dimension"]}
    if settings["fusion"] == "cross_attention":
        widths["fusion_dimension"] = settings["fusion_dimension"]
    for name, width in widths.items():
        if width % heads:
            yield (
                f"config key {key}.{name}: {width} numbers cannot be divided among {heads} "
                "attention heads"
            )
