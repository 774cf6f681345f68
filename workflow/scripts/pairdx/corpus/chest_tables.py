"""What readings of chest X-rays share: tables as given out, views, studies, what is known of each.

``views``, ``images_per_study``, ``subsets``, ``uncertain`` and ``blank`` are keys of a dataset's
``source``. What they leave out is counted: candidates keep the reason in the column ``left_out``.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.corpus.image_tables import listed
from pairdx.errors import PairDxError
from pairdx.finding_texts import SEPARATOR, UNKNOWN
from pairdx.logs import logger
from pairdx.plan.wording import similar
from pairdx.sheet_cells import ENCODING
from pairdx.sheets import read_text_table
from pairdx.storage_errors import storage_errors_at
from pairdx.stores import LINEAR

OTHER_VIEW, FURTHER_IMAGE = "other_view", "further_image"
AS_GIVEN_OUT = "put the file there as it was given out"
# Of a cell of a table of labels: yes, no, and not sure; programs write numbers with a point.
STATES = {"1": True, "0": False, "-1": None}
NO_NAME = re.compile(rf"[{re.escape(SEPARATOR)}\ud800-\udfff]")
OLDEST_AGE_YEARS = 130
SEXES = {"m": "Male", "male": "Male", "f": "Female", "female": "Female"}


def read_official(path: Path, what: str, columns: Sequence[str]) -> pd.DataFrame:
    """Read a CSV file, gzipped or not, that must have the named columns.

    Returns:
        All cells as text without blanks around them, "" where nothing stands.

    Raises:
        PairDxError: The file is missing, damaged, no CSV, lacks a column, or has no rows.
    """
    try:
        content = _content(path, what)
        if path.suffix.lower() == ".gz":
            content = gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise PairDxError(f"{what} is damaged: {error}", where=path, remedy=AS_GIVEN_OUT) from error
    table = read_text_table(content, what=what, where=str(path), remedy=f"or {AS_GIVEN_OUT}")
    table = table.rename(columns=str.strip)
    missing = [name for name in columns if name not in table]
    if missing:
        raise PairDxError(
            f"{what} lacks the column(s) {', '.join(missing)}; its columns are: "
            f"{listed(table.columns)}{similar(missing, list(table.columns))}",
            where=path,
            remedy=AS_GIVEN_OUT,
        )
    if table.empty:
        raise PairDxError(
            f"{what} has no rows below the names of its columns", where=path, remedy=AS_GIVEN_OUT
        )
    return table.map(str.strip)


def named_lines(path: Path, what: str) -> list[str]:
    """Read a list of names, one a line.

    Raises:
        PairDxError: The file is missing, or is no text in UTF-8.
    """
    text = _content(path, what).decode(ENCODING, "replace")
    if "\ufffd" in text or "\0" in text:
        raise PairDxError(f"{what} is not text in UTF-8", where=path, remedy=AS_GIVEN_OUT)
    return [line.strip() for line in text.splitlines() if line.strip()]


def _content(path: Path, what: str) -> bytes:
    with storage_errors_at(path):
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            # Said here: of a file of ours that is gone, the storage's words would be others.
            raise PairDxError(f"{what} is missing", where=path, remedy=AS_GIVEN_OUT) from error


def of_subsets(
    table: pd.DataFrame, official: pd.Series, wanted: Sequence[str], where: object
) -> pd.DataFrame:
    """Keep the rows of the official subsets that the key ``subsets`` names; the log counts others.

    Args:
        table: One row per image.
        official: The official subset of each; "" where none is stated, which is kept.
        wanted: Names of subsets.
        where: What states them.

    Raises:
        PairDxError: No subset is stated of any row, or no row is of those that are wanted.
    """
    if (official == "").all():
        raise PairDxError(
            f"not one of {len(table)} images has a subset there", where=where, remedy=AS_GIVEN_OUT
        )
    kept = official.isin([*wanted, ""])
    if not kept.any():
        there = listed(sorted(set(official)))
        raise PairDxError(
            f"not one of {len(table)} images is of the subsets {', '.join(wanted)} that config key "
            f"`source.subsets` of the dataset names; there are: {there}",
            where=where,
            remedy=f"name another subset, or {AS_GIVEN_OUT}",
        )
    if not kept.all():
        counts = official[~kept].value_counts()
        named = ", ".join(f"{name} ({count})" for name, count in counts.items())
        logger.info("rows of subsets that `source.subsets` does not name are not read: %s", named)
    return table[kept]


def stated_findings(
    table: pd.DataFrame, names: Sequence[str], *, uncertain: str, blank: str
) -> pd.DataFrame:
    """Write what a table with a column per finding states of each of its rows.

    Args:
        table: Columns ``names``: 1, 0, -1 (not sure) or nothing, as whole numbers or with a point.
        names: The findings.
        uncertain: What -1 counts as: ones, zeros, ignore (not known).
        blank: What an empty cell counts as: zeros, ignore.

    Returns:
        ``findings`` (``A|B?``) and ``malformed``: the columns whose cells are none of these.
    """
    counted: dict[str, bool | None] = {"ones": True, "zeros": False, "ignore": None}
    meant = {**STATES, "-1": counted[uncertain], "": counted[blank]}
    written = {True: "{}", None: "{}" + UNKNOWN}
    distinct: dict[tuple[str, ...], tuple[str, str]] = {}
    rows = list(table[list(names)].itertuples(index=False, name=None))
    for cells in set(rows):
        bare = [re.sub(r"(?<=\d)\.0+$", "", cell) for cell in cells]
        odd = [name for name, cell in zip(names, bare, strict=True) if cell not in meant]
        states = [(name, meant.get(cell)) for name, cell in zip(names, bare, strict=True)]
        text = SEPARATOR.join(
            written[state].format(name) for name, state in states if state is not False
        )
        distinct[cells] = (text, ", ".join(odd))
    found = [distinct[cells] for cells in rows]
    return pd.DataFrame(found, columns=["findings", "malformed"], index=table.index)


def ages_of(cells: pd.Series) -> pd.Series:
    """Read ages: years, or a number with Y, M, W or D behind it; nullable Int64."""
    parts = cells.str.extract(r"^0*(\d{1,5})(?:\.0+)?\s*([YMWDymwd]?)")
    number = pd.to_numeric(parts[0], errors="coerce")
    per_year = parts[1].str.upper().map({"M": 12, "W": 52, "D": 365}).fillna(1)
    years = (number // per_year).astype("Int64")
    return years.mask(years > OLDEST_AGE_YEARS)


def called(word: str, identifiers: pd.Series) -> pd.Series:
    """Put a word before identifiers; a blank one stays "", which stands for an unknown one."""
    return (f"{word} " + identifiers).where(identifiers != "", "")


def candidates_of(
    images: pd.DataFrame, settings: Mapping[str, Any], vocabulary: Sequence[str] | None
) -> pd.DataFrame:
    """Make candidates of images, and say of which not: another view, a further image of a study.

    Args:
        images: pair_id, member (path below the folder), patient, study (unique among all; "" where
            they are not stated), view, findings; and, where they are known, caption, subset (train,
            validation, test), age (years), sex, year, malformed.
        settings: What the dataset's ``source`` states: views, images_per_study, parts, licence.
        vocabulary: All findings that the data could state; None where these are not listed.

    Returns:
        The columns of :func:`pairdx.corpus.multicare.reading.read` with ``findings`` and
        ``left_out``, in the given order; label is "". ``attrs["vocabulary"]`` is the vocabulary.
    """
    images = images.reset_index(drop=True)
    number, parts = len(images), settings["parts"]
    text = {
        name: images.get(name, pd.Series("", index=images.index)).fillna("").astype(str)
        for name in ("caption", "subset", "sex", "year", "malformed", "view")
    }
    ages = images.get("age", pd.Series(pd.NA, index=images.index)).astype("Int64")
    found = pd.DataFrame(
        {
            "row": range(number),
            "file": images["member"].str.removesuffix(LINEAR).str.rsplit("/", n=1).str[-1],
            "pair_id": images["pair_id"],
            "article_id": images["patient"],
            "case_id": images["patient"],
            "figure_id": images["study"],
            "caption": text["caption"],
            "label": "",
            "subtype": "",
            "licence": settings["licence"],
            "archive": [f"part{1 + at * parts // number}" for at in range(number)],
            "member": images["member"],
            "text_labels": "",
            "published_subset": text["subset"],
            "malformed": text["malformed"],
            "age": ages,
            "sex": text["sex"].str.casefold().map(SEXES).fillna(""),
            "year": text["year"],
            "findings": images["findings"],
            "left_out": left_out(images["study"], text["view"], settings),
        }
    )
    found.attrs["vocabulary"] = None if vocabulary is None else list(vocabulary)
    return found


def left_out(studies: pd.Series, views: pd.Series, settings: Mapping[str, Any]) -> pd.Series:
    """Say why an image is left out: ``other_view``, ``further_image``, or "" for those that stay.

    Args:
        studies: The study of each image.
        views: Its view, in the data's own words.
        settings: ``views`` (None: all), ``images_per_study`` (all, first).
    """
    reasons = pd.Series("", index=studies.index)
    if settings["views"] is not None:
        wanted = {view.casefold() for view in settings["views"]}
        other = ~views.str.casefold().isin(wanted)
        reasons[other] = OTHER_VIEW
        if other.any():
            counts = views[other].replace("", "(none stated)").value_counts()
            named = ", ".join(f"{view} ({count})" for view, count in counts.items())
            logger.info("views that `source.views` does not name are left out: %s", named)
        if other.all() and len(other):
            raise PairDxError(
                f"not one of {len(other)} images is of the views {', '.join(settings['views'])}; "
                f"there are: {listed(map(str, counts.index))}",
                where="config key `source.views` of the dataset",
                remedy="name views as the data do, or null for all",
            )
    if settings["images_per_study"] == "first":
        stays = reasons == ""
        further = studies[stays & (studies != "")].duplicated()
        reasons[further.index[further]] = FURTHER_IMAGE
    return reasons


def joined_names(names: Iterable[str], nothing: str) -> str | None:
    """Write a list of findings as one text, without the name for none of them.

    Returns:
        ``A|B``; None where a name is blank, or would be read as something else or not at all there:
        it holds ``|``, ends with ``?``, or holds half a character (U+D800 to U+DFFF).
    """
    bare = [name.strip() for name in names]
    if any(not name or name.endswith(UNKNOWN) or NO_NAME.search(name) for name in bare):
        return None
    return SEPARATOR.join(
        dict.fromkeys(name for name in bare if name.casefold() != nothing.casefold())
    )


def require_texts(found: int, reports: int, sections: Sequence[str], where: object) -> None:
    """Refuse sections that no report has: every image would be rejected for want of a caption.

    Args:
        found: How many reports have a text in the wanted sections.
        reports: How many there are.
        sections: What ``sections`` names.
        where: Where the reports lie.
    """
    if reports and not found:
        raise PairDxError(
            f"not one of {reports} reports has a text in the sections {', '.join(sections)}",
            where=where,
            remedy="set `source.sections` to others, or to null, which reads no reports; or "
            "`source.without_sections` to whole, which takes whole reports",
        )


def one_row_each(table: pd.DataFrame, columns: Sequence[str], where: Path) -> pd.DataFrame:
    """Return a table that says one thing of everything once; the log counts repeated rows.

    Raises:
        PairDxError: Two rows are about the same, and say different things.
    """
    distinct = table.drop_duplicates()
    twice = distinct[distinct.duplicated(list(columns))]
    if len(twice):
        named = ", ".join(f"{name} {twice.iloc[0][name]}" for name in columns)
        raise PairDxError(
            f"{len(twice)} rows are about what another row is about, and say something else, such "
            f"as that of {named}",
            where=where,
            remedy=AS_GIVEN_OUT,
        )
    if len(distinct) < len(table):
        logger.warning("%s: %d rows are repeated", where.name, len(table) - len(distinct))
    return distinct
