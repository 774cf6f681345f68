"""CLIP models and their tokenisers from local files, never from the network."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.transformer import QuickGELU
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.files import read_json
from pairdx.models.clip.preprocessing import normalisation
from pairdx.models.clip.tokenisers import ClipTokeniser, clip_tokeniser
from pairdx.storage_errors import is_refusal_of_storage, storage_error
from pairdx.training.randomness import seeded

FOLDER_CONFIG = "open_clip_config.json"
ARCHITECTURE_KEY = "systems: … settings: architecture"


@dataclass(frozen=True)
class ClipParts:
    """A CLIP model and what belongs to it.

    Attributes:
        clip: An open_clip model with ``encode_image``, ``encode_text`` and ``logit_scale``.
        tokenise: Texts to int64 tokens of shape (B, context_length), cut or padded.
        token_counts: Texts to their numbers of tokens before cutting, start and end included.
        mean: Of each colour channel of the images it was trained on.
        std: Standard deviation, likewise.
        image_size: Side in pixels of the images it reads.
        quick_gelu: Whether it is built with OpenAI's approximation of GELU.
        architecture: The open_clip model configuration that it is built from, as JSON keeps it;
            with mean and std, and with the text encoder's own configuration, not its place.
    """

    clip: nn.Module
    tokenise: Callable[[list[str]], Tensor]
    token_counts: Callable[[list[str]], list[int]]
    mean: Sequence[float]
    std: Sequence[float]
    image_size: int
    quick_gelu: bool
    architecture: Mapping[str, Any]


def build_clip(settings: Mapping[str, Any], folder: Path | None, seed: int) -> ClipParts:
    """Build a CLIP model with random weights.

    Args:
        settings: ``architecture``: the name of an open_clip architecture; a mapping (an open_clip
            model configuration); or null, for the one that lies in ``folder``. ``quick_gelu`` and
            ``context_length`` must be the built model's own. ``squaring``: how the packed images
            became square (``crop``, the default, ``squash`` or ``pad``).
        folder: A model folder: open_clip_config.json and, if its text encoder is a transformers
            model, that model's config.json and tokeniser files.
        seed: Of the weights.

    Raises:
        PairDxError: No such architecture, or it contradicts the settings, or the model was trained
            on images that are prepared in another way than the packed ones.
    """
    config = _model_config(settings["architecture"], folder)
    preprocessing = config.pop("preprocess_cfg", None)
    clip = _instantiate(config, seed)
    quick_gelu = any(isinstance(module, QuickGELU) for module in clip.modules())
    _require_activation(wanted=settings["quick_gelu"], built=quick_gelu)
    tokeniser = clip_tokeniser(config["text_cfg"], settings["context_length"])
    _require_context(
        settings["context_length"], clip.context_length, exactly=not tokeniser.from_folder
    )
    _require_vocabulary(tokeniser.vocabulary, clip.vocab_size)
    image_size = _side(clip.visual.image_size)
    read_from = ARCHITECTURE_KEY if folder is None else folder / FOLDER_CONFIG
    squaring = settings.get("squaring", "crop")
    mean, std = normalisation(preprocessing, image_size, squaring, read_from)
    return ClipParts(
        clip=clip.eval(),
        tokenise=tokeniser.tokenise,
        token_counts=tokeniser.token_counts,
        mean=mean,
        std=std,
        image_size=image_size,
        quick_gelu=quick_gelu,
        architecture=_described({**config, "normalisation": {"mean": mean, "std": std}}),
    )


def tokeniser_of(settings: Mapping[str, Any], folder: Path | None) -> ClipTokeniser:
    """Make the tokeniser of a CLIP model without building the model or reading its weights.

    Args:
        settings: ``architecture`` and ``context_length`` (see :func:`build_clip`). That the model
            has this context length is checked when it is built.
        folder: A model folder, where the architecture is null.

    Raises:
        PairDxError: No such architecture, or the folder lacks files.
    """
    config = _model_config(settings["architecture"], folder)
    return clip_tokeniser(config["text_cfg"], settings["context_length"])


def _model_config(architecture: Any, folder: Path | None) -> dict[str, Any]:
    """Return an open_clip model configuration of one's own, with ``preprocess_cfg`` if known."""
    if architecture is None:
        return _folder_config(folder)
    if folder is not None:
        raise PairDxError(
            "a model folder brings its own architecture",
            where=ARCHITECTURE_KEY,
            remedy="set architecture to null, or give a single weights file",
        )
    config = (
        deepcopy(dict(architecture))
        if isinstance(architecture, Mapping)
        else open_clip.get_model_config(architecture)
        if ":" not in str(architecture)
        else None
    )
    if config is None:
        raise PairDxError(
            f"open_clip has no architecture {architecture!r}",
            where=ARCHITECTURE_KEY,
            remedy="use a name that open_clip lists, such as ViT-B-32-quickgelu, or a mapping",
        )
    text = config.get("text_cfg", {})
    if text.get("hf_model_name") or text.get("hf_tokenizer_name"):
        raise PairDxError(
            "this architecture has a text encoder or tokeniser of the transformers library, whose "
            "files lie outside open_clip",
            where=ARCHITECTURE_KEY,
            remedy="set architecture to null and give a model folder as weights",
        )
    return config


def _folder_config(folder: Path | None) -> dict[str, Any]:
    if folder is None:
        raise PairDxError(
            "no architecture is named, and no model folder brings one",
            where=ARCHITECTURE_KEY,
            remedy="name an architecture, or give a model folder as weights",
        )
    content = read_json(folder / FOLDER_CONFIG)
    if not isinstance(content, dict) or "text_cfg" not in content.get("model_cfg", {}):
        raise PairDxError(
            "this is no open_clip model configuration",
            where=folder / FOLDER_CONFIG,
            remedy="give the folder of a model that open_clip saved: its model_cfg has a text_cfg",
        )
    config: dict[str, Any] = content["model_cfg"]
    text = config["text_cfg"]
    # The configuration names these by their place on a model hub; here they lie in the folder.
    for key, name in (("hf_model_name", "config.json"), ("hf_tokenizer_name", "tokenizer.json")):
        if not text.get(key):
            continue
        if not (folder / name).is_file():
            raise PairDxError(
                f"the model folder lacks its text encoder's {name}",
                where=folder,
                remedy="put the text encoder's own config.json and tokeniser files there",
            )
        text[key] = str(folder)
    return {**config, "preprocess_cfg": content.get("preprocess_cfg", {})}


def _described(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration as JSON keeps it, without the places of files on this machine."""
    text = dict(config["text_cfg"])
    text.pop("hf_tokenizer_name", None)
    if folder := text.pop("hf_model_name", None):
        text["hf_model"] = read_json(Path(folder, "config.json"))
    return dict(json.loads(json.dumps({**config, "text_cfg": text})))


def _instantiate(config: Mapping[str, Any], seed: int) -> Any:
    arguments = deepcopy(dict(config))
    transformers_text = bool(arguments["text_cfg"].get("hf_model_name"))
    custom_text = arguments.pop("custom_text", False) or transformers_text
    # Base weights would be fetched from a model hub.
    if transformers_text:
        arguments["text_cfg"]["hf_model_pretrained"] = False
    if arguments["vision_cfg"].get("timm_model_name"):
        arguments["vision_cfg"]["timm_model_pretrained"] = False
    try:
        with seeded(torch.device("cpu"), "build", seed):
            return (CustomTextCLIP if custom_text else CLIP)(**arguments)
    except (TypeError, ValueError, AssertionError, KeyError, OSError) as error:
        if is_refusal_of_storage(error) and (refused := storage_error(error)):
            raise refused from error
        raise PairDxError(
            f"open_clip cannot build this architecture: {error}",
            where=ARCHITECTURE_KEY,
            remedy="name one that this version of open_clip has, or mend the configuration that "
            "the model folder brings",
        ) from error


def _require_activation(*, wanted: bool, built: bool) -> None:
    """OpenAI's weights under the wrong activation load without complaint and lose accuracy."""
    if wanted != built:
        raise PairDxError(
            f"quick_gelu is {str(wanted).lower()}, and the architecture is built "
            f"{'with' if built else 'without'} QuickGELU",
            where="systems: … settings: quick_gelu",
            remedy="OpenAI's weights need an architecture with QuickGELU, such as "
            "ViT-B-32-quickgelu, and quick_gelu: true; most others need quick_gelu: false",
        )


def _require_context(wanted: int, own: int, *, exactly: bool) -> None:
    if wanted != own if exactly else not 2 <= wanted <= own:
        raise PairDxError(
            f"the text encoder reads {'' if exactly else 'at most '}{own} tokens, not {wanted}",
            where="systems: … settings: context_length",
            remedy=f"set context_length to {own}",
        )


def _require_vocabulary(tokeniser: int, own: int) -> None:
    if tokeniser > own:
        raise PairDxError(
            f"the text encoder knows {own} tokens, and its tokeniser makes {tokeniser}",
            where=f"{ARCHITECTURE_KEY}: text_cfg: vocab_size",
            remedy=f"set vocab_size to {tokeniser}",
        )


def _side(size: int | tuple[int, int]) -> int:
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) != 1:
        raise PairDxError(
            f"images of {size} pixels are not square",
            where=ARCHITECTURE_KEY,
            remedy="name an architecture that reads square images",
        )
    return sides.pop()


def image_tower(architecture: Mapping[str, Any]) -> nn.Module:
    """Build the image encoder of an open_clip model alone, with random weights.

    Args:
        architecture: ``embed_dim``, ``vision_cfg`` and, if it is true, ``quick_gelu``, as in an
            open_clip model configuration.

    Raises:
        PairDxError: open_clip cannot build it.
    """
    text = {"context_length": 2, "vocab_size": 2, "width": 8, "heads": 1, "layers": 1}
    clip = _instantiate({**architecture, "text_cfg": text}, 0)
    tower: nn.Module = clip.visual
    return tower
