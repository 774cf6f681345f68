"""A CLIP system as open_clip loads it (see :mod:`pairdx.models.library_weights`).

Adapters are merged when a training ends, so that what it learned lies in the weights themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairdx.files import write_json
from pairdx.models.clip.loading import FOLDER_CONFIG
from pairdx.models.clip.preprocessing import RESIZE_MODES
from pairdx.models.clip.prompts import prompt_texts
from pairdx.models.library_weights import FOLDER, PICTURE_LINE, PROBABILITIES, LibraryWeights
from pairdx.models.weights import save_weights
from pairdx.squaring import PAD_COLOUR

WEIGHTS_FILE = "open_clip_model.safetensors"
PROMPTS_FILE = "prompts.json"
HEAD = f"""import json

import open_clip
import torch
from PIL import Image, ImageOps

# Where the text encoder is one of transformers, it is found from the folder that this is run in.
model, _, preprocess = open_clip.create_model_and_transforms("local-dir:{FOLDER}")
tokenise = open_clip.get_tokenizer("local-dir:{FOLDER}")
model.eval()
with open("{FOLDER}/{PROMPTS_FILE}", encoding="utf-8") as file:
    asked = json.load(file)


def encoded(prompts):
    features = model.encode_text(tokenise(prompts), normalize=True).mean(dim=0)
    return torch.nn.functional.normalize(features, dim=0)


{PICTURE_LINE}
images = preprocess(picture)[None]
with torch.inference_mode():
    features = model.encode_image(images, normalize=True)
"""
OF_ONE_LABEL = f"""    classes = torch.stack([encoded(one) for one in asked["prompts"].values()])
    {PROBABILITIES} = (features @ classes.T / asked["temperature"]).softmax(dim=1)
"""
OF_SEVERAL = f"""    present = torch.stack([encoded(one) for one in asked["positive"].values()])
    absent = torch.stack([encoded(one) for one in asked["negative"].values()])
    {PROBABILITIES} = (features @ (present - absent).T / asked["temperature"]).sigmoid()
"""


def write(classifier: Any, folder: Path, image: Mapping[str, Any]) -> LibraryWeights:
    """Write weights, configuration, tokeniser and prompts of a CLIP system.

    Args:
        classifier: A :class:`pairdx.models.clip.system.ClipClassifier`.
        folder: Where; it is there.
        image: ``size`` and ``squaring`` of the images that it reads.
    """
    parts = classifier.parts
    save_weights(parts.clip, folder / WEIGHTS_FILE)
    architecture = dict(parts.architecture)
    text = dict(architecture["text_cfg"])
    if own := text.pop("hf_model", None):
        # open_clip looks the encoder's configuration up by this name, from where it is run.
        text |= {"hf_model_name": FOLDER, "hf_tokenizer_name": FOLDER}
        text["context_length"] = classifier.settings["context_length"]
        write_json(folder / "config.json", own)
        parts.tokenise.save_pretrained(folder)
    stated = architecture.pop("normalisation")
    preprocessing = {
        "mean": list(stated["mean"]),
        "std": list(stated["std"]),
        "interpolation": "bicubic",
        "resize_mode": RESIZE_MODES[image["squaring"]],
        **({"fill_color": PAD_COLOUR[0]} if image["squaring"] == "pad" else {}),
    }
    config = {"model_cfg": {**architecture, "text_cfg": text}, "preprocess_cfg": preprocessing}
    write_json(folder / FOLDER_CONFIG, config)
    write_json(folder / PROMPTS_FILE, _asked(classifier))
    return LibraryWeights(
        library="open_clip",
        what="Both encoders, with the configuration, the tokeniser's where it has one of its own, "
        f"and in {PROMPTS_FILE} the prompts that stand for each class and the temperature that "
        "similarities are divided by: a CLIP model classifies by these.",
        lines=HEAD + (OF_SEVERAL if classifier.network.several else OF_ONE_LABEL),
        gives=PROBABILITIES,
    )


def _asked(classifier: Any) -> dict[str, Any]:
    """Return prompts by class, in order, and the temperature."""
    texts = prompt_texts(classifier.settings, classifier.classes)
    classes, settled = classifier.classes, classifier.settings["temperature"]
    temperature = 1 / classifier.network.scale().item() if settled is None else settled
    if not classifier.network.several:
        prompts = dict(zip(classes, texts, strict=True))
        return {"temperature": temperature, "prompts": prompts}
    sides = texts[: len(classes)], texts[len(classes) :]
    positive, negative = (dict(zip(classes, side, strict=True)) for side in sides)
    return {"temperature": temperature, "positive": positive, "negative": negative}
