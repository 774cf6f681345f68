"""Code without comments, docstrings and empty lines: these are gone, and nothing else is."""

from __future__ import annotations

import io
import tokenize

import pytest

from pairdx.plan import code
from pairdx.plan.bare_code import bare

QUOTES = '"""'

GONE = {
    "a comment": ("x = 1  # one\n# two\ny = 2  #", "x = 1\ny = 2"),
    "empty lines and spaces": ("\n \nx = 1 \t\n\n   \ny = (1,\n\n  2)\n\n", "x = 1\ny = (1,\n  2)"),
    "a module's docstring": (f"#!x\n{QUOTES}A\n\n# b\n{QUOTES}\n\nx = 1\n", "x = 1"),
    "a function's": ("def f():\n    'd'  # c\n\n    return 1\n", "def f():\n    return 1"),
    "after a decorator": ("@a\nasync def f():\n    'd'\n    g()", "@a\nasync def f():\n    g()"),
    "after brackets": ("def f(\n    a,\n):\n    'd'\n    g()", "def f(\n    a,\n):\n    g()"),
    "a whole body": (f"class E(A):\n    {QUOTES}d{QUOTES}\n\n\nx = 1", "class E(A):\nx = 1"),
    "an attribute's": (
        f"class A:\n    x: int\n    {QUOTES}d\n    {QUOTES}",
        "class A:\n    x: int",
    ),
    "raw, bytes and escapes": ("r'\\d'\nBR'''d'''\n'\\'# '\n'a\\\nb'\nx = 1", "x = 1"),
    "quotes within quotes": (f"'''{QUOTES}'''\n{QUOTES}'{QUOTES}\n'\"'\n''\nx", "x"),
    "a comment with quotes": (f"x = 1  # it's {QUOTES}\n'd'\n", "x = 1"),
}

STAYS = {
    "# in strings": 'x = \'# a\' + """\n# b  \n\n"""',
    "# in an f-string": 'x = f"#{y!r:#>4}" + f\'{d["#"]}\'',
    "quotes that are escaped": r"x = '\'# a' + r'\'# b' + '\\'",
    "a string with a name": f"x = {QUOTES}\ndoc\n{QUOTES}",
    "an f-string as a statement": 'f"{g()}"',
    "strings in brackets": "x = g(\n    'a'\n    'b'\n)",
    "strings in brackets after a docstring's place": "x = [\n    'a'\n]\ny = {\n    'b'\n}",
    "a continued line": "x = \\\n'a'",
    "an empty line that ends a continued one": "x = g \\\n\n(y)",
    "more than a string": "'a'.join(x)\n'a'; g()\n'a' 'b'",
    "on the line of its function": "def f(): 'd'",
    "docstrings that are read": "'d'\nprint(__doc__)",
    "indentation": "if x:\n  y\nz",
    "an open bracket": "x = (1  # a\n'b'\n",
    "an open string": f"x = 1  # a\n{QUOTES}b\n",
    "a quote too many": "'d'\nx = 'a''  # b\n",
}


@pytest.mark.parametrize(("text", "left"), GONE.values(), ids=GONE)
def test_what_changes_nothing_is_gone(text: str, left: str) -> None:
    assert bare(text) == left
    assert bare(left) == left


@pytest.mark.parametrize("text", STAYS.values(), ids=STAYS)
def test_what_may_change_something_stays(text: str) -> None:
    assert bare(text) == text


def statements(text: str, *, docstrings: bool) -> list[list[tuple[int, str]]]:
    """Split code by Python's own means into statements: the column and text of every token."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    found: list[list[tuple[int, str]]] = [[]]
    only_strings = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            is_docstring = only_strings and len(found[-1]) == 1
            gone = is_docstring and not docstrings
            found[-1:], only_strings = [[]] if gone else [found[-1], []], True
        elif token.type not in skipped:
            only_strings = only_strings and token.type == tokenize.STRING
            found[-1].append((token.start[1], token.string))
    return found


@pytest.mark.slow
def test_of_every_file_all_tokens_but_docstrings_are_left_where_they_stood() -> None:
    for path in code.SCRIPTS.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        expected = statements(text, docstrings="__doc__" in text)
        assert statements(bare(text), docstrings=True) == expected, path
