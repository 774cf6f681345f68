"""LaTeX tables compile: groups and environments close, rows have their cells, text is harmless."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from pairdx.reporting.format.latex import LINES_PER_PAGE, as_latex, escape

HOSTILE = [
    "100 % of $x_{1}$ & ~50 #1 {open ^ \\input{secrets}",
    "[date] at the head of a row",
    "* [name] -- Müller's “µ” ≥ 5 °C 心 🫀 <b>|`x`",
    "line\nbreak\x00 and\ttab",
]


def bare(text: str) -> str:
    """The text without its escaped characters."""
    return re.sub(r"\\[\\{}$&#_%]", "", text)


def check(written: str, columns: int) -> None:
    """Fail where a brace, an environment, a formula or a row is not whole."""
    assert written.isascii()
    lines = [line for line in written.splitlines() if not line.startswith("%")]
    depth = 0
    for character in bare("\n".join(lines)):
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    assert bare("".join(lines)).count("$") % 2 == 0
    assert not re.search(r"[#~%]|\^(?!\{)", re.sub(r"\\[\^~]\{\w", "", bare("".join(lines))))
    open_environments = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", written):
        if kind == "begin":
            open_environments.append(name)
        else:
            assert open_environments.pop() == name
    assert open_environments == []
    rows = [line for line in lines if line.endswith(r" \\")]
    assert {bare(row).count("&") for row in rows} == {columns - 1}
    # What follows the end of a row must not look like its optional argument.
    assert not any(line.startswith(("[", "*")) for line in lines)
    (shape,) = re.findall(r"\\begin\{(?:tabular|longtable)\}\{(.*)\}$", written, re.MULTILINE)
    widths = [float(width) for width in re.findall(r"\\dimexpr ([\d.]+)\\linewidth", shape)]
    assert len(widths or shape) == columns
    assert sum(widths) <= 1.005


@pytest.mark.parametrize("rows", [0, len(HOSTILE), LINES_PER_PAGE + 1])
@pytest.mark.parametrize("columns", [1, 2, 12])
def test_a_table_with_anything_in_its_captions_is_whole(rows: int, columns: int) -> None:
    texts = [HOSTILE[row % len(HOSTILE)] for row in range(rows)]
    table = pd.DataFrame({f"{text} {place}": texts for place, text in enumerate(HOSTILE * 3)})
    table = table.iloc[:, :columns]
    written = as_latex(table, title=HOSTILE[0], label="tab:a_b", notes=HOSTILE)
    check(written, columns)
    assert ("longtable}{" in written) == (rows > LINES_PER_PAGE)
    assert written.count(r" \\") == rows + (2 if rows > LINES_PER_PAGE else 1)


def test_numbers_are_formatted_by_their_column_and_stand_at_its_right() -> None:
    table = pd.DataFrame(
        {"class": ["chart", "a_b"], "accuracy": [0.6118, None], "pairs": [22665, 3]}
    )
    lines = as_latex(table, title="T", label="tab:t").splitlines()
    assert r"\begin{tabular}{lrr}" in lines
    assert r"Class & Accuracy, \% & Pairs \\" in lines
    assert r"chart & 61.2 & 22,665 \\" in lines
    assert r"a\_b &  & 3 \\" in lines
    assert r"\caption{T}\label{tab:t}" in lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b & 5 %", r"a\_b \& 5 \%"),
        ("{\\x}", r"\{\textbackslash{}x\}"),
        ("-0.5", "$-$0.5"),
        ("a--b", "a-{}-b"),
        ("1\N{EN DASH}2", r"1\textendash{}2"),
        ("é Č", r"\'{e} \v{C}"),
        ("β λ Ω µ", r"$\beta$ $\lambda$ $\Omega$ $\mu$"),
        ("ﬁne", "fine"),
        ("心", "{[}U+5FC3]"),
    ],
)
def test_escaping_keeps_what_is_read(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_no_column_of_a_wide_table_is_narrower_than_its_longest_word() -> None:
    texts = {f"c{place}": ["a few words that make a long line"] for place in range(6)}
    table = pd.DataFrame({**texts, "Difference": [""], "n": [3]})
    written = as_latex(table, title="T", label="tab:t")
    widths = [float(width) for width in re.findall(r"\\dimexpr ([\d.]+)\\linewidth", written)]
    assert widths[-2] >= len("Difference") / 100
    assert widths[0] == max(widths)
