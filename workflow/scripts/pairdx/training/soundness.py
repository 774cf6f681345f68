"""Whether a module holds numbers only, before it is trained and after."""

from __future__ import annotations

from torch import nn

from pairdx.errors import PairDxError

NAMED_IN_AN_ERROR = 3


def require_sound_start(module: nn.Module) -> None:
    """Refuse to train from what is infinite or not a number: no loss could be one.

    Raises:
        PairDxError: A parameter or a buffer (frozen word vectors, means of colours, running
            statistics) is; the first few are named.
    """
    if strange := _not_finite(module):
        raise PairDxError(
            f"before any training, numbers of the module are infinite or not numbers: {strange}",
            where="training",
            remedy="look at the files that the model is built from: its weights, its word vectors",
        )


def require_sound_end(module: nn.Module) -> None:
    """Refuse weights that the last step made infinite or not numbers, after losses that were.

    Raises:
        PairDxError: Some are; the first few are named.
    """
    if strange := _not_finite(module):
        raise PairDxError(
            f"after training, weights are infinite or not numbers: {strange}",
            where="training",
            remedy="lower the model's learning_rate, set max_grad_norm (1.0 is usual), "
            "or use precision: float32",
        )


def _not_finite(module: nn.Module) -> str:
    # Buffers that are not saved may be infinite by design: masks of attention are.
    saved = module.state_dict()
    names = [name for name, tensor in saved.items() if not bool(tensor.isfinite().all())]
    others = {name: tensor for name, tensor in module.named_buffers() if name not in saved}
    names += [name for name, tensor in others.items() if bool(tensor.isnan().any())]
    return ", ".join(names[:NAMED_IN_AN_ERROR])
