"""The device a job computes on, and the settings under which it computes the same numbers again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor

from pairdx.errors import PairDxError


def torch_device(name: str) -> torch.device:
    """Return the device called ``cpu`` or ``cuda``.

    Raises:
        PairDxError: The name is another one, or ``cuda`` was asked for and this machine has no
            GPU, or none that can be used. There is no fall-back to the CPU: a training time
            measured on the wrong device would be a wrong number.
    """
    if name not in ("cpu", "cuda"):
        raise PairDxError(f"the device must be cpu or cuda, not {name!r}", where="device")
    if name == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise PairDxError(
            "the model is to be trained on a GPU, and PyTorch finds none on this machine",
            where="device: cuda",
            remedy="run the job on a GPU node (see profiles/slurm), or set the device to cpu",
        )
    try:
        return torch.device("cuda", torch.cuda.current_device())
    except RuntimeError as error:  # busy in exclusive mode, or a driver that does not fit
        raise PairDxError(
            f"PyTorch finds a GPU and cannot use it: {str(error).strip().splitlines()[0]}",
            where="device: cuda",
            remedy="see with nvidia-smi on the node whether another job holds the GPU; "
            "`snakemake cluster_check` says whether the driver fits",
        ) from error


@contextmanager
def reproducible(
    device: torch.device, threads: int, *, cudnn_benchmark: bool = False
) -> Iterator[None]:
    """Compute with deterministic algorithms and ``threads`` CPU threads inside the block.

    The number of threads decides in which order numbers are summed, hence the last bits of the
    result. So does, on a GPU, the algorithm of a convolution.

    Args:
        device: Where is computed.
        threads: At least 1.
        cudnn_benchmark: Whether cuDNN times its deterministic algorithms at the first batch of
            every shape, and takes the fastest: two runs may take different ones.
    """
    if device.type == "cuda":
        # cuBLAS reads this once, before its first use; without it deterministic mode refuses matrix
        # products.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    memory: Any = torch.utils.deterministic
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
        memory.fill_uninitialized_memory,
    )
    torch.set_num_threads(max(1, threads))
    torch.use_deterministic_algorithms(mode=True)
    torch.backends.cudnn.benchmark = cudnn_benchmark
    # Filling fresh memory with NaN finds reads of uninitialised memory; it costs time and changes
    # no correct result.
    memory.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1], warn_only=before[2])
        torch.backends.cudnn.benchmark = before[3]
        memory.fill_uninitialized_memory = before[4]


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor of the CPU to the device, without making the CPU wait for the device.

    It waits for a copy from ordinary memory; that from pinned memory is one more piece of work.
    """
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def synchronise(device: torch.device) -> None:
    """Wait until the device has done all its work, so that a clock read now measures it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Stopwatch:
    """Seconds spent inside ``with`` blocks.

    Args:
        device: On a GPU its own clock is read, without making the CPU wait: from when it reaches
            the block to when it has done the block's work, so the time that it waits for the CPU
            counts as well. None or a CPU: the wall clock.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        self._on_gpu = device is not None and device.type == "cuda"
        self._seconds = 0.0
        self._started: float | None = None
        self._events: list[torch.cuda.Event] = []

    def __enter__(self) -> Self:
        if self._on_gpu:
            self._record()
        else:
            self._started = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._on_gpu:
            self._record()
        else:
            self._seconds, self._started = self.total(), None

    def add(self, seconds: float) -> None:
        """Add seconds that were spent before."""
        self._seconds += seconds

    def total(self) -> float:
        """Return the seconds so far; on the wall clock those of a running block, too."""
        if self._started is not None:
            return self._seconds + time.perf_counter() - self._started
        if len(self._events) > 1:
            self._events[-1].synchronize()
            pairs = zip(self._events[::2], self._events[1::2], strict=False)
            self._seconds += sum(start.elapsed_time(end) for start, end in pairs) / 1000
            self._events = []
        return self._seconds

    def _record(self) -> None:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        self._events.append(event)
