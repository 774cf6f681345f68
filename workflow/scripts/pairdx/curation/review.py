"""Review by people: a sheet to fill in, and the decisions read back.

The paper's filter was "followed by manual review of a subset" (Section 3.1), and images were masked
or cropped "as needed", by a method that it does not state. Here a sheet lists a sample; a reviewer
copies it, decides on captions and images, and names the copy in the config. A decision holds for
the very image and caption that were seen: if either changed since, the pair counts as not reviewed.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path

import pandas as pd

from pairdx.curation.outcomes import KEEP, Screening
from pairdx.errors import PairDxError
from pairdx.images import parse_edit
from pairdx.logs import logger
from pairdx.ordering import seeded_rank

DECISIONS = ("keep", "reject", "edit")
SEEN_COLUMNS = ["pair_id", "label", "file", "width", "height", "sha256", "masked", "caption"]
DECISION_COLUMNS = ["caption_decision", "caption_edit", "image_decision", "image_edit"]
SHEET_COLUMNS = [*SEEN_COLUMNS, *DECISION_COLUMNS, "reviewer", "note"]


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


def read_decisions(path: Path | None) -> pd.DataFrame:
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
    try:
        sheet = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise PairDxError(
            "the review sheet is missing", where=path, remedy="check curation.review.decisions"
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise PairDxError(f"the review sheet cannot be read as CSV: {error}", where=path) from error
    missing = [column for column in SHEET_COLUMNS if column not in sheet.columns]
    if missing:
        raise PairDxError(f"the review sheet lacks the column(s) {', '.join(missing)}", where=path)
    problems = _problems(sheet)
    if problems:
        raise PairDxError(
            "the review sheet holds what cannot be carried out:\n  " + "\n  ".join(problems),
            where=path,
            remedy="correct these lines; config/README.md describes the columns",
        )
    decided = (sheet["caption_decision"] != "") | (sheet["image_decision"] != "")
    return sheet.loc[decided, SHEET_COLUMNS].reset_index(drop=True)


def _problems(sheet: pd.DataFrame) -> list[str]:
    problems: list[str] = []
    for line, row in enumerate(sheet.to_dict("records"), start=2):
        place = f"line {line} ({row['pair_id']})"
        for what in ("caption", "image"):
            decision = row[f"{what}_decision"]
            if decision not in ("", *DECISIONS):
                known = ", ".join(DECISIONS)
                problems.append(f"{place}: {what}_decision {decision!r} is none of {known}")
            if (decision == "edit") != bool(row[f"{what}_edit"].strip()):
                problems.append(f"{place}: {what}_decision `edit` and {what}_edit go together")
        problems += [f"{place}: image_edit: {text}" for text in _edit_problems(row)]
    twice = sheet.loc[sheet["pair_id"].duplicated(), "pair_id"].unique()
    return [*problems, *(f"{pair} stands in the sheet more than once" for pair in twice)]


def _edit_problems(row: Mapping[Hashable, str]) -> list[str]:
    try:
        parse_edit(row["image_edit"], size=(int(row["width"]), int(row["height"])))
    except (ValueError, PairDxError) as error:
        return [str(error)]
    return []


def apply_decisions(screening: Screening, decisions: pd.DataFrame) -> None:
    """Run the stage review: reject, edit, and note what a person has seen.

    Args:
        screening: Its candidates get the columns caption_reviewed and image_reviewed (bool) and
            image_edit (text, see :func:`pairdx.images.parse_edit`).
        decisions: From :func:`read_decisions`.
    """
    candidates = screening.candidates
    found = candidates[["pair_id"]].merge(
        decisions.rename(columns={"caption": "seen_caption", "sha256": "seen_sha256"}),
        on="pair_id",
        how="left",
    )
    found = found.astype(str).where(found.notna(), "").set_axis(candidates.index)
    of_image = (found["image_decision"] != "") & (found["seen_sha256"] == candidates["sha256"])
    # Spreadsheets change line ends; words are what was reviewed.
    same = found["seen_caption"].str.split() == candidates["caption"].str.split()
    of_caption = (found["caption_decision"] != "") & same
    _warn_of_decisions_without_effect(decisions, candidates, of_image | of_caption)

    edited = of_caption & (found["caption_decision"] == "edit")
    image_edit = found["image_edit"].where(of_image & (found["image_decision"] == "edit"), "")
    screening.candidates = candidates.assign(
        caption=found["caption_edit"].where(edited, candidates["caption"]),
        caption_reviewed=of_caption,
        image_reviewed=of_image,
        image_edit=image_edit,
    )
    reasons = pd.Series(KEEP, index=candidates.index)
    reasons[of_caption & (found["caption_decision"] == "reject")] = "caption_rejected"
    reasons[of_image & (found["image_decision"] == "reject")] = "image_rejected"
    screening.reject("review", reasons, found["note"])


def _warn_of_decisions_without_effect(
    decisions: pd.DataFrame, candidates: pd.DataFrame, effective: pd.Series
) -> None:
    gone = ~decisions["pair_id"].isin(candidates["pair_id"])
    changed = ~gone & ~decisions["pair_id"].isin(candidates.loc[effective, "pair_id"])
    if gone.any():
        logger.warning("%d reviewed pairs are candidates no more", gone.sum())
    if changed.any():
        logger.warning(
            "%d reviewed pairs have another image or caption than was reviewed, and count as not "
            "reviewed: %s",
            changed.sum(),
            ", ".join(decisions.loc[changed, "pair_id"].head()),
        )
