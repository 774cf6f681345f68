"""What the family linear says of itself: see :class:`pairdx.plan.descriptions.Family`."""

from __future__ import annotations

from collections.abc import Iterator

from pairdx.plan.descriptions import ImageSizes, Settings

NETWORK = False
CAN_BE_UNTRAINED = False
EXPLAINED = False
EXPORTED = False
PROMPTED = False
SEVERAL = False
RUNTIME = "scikit-learn"

READ_BY_FEATURES = {"words": ["caption"], "mean_colour": ["image"], "none": []}


def reads(settings: Settings) -> list[str]:
    """What its features are made of."""
    return list(READ_BY_FEATURES[settings["features"]])


def learns_from(settings: Settings) -> list[str]:
    """What it reads."""
    return reads(settings)


def weights_name(settings: Settings, config: Settings) -> str | None:
    """None: it starts from nothing."""
    return None


def needs(settings: Settings) -> list[str]:
    """Nothing that is made of the dataset."""
    return []


def encoder(settings: Settings) -> str | None:
    """None: its features are made by itself."""
    return None


def pairing(settings: Settings) -> str | None:
    """None: it is trained with no other texts than captions."""
    return None


def build_settings(settings: Settings, config: Settings, dataset: Settings) -> Settings:
    """Its settings as they are."""
    return settings


def text_reader(settings: Settings, config: Settings) -> Settings | None:
    """Words, without a limit and without vectors."""
    if "caption" not in reads(settings):
        return None
    return {
        "tokeniser": "words",
        "settings": {},
        "weights": None,
        "tokeniser_in_folder": False,
        "vocabulary": False,
    }


def problems(key: str, entry: Settings, config: Settings, image_sizes: ImageSizes) -> Iterator[str]:
    """Look at the lengths of runs of words."""
    settings = entry["settings"]
    if settings["features"] == "words":
        shortest, longest = settings["word_ngrams"]
        if shortest > longest:
            yield f"config key {key}.settings.word_ngrams: the shortest run of words comes first"
