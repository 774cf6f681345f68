"""Review by people: a sheet to fill in, and the decisions read back.

The paper's filter was "followed by manual review of a subset" (Section 3.1), and images were masked
or cropped "as needed", by a method that it does not state. Here a sheet lists a sample; a reviewer
copies it, decides on captions and images, and names the copy in the config. The checks fail closed:
``keep`` and ``edit`` hold for the very image and caption that were seen, and a pair whose edit no
longer fits is rejected; ``reject`` holds for the pair whatever became of either. What is decided
on an image holds for the same bytes under any name. A rejection or an edit of a pair that the
corpus does not have, or whose file is another pair's, stops the run.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.curation.outcomes import KEEP, Screening
from pairdx.errors import PairDxError
from pairdx.images import parse_edit
from pairdx.logs import logger
from pairdx.ordering import seeded_rank
from pairdx.sheets import read_text_table

DECISIONS = ("keep", "reject", "edit")
WHATS = ("caption", "image")
DECIDED = ("caption_decision", "image_decision")
SEEN_COLUMNS = ["pair_id", "label", "file", "width", "height", "sha256", "masked", "caption"]
DECISION_COLUMNS = ["caption_decision", "caption_edit", "image_decision", "image_edit"]
SHEET_COLUMNS = [*SEEN_COLUMNS, *DECISION_COLUMNS, "reviewer", "note"]
_PUT_BACK = (
    "put their pair_id and file back as review/sheet.csv has them (a spreadsheet may have changed "
    "long numbers or leading zeros: open the file with all columns as text); if the corpus is "
    "another one, clear these decisions"
)


def review_sample(
    pairs: pd.DataFrame, *, masked_captions: int, per_class: int, seed: int
) -> pd.DataFrame:
    """Choose the pairs that a person should look at.

    Args:
        pairs: Columns pair_id, label and masked, at least.
        masked_captions: How many pairs whose captions were masked.
        per_class: How many further pairs of every class.
        seed: Seed of the sample.

    Returns:
        The chosen rows of ``pairs``, in its order.
    """
    rank = seeded_rank(pairs["pair_id"], seed, "review").set_axis(pairs.index)
    was_masked = pairs["masked"] != ""
    first = rank[was_masked].nsmallest(masked_captions).index
    others = rank.drop(first)
    position = others.groupby(pairs["label"].reindex(others.index)).rank(method="first")
    further = position.index[position <= per_class]
    return pairs.loc[pairs.index.isin(first.union(further))]


def review_sheet(sample: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Lay out the sheet: one row per pair with empty decisions, after the decisions made before.

    Args:
        sample: What :func:`review_sample` chose, with :data:`SEEN_COLUMNS`.
        decided: Rows of an earlier sheet, as :func:`read_decisions` returns them; may be empty.
    """
    new = sample.loc[~sample["pair_id"].isin(decided["pair_id"]), SEEN_COLUMNS]
    return pd.concat([decided, new.reindex(columns=SHEET_COLUMNS)]).fillna("")[SHEET_COLUMNS]


def read_decisions(path: str | Path | None) -> pd.DataFrame:
    """Read a filled-in sheet.

    Returns:
        The rows in which something was decided, with :data:`SHEET_COLUMNS` (text); none where
        ``path`` is None.

    Raises:
        PairDxError: The sheet is missing, is not CSV, lacks a column, holds a pair twice, an
            unknown decision, an edit without its text, or an image edit that cannot be read.
    """
    if path is None:
        return pd.DataFrame(columns=SHEET_COLUMNS, dtype=str)
    sheet = _tidy(_read_sheet(Path(path)))
    problems = _problems(sheet)
    if problems:
        raise PairDxError(
            "the review sheet holds what cannot be carried out:\n  " + "\n  ".join(problems),
            where=path,
            remedy="correct these lines; config/README.md describes the columns",
        )
    decided = (sheet["caption_decision"] != "") | (sheet["image_decision"] != "")
    return sheet.loc[decided, SHEET_COLUMNS].reset_index(drop=True)


def _read_sheet(path: Path) -> pd.DataFrame:
    try:
        sheet = read_text_table(
            path,
            what="the review sheet",
            where=path,
            remedy="or copy review/sheet.csv again and fill it in",
            separators=",;\t",
            by_people=True,
        )
    except FileNotFoundError as error:
        raise PairDxError(
            "the review sheet is missing",
            where=path,
            remedy="set the dataset's curation.review.decisions to your filled-in copy of its "
            "sheet, or to null",
        ) from error
    sheet = sheet.rename(columns=lambda name: name.strip().lower())
    missing = [column for column in SHEET_COLUMNS if column not in sheet.columns]
    if missing:
        raise PairDxError(
            f"the review sheet lacks the column(s) {', '.join(missing)}; its columns are: "
            f"{', '.join(sheet.columns)}",
            where=path,
            remedy="name them in the first line as review/sheet.csv does; cells may be separated "
            "by commas, semicolons or tabs",
        )
    return sheet


def _tidy(sheet: pd.DataFrame) -> pd.DataFrame:
    """Take off blanks and capitals that spreadsheets and typing add; number and drop empty rows."""
    tidy = sheet.assign(line=range(2, len(sheet) + 2))
    for name in SHEET_COLUMNS:
        if name not in ("caption", "caption_edit", "note"):
            tidy[name] = tidy[name].str.strip()
    for name in DECIDED:
        tidy[name] = tidy[name].str.lower()
    return tidy[(sheet.map(str.strip) != "").any(axis=1)]


def _problems(sheet: pd.DataFrame) -> list[str]:
    problems: list[str] = []
    for row in sheet.to_dict("records"):
        place = f"row {row['line']} ({row['pair_id'] or 'no pair_id'})"
        if not row["pair_id"] and any(row[f"{what}_decision"] for what in WHATS):
            problems.append(f"{place}: a decision without a pair_id decides on nothing")
        for what in WHATS:
            decision = row[f"{what}_decision"]
            if decision not in ("", *DECISIONS):
                known = ", ".join(DECISIONS)
                problems.append(f"{place}: {what}_decision {decision!r} is none of {known}")
            if (decision == "edit") != bool(row[f"{what}_edit"].strip()):
                problems.append(f"{place}: {what}_decision `edit` and {what}_edit go together")
        problems += [f"{place}: image_edit: {text}" for text in _edit_problems(row)]
    named = sheet.loc[sheet["pair_id"] != "", "pair_id"]
    twice = named[named.duplicated()].unique()
    return [*problems, *(f"{pair} stands in the sheet more than once" for pair in twice)]


def _edit_problems(row: Mapping[Hashable, Any]) -> list[str]:
    if not row["image_edit"].strip():
        return []
    sides = [_whole_number(row[side]) for side in ("width", "height")]
    if None in sides:
        seen = f"{row['width']!r} and {row['height']!r}"
        return [
            f"width and height are {seen}: write them in whole pixels, as review/sheet.csv does"
        ]
    try:
        parse_edit(row["image_edit"], size=(sides[0] or 0, sides[1] or 0))
    except PairDxError as error:
        return [str(error)]
    return []


def _whole_number(text: str) -> int | None:
    """Read "96", and "96.0" or "96,00" as a spreadsheet may write it."""
    found = re.fullmatch(r"([0-9]{1,9})(?:[.,]0*)?", text)
    return int(found[1]) if found else None


def apply_decisions(screening: Screening, decisions: pd.DataFrame, rejected: pd.DataFrame) -> None:
    """Run the stage review: reject, edit, and note what a person has seen.

    Args:
        screening: Its candidates get the columns caption_reviewed and image_reviewed (bool) and
            image_edit (text, see :func:`pairdx.images.parse_edit`).
        decisions: From :func:`read_decisions`.
        rejected: What earlier stages rejected (column file), by the tables or by this screening.

    Raises:
        PairDxError: A rejection or an edit names a pair that the corpus does not have, or one with
            another file.
    """
    candidates = screening.candidates
    _refuse_strangers(decisions, candidates, rejected)
    _refuse_other_files(decisions, candidates, rejected)
    found = candidates[["pair_id"]].merge(
        decisions.rename(columns={"caption": "seen_caption", "sha256": "seen_sha256"}),
        on="pair_id",
        how="left",
    )
    found = found.astype(str).where(found.notna(), "").set_axis(candidates.index)
    _decide_on_copies(found, candidates["sha256"], decisions)
    same_image = found["seen_sha256"].str.lower() == candidates["sha256"]
    same_caption = found["seen_caption"].map(_words) == candidates["caption"].map(_words)
    of_image = (found["image_decision"] != "") & same_image
    of_caption = (found["caption_decision"] != "") & same_caption

    edited = of_caption & (found["caption_decision"] == "edit")
    image_edit = found["image_edit"].where(of_image & (found["image_decision"] == "edit"), "")
    screening.candidates = candidates.assign(
        caption=found["caption_edit"].where(edited, candidates["caption"]),
        caption_reviewed=of_caption,
        image_reviewed=of_image,
        image_edit=image_edit,
    )
    reasons = pd.Series(KEEP, index=candidates.index)
    reasons[(found["caption_decision"] == "edit") & ~same_caption] = "edit_out_of_date"
    reasons[(found["image_decision"] == "edit") & ~same_image] = "edit_out_of_date"
    reasons[found["caption_decision"] == "reject"] = "caption_rejected"
    reasons[found["image_decision"] == "reject"] = "image_rejected"
    _say_what_changed(found, same_image, same_caption)
    screening.reject("review", reasons, found["note"])


def _decide_on_copies(found: pd.DataFrame, sha256: pd.Series, decisions: pd.DataFrame) -> None:
    """Let a rejection or an edit of an image hold for other pairs with the same bytes, in place.

    Which of two copies stays may change with the corpus, and then a face would be back.
    """
    binding = decisions[decisions["image_decision"].isin(["reject", "edit"])]
    binding = binding.sort_values("image_decision", ascending=False)  # `reject` before `edit`
    of_bytes = binding.assign(sha256=binding["sha256"].str.lower()).drop_duplicates("sha256")
    of_bytes = of_bytes[of_bytes["sha256"] != ""].set_index("sha256")
    own = found["image_decision"].isin(["reject", "edit"])
    copies = ~own & sha256.isin(of_bytes.index)
    for column in ("image_decision", "image_edit", "note"):
        found.loc[copies, column] = sha256[copies].map(of_bytes[column])
    found.loc[copies, "seen_sha256"] = sha256[copies]


def _words(caption: str) -> list[str]:
    """Return what a reviewer read: spreadsheets change line ends, blanks and forms of letters."""
    return unicodedata.normalize("NFC", caption).split()


def _refuse_strangers(
    decisions: pd.DataFrame, candidates: pd.DataFrame, rejected: pd.DataFrame
) -> None:
    """Stop where a rejection or an edit would be lost: its pair is nowhere in the corpus."""
    gone = decisions[~decisions["pair_id"].isin(candidates["pair_id"])]
    elsewhere = gone["pair_id"].isin(rejected["pair_id"])
    lost = gone[_is_binding(gone) & ~elsewhere]
    if len(lost):
        first = lost.iloc[0]
        raise PairDxError(
            f"{len(lost)} rejections or edits of the review sheet are of pairs that this dataset "
            f"does not have: {', '.join(map(repr, lost['pair_id'].head()))}",
            where=f"curation.review.decisions: pair_id {first['pair_id']!r}, {first['file']!r}",
            remedy=_PUT_BACK,
        )
    if len(gone):
        logger.warning("%d reviewed pairs are candidates no more", len(gone))


def _refuse_other_files(
    decisions: pd.DataFrame, candidates: pd.DataFrame, rejected: pd.DataFrame
) -> None:
    """Stop where a rejection or an edit would fall on another pair: `0012` became `12`.

    The same bytes under a new name are the same pair, unless the sheet's file is still there. The
    sheet names an image by its pair; where the corpus does not, the two names say nothing.
    """
    there = candidates[["pair_id", "file", "sha256"]]
    both = decisions[_is_binding(decisions)].merge(there, on="pair_id", suffixes=("", "_here"))
    elsewhere = both["file"].isin(candidates["file"]) | both["file"].isin(rejected["file"])
    renamed = (both["sha256"].str.lower() == both["sha256_here"]) & ~elsewhere
    of_pair = both["file"].map(_stem) == both["pair_id"]
    of_pair &= both["file_here"].map(_stem) != both["pair_id"]
    differs = (both["file"] != "") & (both["file"] != both["file_here"])
    other = both[differs & ~renamed & ~of_pair]
    if len(other):
        first = other.iloc[0]
        raise PairDxError(
            f"{len(other)} rejections or edits of the review sheet name one pair and the file of "
            f"another: {', '.join(map(repr, other['pair_id'].head()))}",
            where=f"curation.review.decisions: pair_id {first['pair_id']!r} has the file "
            f"{first['file_here']!r} here, and {first['file']!r} in the sheet",
            remedy=_PUT_BACK,
        )


def _stem(file: str) -> str:
    return file.rpartition(".")[0]


def _is_binding(decisions: pd.DataFrame) -> pd.Series:
    return decisions[list(DECIDED)].isin(["reject", "edit"]).any(axis=1)


def _say_what_changed(found: pd.DataFrame, same_image: pd.Series, same_caption: pd.Series) -> None:
    """Log for how many pairs a decision was made on another image or caption than there is now."""
    for what, same in (("image", same_image), ("caption", same_caption)):
        decision = found[f"{what}_decision"]
        changed = (decision != "") & ~same
        if changed.any():
            counts = decision[changed].value_counts()
            logger.warning(
                "%d reviewed pairs have another %s than the sheet shows, such as %s: %d that were "
                "kept count as not reviewed, %d with an edit are rejected (edit_out_of_date), %d "
                "that were rejected stay so",
                *(changed.sum(), what, found.loc[changed, "pair_id"].iloc[0]),
                *(counts.get(name, 0) for name in ("keep", "edit", "reject")),
            )
