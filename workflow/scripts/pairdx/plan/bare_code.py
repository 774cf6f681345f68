"""Python code without what changes nothing at run time: comments, docstrings, empty lines.

Python's own `ast` and `tokenize` take ten times as long, and their answers differ between versions
of Python. Here one regular expression finds strings, ends of lines and continued lines, in the
grammar of Python 3.11, where a string ends at its next quote, an f-string too.
"""

from __future__ import annotations

import re

_NEXT_LINES = r"\n(?:[ \t\f]*(?:#[^\n]*)?\n)*"  # with lines behind it that are empty or a comment
# Each choice starts with a fixed character: only then does the search pass over code quickly.
_TOKEN = re.compile(
    r'("""[^"\\]*+(?:(?:\\.|"(?!""))[^"\\]*+)*+"""'
    r"|'''[^'\\]*+(?:(?:\\.|'(?!''))[^'\\]*+)*+'''"
    r'|"(?!"")[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'
    r"|'(?!'')[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'"
    rf"|\\\n|#[^\n]*{_NEXT_LINES}|{_NEXT_LINES})",
    re.DOTALL,
)
# What may stand before the quote of a constant: an f-string's parts are executed.
_CONSTANT = {"", "b", "br", "r", "rb", "u"}


def bare(text: str) -> str:
    """Return code without comments, docstrings, empty lines and spaces at the ends of lines.

    A docstring is any one string that is a statement of its own, on lines of its own; where the
    file reads `__doc__`, none is. All else stays as it is: indentation, line breaks, other strings.

    Args:
        text: A file's Python code, with the line ends that `open` makes of all others.

    Returns:
        The code, with line ends between lines only; the text itself where quotes or brackets do
        not match. Meant for comparison: a body of nothing but a docstring becomes empty.
    """
    pieces = _TOKEN.split(f"{text}\n")  # code, token, code, token, ..., code
    depth, counted = 0, 0  # of brackets, in the pieces before `counted`
    starts, dropped = True, False  # whether a line starts here; whether it was a docstring
    speaks = "__doc__" in text
    kept: list[str] = []
    for place in range(0, len(pieces) - 1, 2):
        code, token = pieces[place : place + 2]
        if token[0] in "#\n":
            kept += () if dropped else (code.rstrip(), "\n")
            starts, dropped = True, False
            continue
        if starts and not speaks and _stands_alone(pieces, place):
            depth, counted = depth + _opened(pieces[counted:place:2]), place
            dropped = depth == 0
        kept += () if dropped else (code, token)
        starts = False
    if _opened(pieces[counted::2]) + depth or _is_broken("".join(pieces[::2])):
        return text
    return "".join(kept).strip("\n")


def _stands_alone(pieces: list[str], place: int) -> bool:
    """Say whether nothing but the prefix of a constant stands beside a string on its lines."""
    before, token, behind, end = pieces[place : place + 4]
    is_string = token[0] in "\"'" and end[0] in "#\n"
    return is_string and before.strip().lower() in _CONSTANT and not behind.strip()


def _opened(codes: list[str]) -> int:
    """Return how many brackets are open at the end of these codes, which hold no strings."""
    code = "".join(codes)
    return sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))


def _is_broken(code: str) -> bool:
    """Say whether something is left between strings that belongs to one."""
    return '"' in code or "'" in code or "\\" in code
