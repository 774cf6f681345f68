"""The settings of the training loop, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from pairdx.errors import PairDxError

SCHEDULES = ("constant", "one_cycle", "cosine")
OPTIMISERS = ("adamw", "adam")
PRECISIONS = ("float32", "bfloat16")
WEIGHT_DECAY_ON = ("all", "matrices")
KEEP_EPOCH = ("last", "best")


@dataclass(frozen=True)
class TrainingSettings:
    """How a module is trained.

    The registry (config/systems) gives every system's values and their source.

    Attributes:
        epochs: Passes over the training examples.
        batch_size: Examples per step, at least 2.
        learning_rate: The optimiser's learning rate; the peak of a schedule.
        weight_decay: AdamW's decoupled weight decay; Adam's L2 penalty.
        weight_decay_on: ``all`` parameters (PyTorch's default), or ``matrices`` only, which spares
            biases, normalisation layers and CLIP's temperature (the convention of OpenAI CLIP and
            open_clip).
        schedule: ``constant``, ``one_cycle`` (PyTorch's OneCycleLR with its defaults) or ``cosine``
            (from the learning rate down to a tenth of it); stepped after every batch.
        max_grad_norm: The norm to which gradients are clipped; None switches clipping off.
        precision: ``float32``, or ``bfloat16`` automatic mixed precision.
        channels_last: Store images and convolutions with the channels last, which is faster for
            most networks of convolutions and changes the result only by rounding.
        augmentation: See :func:`pairdx.training.augmentation.augmentation`; None for none.
        early_stopping_patience: Training ends after so many epochs without a lower validation loss;
            None: never before the last epoch.
        keep_epoch: Whose weights are the result: the ``last`` epoch's, or those of the ``best``,
            which has the lowest validation loss.
        compile: Compile the training step with torch.compile.
        cudnn_benchmark: Let cuDNN choose each convolution's algorithm by timing the deterministic
            ones; the choice, and so the last bits of a result, may differ from run to run.
        optimiser: ``adamw`` or ``adam``.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    weight_decay_on: str = "all"
    schedule: str = "constant"
    max_grad_norm: float | None = None
    precision: str = "float32"
    channels_last: bool = False
    augmentation: Mapping[str, float] | None = None
    early_stopping_patience: int | None = None
    keep_epoch: str = "last"
    compile: bool = False
    cudnn_benchmark: bool = False
    optimiser: str = "adamw"

    def __post_init__(self) -> None:
        _require(self.epochs >= 1, "epochs", "at least 1", self.epochs)
        # Batch normalisation cannot train on one example, and a contrastive loss over one pair is
        # always 0.
        _require(self.batch_size >= 2, "batch_size", "at least 2", self.batch_size)
        _require(self.learning_rate > 0, "learning_rate", "above 0", self.learning_rate)
        _require(self.weight_decay >= 0, "weight_decay", "0 or above", self.weight_decay)
        norm = self.max_grad_norm
        _require(
            norm is None or norm > 0, "max_grad_norm", "above 0, or null for no clipping", norm
        )
        patience = self.early_stopping_patience
        _require(
            patience is None or patience >= 1,
            "early_stopping_patience",
            "at least 1, or null for no early stopping",
            patience,
        )
        _require_one_of("keep_epoch", self.keep_epoch, KEEP_EPOCH)
        _require_one_of("schedule", self.schedule, SCHEDULES)
        _require_one_of("optimiser", self.optimiser, OPTIMISERS)
        _require_one_of("precision", self.precision, PRECISIONS)
        _require_one_of("weight_decay_on", self.weight_decay_on, WEIGHT_DECAY_ON)

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> Self:
        """Pick the loop's settings out of a system's settings; its other keys are left alone.

        Raises:
            PairDxError: A value is missing or out of range.
        """
        known = {field.name for field in fields(cls)}
        missing = {"epochs", "batch_size", "learning_rate", "weight_decay"} - settings.keys()
        if missing:
            raise PairDxError(
                f"training needs the setting {sorted(missing)[0]}",
                where="systems: … settings",
                remedy="give the system its training settings in config/systems",
            )
        return cls(**{key: value for key, value in settings.items() if key in known})


def _require(holds: bool, key: str, allowed: str, value: object) -> None:
    if not holds:
        raise PairDxError(
            f"{key} must be {allowed}, not {value!r}", where=f"systems: … settings: {key}"
        )


def _require_one_of(key: str, value: str, allowed: tuple[str, ...]) -> None:
    _require(value in allowed, key, " or ".join(allowed), value)
