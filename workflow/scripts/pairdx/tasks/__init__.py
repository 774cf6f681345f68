"""What is asked of a system about a pair: one folder per task, found by its name.

A task's folder holds

``analyses.py``
    ``ANALYSES``, the names of what can be made of its predictions, and ``METRICS``, those of its
    metrics: standard library only, because the planning reads it
    (:func:`pairdx.plan.descriptions.analyses_of` and ``metrics_of``).
``rows.py``
    What a row of predictions holds, how it is written and read (:class:`pairdx.tasks.rows.Rows`).
    A job that predicts depends on this alone, and not on the metrics.
``task.py``
    ``TASK``, all of it (:class:`pairdx.tasks.base.Task`), the metrics included.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairdx.errors import PairDxError

if TYPE_CHECKING:
    from pairdx.tasks.base import Task
    from pairdx.tasks.rows import Rows


def names() -> list[str]:
    """List the tasks that there are."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/task.py"))


def task(name: str) -> Task[Any, Any]:
    """Return a task: its rows, metrics and analyses.

    Raises:
        PairDxError: There is no such task.
    """
    found: Task[Any, Any] = import_module(f"{_folder(name)}.task").TASK
    return found


def rows_of(name: str) -> Rows[Any]:
    """Return what a row of a task's predictions holds, without its metrics.

    Raises:
        PairDxError: There is no such task.
    """
    found: Rows[Any] = import_module(f"{_folder(name)}.rows")
    return found


def _folder(name: str) -> str:
    known = names()
    if name not in known:
        raise PairDxError(
            f"there is no task '{name}'", remedy=f"use one that there is: {', '.join(known)}"
        )
    return f"{__name__}.{name}"
