"""Text encoders to which padding behind a text makes no difference, read at any length.

Three kinds of open_clip are: CLIP's own and the same in a module of its own (causal attention, the
features are those of the token that ends a text, so that nothing behind it is seen), and BERT,
whose attention leaves padding out. Features are those of the padded texts but for rounding. BERT's
dropout draws other numbers in training where texts have another length.
"""

from __future__ import annotations

from typing import Any

from open_clip.model import CLIP
from open_clip.transformer import TextTransformer, text_global_pool
from torch import Tensor, nn

# The token that ends a text: the one with the highest number, or one of a number of its own.
AT_THE_END = ("argmax", "eos")
# Those that look at what is no padding; the one that takes a maximum does not (open_clip 3).
POOLERS = ("ClsPooler", "ClsLastHiddenStatePooler", "MeanPooler")


def reads_cut_texts(clip: Any) -> bool:
    """Say whether an open_clip model reads texts without the padding behind them as with it."""
    tower = getattr(clip, "text", clip)
    if isinstance(tower, TextTransformer):
        alone = tower.cls_emb is None and not tower.use_pad_mask and not tower.output_tokens
        return alone and tower.attn_mask is not None and tower.pool_type in AT_THE_END
    if isinstance(tower, CLIP):
        return tower.attn_mask is not None and tower.text_pool_type in AT_THE_END
    return _is_masked_bert(tower)


def encode_cut_texts(clip: Any, tokens: Tensor) -> Tensor:
    """Encode tokens, int64 (B, L') of any L' up to the context, as ``encode_text`` does: (B, D).

    Args:
        clip: An open_clip model that :func:`reads_cut_texts`.
        tokens: Padded with zeros; no text ends before its last token that is not 0.
    """
    tower = getattr(clip, "text", clip)
    if isinstance(tower, TextTransformer):
        return _causal(tower, tokens, tower.pool_type, tower.eos_id)
    if isinstance(tower, CLIP):
        return _causal(tower, tokens, tower.text_pool_type, getattr(tower, "text_eos_id", None))
    features: Tensor = tower(tokens)
    return features


def _is_masked_bert(tower: Any) -> bool:
    config: Any = getattr(tower, "config", None)
    return (
        getattr(config, "model_type", None) == "bert"
        and config.pad_token_id == 0
        and type(getattr(tower, "pooler", None)).__name__ in POOLERS
        and not tower.output_tokens
    )


def _causal(tower: Any, tokens: Tensor, pool: str, end: int | None) -> Tensor:
    """Encode tokens as open_clip does, with as many places and as much of the mask as needed."""
    length, kind = tokens.shape[1], tower.transformer.get_cast_dtype()
    read = tower.token_embedding(tokens).to(kind) + tower.positional_embedding[:length].to(kind)
    mask = tower.attn_mask[:length, :length].contiguous()
    read = tower.ln_final(tower.transformer(read, attn_mask=mask))
    features: Tensor = text_global_pool(read, tokens, pool, eos_token_id=end)
    projection = tower.text_projection
    if projection is None:
        return features
    projected: Tensor = (
        projection(features) if isinstance(projection, nn.Linear) else features @ projection
    )
    return projected
