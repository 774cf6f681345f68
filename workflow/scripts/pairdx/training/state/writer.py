"""States are written by a thread, from a copy, while training goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.training.state.checkpoint import StateFolder

THREAD = "training state"


class StateWriter:
    """Writes the states of one training, one at a time.

    A state is copied into main memory first, so that training may go on and change what was copied.
    A state waits for the one before it: never is there more than one copy. What goes wrong in the
    thread is raised by the next call. As a context manager it ends when nothing is being written.

    Args:
        folder: Where states lie; None: nothing is written.
        minutes: At least so many lie between one state and the next; None: those of an epoch.
    """

    def __init__(self, folder: StateFolder | None, minutes: float | None) -> None:
        self.folder, self.minutes = folder, minutes
        self.restart()
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None

    def restart(self) -> None:
        """Count the minutes from now on."""
        self._since = time.monotonic()

    def is_due(self, *, after_epoch: bool) -> bool:
        """Say whether so many minutes have passed since the last state, or since the start."""
        if self.minutes is None:
            return after_epoch
        return time.monotonic() - self._since >= 60 * self.minutes

    def save(self, epochs: int, steps: int, state: Mapping[str, Any]) -> None:
        """Copy the state and begin to write it (see :meth:`StateFolder.save`).

        Raises:
            PairDxError: The storage refused the state before.
        """
        self.finish()
        if (folder := self.folder) is None:
            return
        copy, is_there = copied(state)

        def write() -> None:
            try:
                is_there()
                folder.save(epochs, steps, copy)
            except Exception as error:
                self._error = error

        self._thread = threading.Thread(target=write, name=THREAD)
        self._thread.start()

    def check(self) -> None:
        """Raise what went wrong, if anything did; wait for nothing."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def finish(self) -> None:
        """Wait until the last state is in place.

        Raises:
            PairDxError: The storage refused it.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.check()

    def __enter__(self) -> StateWriter:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish; where another error is under way already, what goes wrong is only logged."""
        try:
            self.finish()
        except (PairDxError, OSError) as refused:
            if error is None:
                raise
            logger.warning("the last training state was not written: %s", refused)


def copied(state: Mapping[str, Any]) -> tuple[dict[str, Any], Callable[[], None]]:
    """Copy a state into main memory, as it is at this step.

    Tensors of a GPU go to pinned memory, in the order of its own work: neither it nor the CPU waits
    for the other. Later steps are queued behind the copy.

    Args:
        state: Tensors, numbers, strings, None, lists and dictionaries.

    Returns:
        The copy, and what waits until it is whole.
    """
    devices: set[torch.device] = set()

    def copy(value: Any) -> Any:
        if isinstance(value, Tensor):
            devices.add(value.device)
            return _in_main_memory(value)
        if isinstance(value, Mapping):
            return {key: copy(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(copy(part) for part in value)
        return value

    copy_of_all = copy(state)
    events = [torch.cuda.current_stream(on).record_event() for on in devices if on.type == "cuda"]

    def is_there() -> None:
        for event in events:
            event.synchronize()

    return copy_of_all, is_there


def _in_main_memory(tensor: Tensor) -> Tensor:
    """Copy a tensor; of one on a GPU the copying is only begun."""
    on_gpu = tensor.device.type == "cuda"
    place = torch.empty_like(tensor, device="cpu", pin_memory=on_gpu, requires_grad=False)
    return place.copy_(tensor.detach(), non_blocking=on_gpu)
