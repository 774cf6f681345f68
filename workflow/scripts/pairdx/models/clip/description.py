"""What the family clip says of itself: see :class:`pairdx.plan.descriptions.Family`."""

from __future__ import annotations

from collections.abc import Iterator

from pairdx.models.clip.architectures import contradictions, known_architectures
from pairdx.models.clip.tuning import problems_of_tuning
from pairdx.plan import finding_prompts
from pairdx.plan.descriptions import ImageSizes, Settings
from pairdx.plan.wording import not_among, similar

NETWORK = True
CAN_BE_UNTRAINED = True
EXPLAINED = True
EXPORTED = True
PROMPTED = True
SEVERAL = True
RUNTIME = "PyTorch"


def reads(settings: Settings) -> list[str]:
    """Images: captions only align them in training."""
    return ["image"]


def learns_from(settings: Settings) -> list[str]:
    """Captions too, where images are aligned with them."""
    aligned = settings.get("objective") == "contrastive"
    return ["image", "caption"] if aligned else ["image"]


def weights_name(settings: Settings, config: Settings) -> str | None:
    """Those that it starts from, unless they are random."""
    return settings["weights"] or None


def needs(settings: Settings) -> list[str]:
    """Nothing that is made of the dataset."""
    return []


def encoder(settings: Settings) -> str | None:
    """None: it has its own."""
    return None


def pairing(settings: Settings) -> str | None:
    """None: it is trained with no other texts than captions."""
    return None


def build_settings(settings: Settings, config: Settings, dataset: Settings) -> Settings:
    """Add what stands for each class in prompts, and how the images that it sees become square.

    Its weights may have been trained on images that became square in another way. Of several labels
    per pair the prompts are those of the set that it names; of one, it takes no notice of that.
    """
    prompts, names = dataset.get("class_prompts"), dict(dataset["class_names"])
    stated = {key: of for key, of in settings.items() if key != finding_prompts.KEY}
    if dataset.get("several"):
        named = finding_prompts.chosen(settings)
        of_findings = finding_prompts.prompts_of(config, named, [*names])
        own = {"several": True, finding_prompts.KEY: of_findings}
    else:
        own = {"class_prompts": dict(prompts)} if prompts else {}
    return {**stated, "class_names": names, **own, "squaring": dataset["squaring"]}


def text_reader(settings: Settings, config: Settings) -> Settings | None:
    """Tell its tokeniser and what that is made of: its architecture's, or a model folder's."""
    used = ("architecture", "context_length", "objective")
    # Null is as if it were not stated.
    drawn = {key: settings[key] for key in ("sentence_sampling",) if settings.get(key)}
    return {
        "tokeniser": "open_clip",
        "settings": {**{key: settings[key] for key in used if key in settings}, **drawn},
        "weights": settings["weights"],
        "tokeniser_in_folder": settings["architecture"] is None,
        "vocabulary": False,
    }


def problems(key: str, entry: Settings, config: Settings, image_sizes: ImageSizes) -> Iterator[str]:
    """Compare it with the weights that there are, and with its architecture."""
    settings = entry["settings"]
    yield from problems_of_tuning(f"{key}.settings", settings)
    yield from problems_of_prompts(f"{key}.settings", settings, config)
    yield from problems_of_weights(f"{key}.settings", settings, config)
    yield from problems_of_architecture(f"{key}.settings", settings, image_sizes)


def problems_of_prompts(key: str, settings: Settings, config: Settings) -> Iterator[str]:
    """Say of settings that stand at ``key`` whether there is the set of prompts that they name."""
    sets, named = config[finding_prompts.KEY], settings.get(finding_prompts.KEY)
    if named is not None and named not in sets:
        yield not_among(f"{key}.finding_prompts", named, finding_prompts.KEY, sets)


def problems_of_weights(key: str, settings: Settings, config: Settings) -> Iterator[str]:
    """Say whether weights and architecture, of settings that stand at ``key``, go together."""
    sources, architecture = config["downloads"]["weights"], settings["architecture"]
    named = settings["weights"]
    if named and named not in sources:
        yield not_among(f"{key}.weights", named, "downloads.weights", sources)
    in_folder = "files" in sources.get(named, {})
    if in_folder != (architecture is None):
        yield (
            f"config key {key}.architecture: null goes with a folder of weights, which brings its "
            "own, and with nothing else"
        )
    known = known_architectures()
    if isinstance(architecture, str) and known and architecture not in known:
        guess = similar(architecture, known)
        yield f"config key {key}.architecture: open_clip has no {architecture!r}{guess}"


def problems_of_architecture(
    key: str, settings: Settings, image_sizes: ImageSizes
) -> Iterator[str]:
    """Say what an architecture is given otherwise than it reads it, each thing once."""
    found: dict[str, None] = {}
    for size, decided_by in image_sizes.items():
        for part, problem in contradictions(settings, size):
            if part == "image_size":
                keys = ", ".join(decided_by)
                found[f"config key {key}.architecture: {problem} ({keys})"] = None
            else:
                found[f"config key {key}.{part}: {problem} ({key}.architecture)"] = None
    yield from found
