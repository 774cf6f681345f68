"""Tables in LaTeX, to include: booktabs rules, plain ASCII, text from outside made harmless."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

import pandas as pd

from pairdx.reporting.format.characters import in_one_bracket, named
from pairdx.reporting.format.markdown import Column, columns_as_text

NEEDS = (
    "% Needs \\usepackage{array, booktabs, longtable} and \\usepackage[T1]{fontenc}.\n"
    "% Written by the workflow: edit the table's CSV or its script, not this file.\n"
)
CHARACTERS_PER_LINE = 100  # of \footnotesize text on a page of one column
SMALLER = 120  # of \scriptsize text
LONGEST_LINE = 60  # characters of a cell before its text is broken, in a table that is too wide
LONGEST_WORD = 20.0
GAP = 3  # characters that fit into the space between two columns
LINES_PER_PAGE = 36  # of a table that floats

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    # An opening bracket after the end of a row would be read as that command's argument.
    "[": "{[}",
    "*": "{*}",
    **{character: f"\\{character}" for character in "{}$&#_%"},
}
_SYMBOLS = {
    "\N{HYPHEN}": "-",
    "\N{NON-BREAKING HYPHEN}": "-",
    "\N{FIGURE DASH}": r"\textendash{}",
    "\N{EN DASH}": r"\textendash{}",
    "\N{EM DASH}": r"\textemdash{}",
    "\N{LEFT SINGLE QUOTATION MARK}": r"\textquoteleft{}",
    "\N{RIGHT SINGLE QUOTATION MARK}": r"\textquoteright{}",
    "\N{LEFT DOUBLE QUOTATION MARK}": r"\textquotedblleft{}",
    "\N{RIGHT DOUBLE QUOTATION MARK}": r"\textquotedblright{}",
    "\N{FRACTION SLASH}": "/",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{BULLET}": r"\textbullet{}",
    "\N{MIDDLE DOT}": r"$\cdot$",
    "\N{MINUS SIGN}": "$-$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{NOT EQUAL TO}": r"$\neq$",
    "\N{ALMOST EQUAL TO}": r"$\approx$",
    "\N{TILDE OPERATOR}": r"$\sim$",
    "\N{RIGHTWARDS ARROW}": r"$\rightarrow$",
    "\N{LEFTWARDS ARROW}": r"$\leftarrow$",
    "\N{INFINITY}": r"$\infty$",
    "\N{SUPERSCRIPT ONE}": "$^{1}$",
    "\N{SUPERSCRIPT TWO}": "$^{2}$",
    "\N{SUPERSCRIPT THREE}": "$^{3}$",
    "\N{DEGREE SIGN}": r"\textdegree{}",
    "\N{TRADE MARK SIGN}": r"\texttrademark{}",
    "\N{REGISTERED SIGN}": r"\textregistered{}",
    "\N{COPYRIGHT SIGN}": r"\textcopyright{}",
    "\N{EURO SIGN}": r"\texteuro{}",
    "\N{POUND SIGN}": r"\pounds{}",
    "\N{SECTION SIGN}": r"\S{}",
    "\N{LATIN SMALL LETTER SHARP S}": r"\ss{}",
    "\N{LATIN SMALL LETTER AE}": r"\ae{}",
    "\N{LATIN CAPITAL LETTER AE}": r"\AE{}",
    "\N{LATIN SMALL LETTER O WITH STROKE}": r"\o{}",
    "\N{LATIN CAPITAL LETTER O WITH STROKE}": r"\O{}",
    "\N{LATIN SMALL LETTER L WITH STROKE}": r"\l{}",
    "\N{LATIN CAPITAL LETTER L WITH STROKE}": r"\L{}",
}
# Greek letters that have a command; the others look like Latin ones.
_GREEK = {
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
    *("lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi"),
    *("omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi"),
    "Omega",
}
_ACCENTS = dict(
    zip(
        "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327\u0328",
        ("`", "'", "^", "~", "=", "u", ".", '"', "r", "H", "v", "c", "k"),
        strict=True,
    )
)


def as_latex(table: pd.DataFrame, *, title: str, label: str, notes: Sequence[str] = ()) -> str:
    """Write a table as LaTeX, formatted as ``as_markdown`` does: caption, label, rules and notes.

    A table of up to :data:`LINES_PER_PAGE` lines floats; a longer one (longtable) runs over pages.
    Where the text does not fit one line, columns get widths that add up to the line's and cells are
    broken; where not even the words fit, letters are smaller. Numbers stand at the right of their
    column. The result is plain ASCII and independent of LaTeX's engine.

    Args:
        table: Any table; its index is not written.
        title: The caption.
        label: What references call it: letters, digits, ``_``, ``-`` and ``:``.
        notes: What a reader has to know about the numbers, one paragraph each under the table.
    """
    columns = columns_as_text(table)
    widths = _widths(columns)
    written_in = _breakable if widths else escape
    head = " & ".join(written_in(column.heading) for column in columns) + r" \\"
    lines = zip(*(column.texts for column in columns), strict=True)
    rows = [" & ".join(written_in(text) for text in line) + r" \\" for line in lines]
    caption = f"\\caption{{{escape(title)}}}\\label{{{label}}}"
    shape = _columns(columns, widths)
    size = "\\footnotesize"
    if sum(widths) > CHARACTERS_PER_LINE + 1:
        size = "\\scriptsize\\setlength{\\tabcolsep}{3pt}"
    if _lines(columns, widths) > LINES_PER_PAGE:
        written = _over_pages(caption, size, shape, head, rows)
        below = [f"{{\\footnotesize {escape(note)}\\par}}" for note in notes]
    else:
        written = ["\\begin{table}[htbp]", f"\\centering{size}", caption]
        written += [f"\\begin{{tabular}}{{{shape}}}", "\\toprule", head, "\\midrule", *rows]
        written += ["\\bottomrule", "\\end{tabular}"]
        below = [f"\\par\\smallskip\\parbox{{\\linewidth}}{{{escape(note)}}}" for note in notes]
        below += ["\\end{table}"]
    return NEEDS + "\n".join([*written, *below]) + "\n"


def _over_pages(caption: str, size: str, shape: str, head: str, rows: Sequence[str]) -> list[str]:
    """Write the lines of a longtable, whose head stands on every page."""
    return [
        f"{{{size}",
        f"\\begin{{longtable}}{{{shape}}}",
        f"{caption}\\\\",
        *("\\toprule", head, "\\midrule", "\\endfirsthead"),
        *("\\toprule", head, "\\midrule", "\\endhead"),
        *("\\bottomrule", "\\endfoot"),
        *rows,
        "\\end{longtable}",
        "}",
    ]


def _widths(columns: Sequence[Column]) -> list[float]:
    """Return widths in characters, gaps included; none where all text fits one line."""
    longest = [max(map(len, [column.heading, *column.texts])) for column in columns]
    if sum(longest) + GAP * len(columns) <= CHARACTERS_PER_LINE:
        return []
    # Every column holds its longest word; what is left goes to those whose lines are longer.
    least = [_longest_word(column) + GAP for column in columns]
    more = [
        max(0, min(length, LONGEST_LINE) - width)
        for length, width in zip(longest, least, strict=True)
    ]
    line = CHARACTERS_PER_LINE if sum(least) < 0.8 * CHARACTERS_PER_LINE else SMALLER
    room = max(0, line - sum(least)) / max(1, sum(more))
    return [width + room * extra for width, extra in zip(least, more, strict=True)]


def _columns(columns: Sequence[Column], widths: Sequence[float]) -> str:
    """Return the column specification: as wide as the text, or shares of the line."""
    if not widths:
        return "".join("r" if column.is_number else "l" for column in columns)
    return "".join(
        f">{{\\{'raggedleft' if column.is_number else 'raggedright'}\\arraybackslash}}"
        f"p{{\\dimexpr {width / sum(widths):.3f}\\linewidth-2\\tabcolsep\\relax}}"
        for column, width in zip(columns, widths, strict=True)
    )


def _lines(columns: Sequence[Column], widths: Sequence[float]) -> int:
    """Estimate how many lines the rows take."""
    room = [width - GAP for width in widths] or [CHARACTERS_PER_LINE] * len(columns)
    rows = zip(*(column.texts for column in columns), strict=True)
    return sum(
        max(max(1, math.ceil(len(text) / width)) for text, width in zip(row, room, strict=True))
        for row in rows
    )


def _longest_word(column: Column) -> float:
    """Return the length of the longest piece that LaTeX cannot break, in average letters."""
    words = re.split(r"\s|(?<=[-_/])", " ".join([column.heading, *column.texts]))
    # Capitals and digits are wider than the average letter.
    return min(
        max(len(word) + len(re.findall(r"[A-Z0-9_]", word)) / 4 for word in words), LONGEST_WORD
    )


def _breakable(text: str) -> str:
    """Escape text of a cell; names of files and the like may be broken after ``_`` and ``/``.

    (After a hyphen LaTeX breaks by itself.)
    """
    return re.sub(r"(\\_|/)(?=\w)", r"\1\\allowbreak{}", escape(text))


def escape(text: str) -> str:
    """Make text show as itself in LaTeX, in ASCII.

    Control characters and line breaks become spaces, accented Latin letters accent commands, and
    common symbols their commands. A character that pdfLaTeX may not know is named:
    ``[grinning face]``, ``[U+5FC3]``.
    """
    text = "".join(character if character.isprintable() else " " for character in text)
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()
    written = in_one_bracket("".join(map(_character, text)))
    # Two hyphens would become a dash, two commas a quotation mark; a hyphen before a number is a
    # minus sign.
    written = re.sub(r"([-,'])(?=\1)", r"\1{}", written)
    return re.sub(r"(^|[ (])-(?=\d)", r"\1$-$", written)


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character.isascii():
        return character
    if character in _SYMBOLS:
        return _SYMBOLS[character]
    parts = unicodedata.normalize("NFD", character)
    if len(parts) == 2 and parts[0].isascii() and parts[1] in _ACCENTS:
        return f"\\{_ACCENTS[parts[1]]}{{{parts[0]}}}"
    plain = unicodedata.normalize("NFKC", character)
    if plain != character:  # a ligature, a full-width letter, the micro sign
        return "".join(map(_character, plain))
    name = named(character)
    return _greek(character) or (f"{{[}}{name}]" if name else "")


def _greek(character: str) -> str | None:
    found = re.fullmatch(
        r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(character, "unnamed")
    )
    if not found:
        return None
    name = found[2].replace("LAMDA", "LAMBDA")
    command = name.capitalize() if found[1] == "CAPITAL" else name.lower()
    return f"$\\{command}$" if command in _GREEK else None
