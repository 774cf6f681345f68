"""The tokenisers of CLIP models, made from local files and without any weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from open_clip.tokenizer import HFTokenizer, SimpleTokenizer
from torch import Tensor

from pairdx.errors import PairDxError
from pairdx.storage_errors import is_refusal_of_storage, storage_error


@dataclass(frozen=True)
class ClipTokeniser:
    """What turns texts into the tokens of a CLIP model.

    Attributes:
        name: What tables call it.
        tokenise: Texts to int64 tokens of shape (B, context_length), cut or padded.
        token_counts: Texts to their numbers of tokens before cutting, start and end included.
        vocabulary: Number of different tokens.
        from_folder: Whether its files lie in a model folder, and not in open_clip.
    """

    name: str
    tokenise: Callable[[list[str]], Tensor]
    token_counts: Callable[[list[str]], list[int]]
    vocabulary: int
    from_folder: bool


def clip_tokeniser(text: Mapping[str, Any], context_length: int) -> ClipTokeniser:
    """Make the tokeniser that an open_clip model configuration names.

    Args:
        text: The configuration's ``text_cfg``. ``hf_tokenizer_name``, if there, is a folder with
            the files of a tokeniser of the transformers library; else it is CLIP's own.
        context_length: Tokens per text, start and end included.

    Raises:
        PairDxError: The folder's tokeniser cannot be read.
    """
    if text.get("hf_tokenizer_name"):
        return _of_folder(text, context_length)
    simple = _byte_pairs(context_length)

    def count_tokens(texts: list[str]) -> list[int]:
        return [len(simple.encode(text)) + 2 for text in texts]

    return ClipTokeniser("CLIP byte pairs", simple, count_tokens, simple.vocab_size, False)


@cache
def _byte_pairs(context_length: int) -> SimpleTokenizer:
    """Return CLIP's own tokeniser; unpacking its vocabulary takes a tenth of a second each time."""
    return SimpleTokenizer(context_length=context_length)


def _of_folder(text: Mapping[str, Any], context_length: int) -> ClipTokeniser:
    try:
        hub = HFTokenizer(
            text["hf_tokenizer_name"],
            context_length=context_length,
            tokenizer_mode=text.get("tokenizer_mode"),
            local_files_only=True,
            trust_remote_code=False,
            **(text.get("tokenizer_kwargs") or {}),
        )
    except (OSError, ValueError, TypeError) as error:
        if is_refusal_of_storage(error) and (refused := storage_error(error)):
            raise refused from error
        raise PairDxError(
            f"the model folder's tokeniser cannot be read: {error}",
            where=text["hf_tokenizer_name"],
            remedy="put the text encoder's own tokeniser files there again, as they were released",
        ) from error

    def count_tokens(texts: list[str]) -> list[int]:
        cleaned = [hub.clean_fn(text) for text in texts]
        return [len(ids) for ids in hub.tokenizer(cleaned, verbose=False).input_ids]

    return ClipTokeniser(_name(hub.tokenizer), hub, count_tokens, len(hub.tokenizer), True)


def _name(tokeniser: Any) -> str:
    backend = getattr(tokeniser, "backend_tokenizer", None)
    kind = type(backend.model if backend is not None else tokeniser).__name__
    return {"WordPiece": "BERT word pieces", "BPE": "Byte pairs"}.get(kind, kind)
