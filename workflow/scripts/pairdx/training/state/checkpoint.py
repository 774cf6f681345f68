"""Training state on disk, so that a killed, preempted or timed-out job goes on where it was.

A state is one file, written whole or not at all; the newest two are kept. A file holds tensors and
plain values only and is read with ``weights_only=True``: nothing in it is executed. It ends with a
checksum (:mod:`pairdx.seals`), and only what has the right one is read at all.
"""

from __future__ import annotations

import pickle
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pairdx.files import written_whole
from pairdx.logs import logger
from pairdx.seals import append_seal, has_sound_last_line
from pairdx.storage_errors import is_refusal_of_storage, storage_error

GENERATIONS = 2
# What a state holds: 2 is without frozen parameters.
FORMAT = 2
FILE_NAME = re.compile(r"after-epoch-(\d{5})-step-(\d{7})\.pt")


class StateFolder:
    """The states of one training run.

    Args:
        folder: Where they lie: storage that outlives the job and that every node can read. Made
            when first written.
        settings_hash: Names all that the weights depend on. A state that carries another one is
            never used.
    """

    def __init__(self, folder: Path, settings_hash: str) -> None:
        self.folder = folder
        self.settings_hash = settings_hash

    def save(self, epochs: int, steps: int, state: Mapping[str, Any]) -> None:
        """Write the state and drop all but the newest two.

        Args:
            epochs: Whole epochs behind it.
            steps: Steps of the next epoch behind it.
            state: Tensors, numbers, strings, None, lists and dictionaries.
        """
        position = (epochs, steps)
        path = self._file(position)
        if path.is_dir():
            _drop(path)
        with written_whole(path) as aside:
            own = {"format": FORMAT, "settings_hash": self.settings_hash}
            torch.save({**state, **own}, aside)
            append_seal(aside)
        # A later one can only be one that was damaged or of other settings when this run started.
        earlier = [found for found in self._positions() if found <= position]
        for found in set(self._positions()) - set(earlier[-GENERATIONS:]):
            _drop(self._file(found))

    def load(self) -> dict[str, Any] | None:
        """Return the newest state that can be read whole and carries these settings, or None.

        The mapping has the keys given to :meth:`save`; tensors are on the CPU.
        A state that cannot be used is passed over with a line in the log.

        Raises:
            PairDxError: The storage refuses a state. It may be whole, and who passed it over would
                train again what it holds, and then remove it.
        """
        for position in reversed(self._positions()):
            path = self._file(position)
            state = _read(path)
            if isinstance(state, str):
                logger.warning("training state %s is left unused: %s", path, state)
            elif state.get("settings_hash") != self.settings_hash:
                logger.warning("training state %s is left unused: it has other settings", path)
            elif state.get("format") != FORMAT:
                logger.warning(
                    "training state %s is left unused: another version of the workflow wrote it",
                    path,
                )
            else:
                return state
        return None

    def _file(self, position: tuple[int, int]) -> Path:
        epochs, steps = position
        return self.folder / f"after-epoch-{epochs:05d}-step-{steps:07d}.pt"

    def _positions(self) -> list[tuple[int, int]]:
        try:
            found = [path.name for path in self.folder.iterdir()]  # glob hides what is refused
        except FileNotFoundError:
            return []
        names = map(FILE_NAME.fullmatch, found)
        return sorted((int(name[1]), int(name[2])) for name in names if name)


def _read(path: Path) -> dict[str, Any] | str:
    """Read one state, or say in a few words why it is not used."""
    try:
        if not path.is_file():
            return "it is no file"
        if not has_sound_last_line(path):
            return "it is damaged, or was not written to its end (its checksum differs)"
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        if is_refusal_of_storage(error):
            raise storage_error(error, path) or error from error
        return f"it cannot be read ({error.strerror or error})"
    except pickle.UnpicklingError:
        return "it holds more than tensors and plain values"
    except (EOFError, RuntimeError, ValueError, KeyError) as error:
        return f"it cannot be read ({type(error).__name__})"
    return state if isinstance(state, dict) else "it is not a training state"


def _drop(path: Path) -> None:
    """Remove a state, or a folder that has its name; one that cannot be removed does no harm."""
    try:
        if path.is_dir() and not path.is_symlink():
            logger.warning("%s is a folder with the name of a training state: removing it", path)
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("training state %s cannot be removed (%s)", path, error.strerror or error)
