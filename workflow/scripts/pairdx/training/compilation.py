"""torch.compile, tried out before it is relied upon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pairdx.errors import PairDxError


def compiled(
    compute: Callable[..., tuple[Tensor, Tensor]], device: torch.device
) -> Callable[..., tuple[Tensor, Tensor]]:
    """Return ``compute`` compiled by torch.compile; the work is done at its first call.

    Raises:
        PairDxError: torch.compile does not work on this machine: even a sum fails.
    """
    try:
        torch.compile(torch.add)(torch.ones(2, device=device), 1)
    except Exception as error:  # whatever the compilers and drivers below it raise
        raise PairDxError(
            f"torch.compile does not work on this machine: {_first_line(error)}",
            where="models: … settings: compile",
            remedy="install a C++ compiler (and Python's headers), or set compile to false",
        ) from error
    # Not a bound method: PyTorch compiles functions, and the objective is one that has attributes.
    return torch.compile(lambda batch: compute(batch))


def _first_line(error: Any) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
