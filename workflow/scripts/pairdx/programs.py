"""Programs of the machine, asked with a time limit; a program that is missing is an answer too."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What a program printed, or why it did not.

    Attributes:
        text: Its output; empty if it failed.
        error: Why there is no output, in one line; empty if it succeeded.
    """

    text: str
    error: str


def ask(
    command: Sequence[str],
    seconds: float = SECONDS,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Answer:
    """Run a program and return its output, or why there is none.

    Args:
        command: The program's name or path and its arguments.
        seconds: It is ended after so many.
        folder: Where it runs; None: here.
        environment: Variables to be added to this process's own.
    """
    program = shutil.which(command[0])
    if program is None:
        return Answer("", f"{command[0]} is not installed here")
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs; no text of a user is an argument
            [program, *command[1:]],
            cwd=folder,
            env=os.environ | (environment or {}),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer("", f"{command[0]} gave no answer within {seconds:g} s")
    except OSError as error:
        return Answer("", f"{command[0]} cannot be run: {error.strerror}")
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        said = lines[-1] if lines else "no message"
        return Answer("", f"{command[0]} failed with status {done.returncode}: {said}")
    return Answer(done.stdout, "")
