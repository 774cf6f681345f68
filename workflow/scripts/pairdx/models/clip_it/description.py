"""What the family clip_it says of itself: see :class:`pairdx.plan.descriptions.Family`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.models.clip import description as clip
from pairdx.plan.descriptions import ImageSizes, Settings
from pairdx.plan.wording import not_among

NETWORK = True
CAN_BE_UNTRAINED = False
EXPLAINED = False
EXPORTED = True
PROMPTED = False
SEVERAL = False
RUNTIME = "PyTorch"


def reads(settings: Settings) -> list[str]:
    """Images: texts are there in training only."""
    return ["image"]


def learns_from(settings: Settings) -> list[str]:
    """Images: the texts come from a bank."""
    return ["image"]


def weights_name(settings: Settings, config: Settings) -> str | None:
    """Those of its backbone, unless they are random."""
    backbone = settings["backbone"]
    if backbone["library"] != "open_clip":
        return backbone["weights"] or None
    encoder = config["feature_extractors"].get(backbone["name"])
    return None if encoder is None else clip.weights_name(encoder, config)


def needs(settings: Settings) -> list[str]:
    """The encoder of its pairing, where that runs in training."""
    own = settings["text_encoder"]
    runs = own["trains"] != "nothing" or settings["word_dropout"] > 0
    return ["text_encoder"] if runs and _taught(settings) else []


def encoder(settings: Settings) -> str | None:
    """None: its encoder is trained with it, and features of texts are of its pairing."""
    return None


def pairing(settings: Settings) -> str | None:
    """The key of pairings, if it learns from texts."""
    return settings["pairing"] or None


def build_settings(settings: Settings, config: Settings, dataset: Settings) -> Settings:
    """Put the pairing's encoder, and that of an image tower, in the place of their names."""
    extractors, squaring = config["feature_extractors"], {"squaring": dataset["squaring"]}
    found = dict(settings)
    if settings["backbone"]["library"] == "open_clip":
        encoder = {**extractors[settings["backbone"]["name"]], **squaring}
        found["backbone"] = {**settings["backbone"], "encoder": encoder}
    if (name := pairing(settings)) is not None:
        paired = config["pairings"][name]
        found["pairing"] = {
            "name": name,
            "bank": dataset.get("bank"),
            "encoder": {**extractors[paired["encoder"]], **squaring},
        }
    return found


def text_reader(settings: Settings, config: Settings) -> Settings | None:
    """None: it reads no captions."""
    return None


def problems(key: str, entry: Settings, config: Settings, image_sizes: ImageSizes) -> Iterator[str]:
    """Compare the backbone with weights and encoders, and the parts with one another."""
    settings, key = entry["settings"], f"{key}.settings"
    yield from _of_backbone(f"{key}.backbone", settings, config, image_sizes, key)
    yield from _of_adapters(key, settings["trains"], settings["lora"], "")
    yield from _of_branch(key, settings)
    yield from _of_frozen_features(key, settings)
    yield from _of_texts(key, settings)
    paired = config["pairings"].get(settings["pairing"])
    extractors = config["feature_extractors"]
    if paired is not None and (described := extractors.get(paired["encoder"])) is not None:
        place = f"feature_extractors.{paired['encoder']}"
        yield from clip.problems_of_weights(place, described, config)
        if entry.get("enabled"):
            yield from _of_dimension(key, settings, place, described["architecture"])


def _of_dimension(key: str, settings: Settings, place: str, architecture: Any) -> Iterator[str]:
    """Hold the text branch against the encoder, where its architecture is written out.

    How long the features of a named one or of a folder are is seen when they are read.
    """
    found = architecture.get("embed_dim") if isinstance(architecture, Mapping) else None
    branch, into_branch = settings["text_branch"], settings["distil_into"] == "text_branch"
    if found is None or branch is None or not (into_branch and _taught(settings)):
        return
    if branch["dimension"] != found:
        yield (
            f"config key {key}.text_branch.dimension: must be {found}, as {place} gives so many "
            f"numbers of a text; it is {branch['dimension']}"
        )


def _taught(settings: Settings) -> bool:
    return settings["pairing"] is not None and settings["distillation_weight"] > 0


def _of_backbone(
    key: str, settings: Settings, config: Settings, image_sizes: ImageSizes, above: str
) -> Iterator[str]:
    backbone, sources = settings["backbone"], config["downloads"]["weights"]
    named, extractors = backbone["weights"], config["feature_extractors"]
    if backbone["library"] != "open_clip":
        if named and named not in sources:
            yield not_among(f"{key}.weights", named, "downloads.weights", sources)
        return
    if backbone["name"] not in extractors:
        yield not_among(f"{key}.name", backbone["name"], "feature_extractors", extractors)
        return
    described, place = extractors[backbone["name"]], f"feature_extractors.{backbone['name']}"
    if named not in (None, described["weights"]):
        yield f"config key {key}.weights: must be null: {place}.weights names those of the tower"
    if backbone["arguments"]:
        yield f"config key {key}.arguments: must be empty: {place} describes the tower"
    side = settings.get("resize_to")
    sizes = {side: [f"{above}.resize_to"]} if side else image_sizes
    yield from clip.problems_of_weights(place, described, config)
    yield from clip.problems_of_architecture(place, described, sizes)


def _of_adapters(key: str, trains: str, lora: Mapping[str, Any] | None, of: str) -> Iterator[str]:
    if trains == "adapters" and lora is None:
        yield f"config key {key}.{of}lora: must be stated where {of}trains is adapters"
    if trains != "adapters" and lora is not None:
        yield f"config key {key}.{of}lora: must be null where {of}trains is {trains}"


def _of_branch(key: str, settings: Settings) -> Iterator[str]:
    into_branch = _taught(settings) and settings["distil_into"] == "text_branch"
    if settings["text_branch"] is not None:
        if settings["fusion"] == "none" and not into_branch:
            yield (
                f"config key {key}.text_branch: must be null: fusion is none, and nothing is "
                "distilled into it, so that it would learn nothing"
            )
        return
    if settings["fusion"] != "none":
        yield f"config key {key}.fusion: must be none, because there is no text_branch"
    if into_branch:
        yield f"config key {key}.distil_into: text_branch is null; image_embedding goes without one"


def _of_frozen_features(key: str, settings: Settings) -> Iterator[str]:
    """Where the backbone is not trained, texts reach the classifier by the text branch alone."""
    if not _taught(settings) or settings["trains"] != "head":
        return
    if settings["distil_into"] == "image_embedding":
        yield (
            f"config key {key}.distil_into: must be text_branch where trains is head: the image's "
            "features stay as they are, so that texts would teach nothing"
        )
    elif settings["fusion"] == "none":
        yield (
            f"config key {key}.fusion: must be late or early where trains is head: the classifier "
            "does not read what texts teach, and the image's features stay as they are"
        )


def _of_texts(key: str, settings: Settings) -> Iterator[str]:
    own, dropout = settings["text_encoder"], settings["word_dropout"]
    yield from _of_adapters(key, own["trains"], own["lora"], "text_encoder.")
    if own["trains"] == "adapters" and own["detach"]:
        yield (
            f"config key {key}.text_encoder.detach: must be false where its adapters are trained, "
            "which learn by the distillation loss alone"
        )
    if not _taught(settings):
        why = "pairing is null" if settings["pairing"] is None else "distillation_weight is 0"
        if own["trains"] != "nothing":
            yield f"config key {key}.text_encoder.trains: must be nothing, because {why}"
        if dropout > 0:
            yield f"config key {key}.word_dropout: must be 0, because {why}"
