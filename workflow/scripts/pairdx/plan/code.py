"""Which library files a script's job depends on, and what they do, as one digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pairdx.plan.bare_code import bare

# workflow/scripts, where the scripts and the library lie.
SCRIPTS = Path(__file__).parents[2]
# An import of the library at a file's head or within a function. Parsing the files as Python would
# take ten times as long, in every dry run and every SLURM job.
_IMPORT = re.compile(
    r"^[ \t]*(?:from (pairdx[\w.]*) import (\([^)]*\)|[^\n#]+)|import (pairdx[\w.]*))", re.MULTILINE
)


@cache
def digest(script: str, modules: Iterable[str] = ()) -> str:
    """Return a digest of the names and code of a script and of all that it depends on.

    A parameter of the script's rule: a job is out of date when one of these files does something
    else, and not when it has a new time stamp, another comment or another docstring.

    Args:
        script: File name in workflow/scripts.
        modules: Further modules that the script imports only when asked for, such as
            pairdx.models.clip; hashable.

    Returns:
        Twenty hexadecimal digits of SHA-256.
    """
    found = hashlib.sha256()
    for path in files(script, modules):
        found.update(f"{path.relative_to(SCRIPTS)}\0{_content(path)}\0".encode())
    return found.hexdigest()[:20]


def files(script: str, modules: Iterable[str] = ()) -> list[Path]:
    """List a script and the library files that it depends on, directly or through others."""
    waiting = set().union(imported(SCRIPTS / script), *map(_files_of, modules))
    found = {SCRIPTS / script}
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting |= imported(path) - found
    return sorted(found)


@cache
def imported(path: Path) -> set[Path]:
    """Return the library files that a Python file imports by name."""
    modules = set()
    for source, names, module in _IMPORT.findall(_content(path)):
        words = re.findall(r"\w+(?: as \w+)?", names)
        modules |= {module or source, *(f"{source}.{word.split()[0]}" for word in words)}
    return set().union(*map(_files_of, modules))


@cache
def _content(path: Path) -> str:
    """Return a file's code, without what changes nothing at run time."""
    return bare(path.read_text(encoding="utf-8"))


@cache
def _files_of(module: str) -> set[Path]:
    """Return the files that importing a module executes: itself and its packages' __init__.py."""
    parts = module.split(".")
    if parts[0] != "pairdx":
        return set()
    steps = [SCRIPTS.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    candidates = [
        path for step in steps for path in (step.with_suffix(".py"), step / "__init__.py")
    ]
    return {path for path in candidates if path.is_file()}
