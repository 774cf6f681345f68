"""MultiCaRe 2.x as released: a table of images, nested tables of cases and articles, nine archives.

The files and their joins: images.patient_id = case_id; the part of case_id before "_" = article_id.
An image ``PMC10018421_fig1_undivided_1_1.webp`` lies in ``PMC1.zip`` as ``PMC1/PMC10/<file>``.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pairdx.errors import PairDxError
from pairdx.joins import joined_where_known
from pairdx.logs import logger
from pairdx.sheets import read_text_table
from pairdx.storage_errors import storage_error

CAPTION_COLUMNS = (
    "file_id",
    "file",
    "main_image",
    "image_component",
    "patient_id",
    "license",
    "file_size",
    "caption",
    "case_substring",
    "image_type",
    "image_subtype",
    "radiology_region",
    "radiology_region_granular",
    "radiology_view",
    "ml_labels_for_supervised_classification",
    "gt_labels_for_semisupervised_classification",
)
TEXT_LABELS = "gt_labels_for_semisupervised_classification"
LIST_COLUMNS = ("case_substring", "ml_labels_for_supervised_classification", TEXT_LABELS)
LONGEST_LIST = 1_000_000  # characters
COLUMNS_OF_VERSION_1 = {"generic_label", "image_technique"}
OLDEST_AGE_YEARS = 130


def read(tables: Mapping[str, Path], _: Mapping[str, Any]) -> pd.DataFrame:
    """Join MultiCaRe's three tables into one row per image.

    Args:
        tables: ``captions`` (captions_and_labels.csv), ``cases`` (cases.parquet: age in years,
            gender), ``metadata`` (metadata.parquet: year of publication).
        _: Settings; this layout has none.

    Returns:
        One row per row of the CSV, in its order: row (its number, from 0), file, pair_id,
        article_id, case_id, figure_id, caption, label, subtype, age (nullable Int64, years), sex,
        licence (the image's, else its article's), year, archive, member, text_labels (the labels
        that MultiCaRe took from the caption, joined with ";"), published_subset (""), malformed
        (which list columns cannot be read). Text columns hold "" where nothing is known.

    Raises:
        PairDxError: A file is missing, unreadable, lacks a column or is of MultiCaRe 1.0; or no
            image's case is in the table of cases, or no image's article in that of articles.
    """
    captions, cases, metadata = (tables[name] for name in ("captions", "cases", "metadata"))
    images = _read_captions(captions)
    images["patient_id"] = images["patient_id"].str.strip()
    lists = {column: images[column].map(_parsed_list) for column in LIST_COLUMNS}
    broken = pd.DataFrame({column: parsed.isna() for column, parsed in lists.items()})
    candidates = pd.DataFrame(
        {
            "row": range(len(images)),
            "file": images["file"],
            "pair_id": images["file"].str.rsplit(".", n=1).str[0],
            "article_id": images["patient_id"].str.split("_").str[0],
            "case_id": images["patient_id"],
            "figure_id": images["main_image"].where(images["main_image"] != "", images["file"]),
            "caption": images["caption"],
            "label": images["image_type"].str.strip(),
            "subtype": images["image_subtype"].str.strip(),
            "licence": images["license"],
            "archive": images["file"].str[:4],
            "member": images["file"].str[:4] + "/" + images["file"].str[:5] + "/" + images["file"],
            "text_labels": lists[TEXT_LABELS].map(";".join, na_action="ignore").fillna(""),
            "published_subset": "",
            "malformed": [", ".join(broken.columns[row]) for row in broken.to_numpy()],
        }
    )
    candidates = joined_where_known(
        candidates, _read_cases(cases), "case_id", where=cases, unknown="age and sex"
    )
    candidates = joined_where_known(
        candidates,
        _read_articles(metadata),
        "article_id",
        where=metadata,
        unknown="year, and licence where the image states none,",
    )
    candidates["age"] = candidates["age"].astype("Int64")
    texts = ["sex", "year", "article_licence"]
    candidates[texts] = candidates[texts].fillna("")
    own = candidates["licence"] != ""
    candidates["licence"] = candidates["licence"].where(own, candidates["article_licence"])
    return candidates.drop(columns="article_licence")


def _parsed_list(text: str) -> list[str] | None:
    """Read a list of texts as Python writes it, without executing anything; None if it is none."""
    if text.strip() in ("", "[]"):
        return []
    if len(text) > LONGEST_LIST:
        return None
    try:
        values = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    return values


def _read_captions(path: Path) -> pd.DataFrame:
    try:
        images = read_text_table(
            path, what="the table of images", where=path, remedy=f"or {_FETCH_AGAIN}"
        )
    except FileNotFoundError as error:
        raise _missing(path) from error
    if COLUMNS_OF_VERSION_1 & set(images.columns):
        raise PairDxError(
            "this is MultiCaRe 1.0, whose text-derived labels know no charts, medical photographs, "
            "electrography or ophthalmic imaging: the classes cannot be made from it",
            where=path,
            remedy="use a 2.x release (config/datasets/multicare.yaml pins a record of one)",
        )
    missing = [column for column in CAPTION_COLUMNS if column not in images.columns]
    if missing:
        raise PairDxError(
            f"the table of images lacks the column(s) {', '.join(missing)}",
            where=path,
            remedy="use captions_and_labels.csv as MultiCaRe 2.x releases it (16 columns)",
        )
    return images


def _read_cases(path: Path) -> pd.DataFrame:
    """Read age and sex of every case; of one that is listed twice, the lower age."""
    cases = _flatten(path, "cases", ("case_id", "age", "gender"))
    table = pd.DataFrame(
        {
            "case_id": _texts(cases.field("case_id"), f"{path}: cases.case_id"),
            "age": pd.array(_integers(cases.field("age"), path), dtype="Int64"),
            "sex": _texts(cases.field("gender"), f"{path}: cases.gender"),
        }
    )
    impossible = ((table["age"] > OLDEST_AGE_YEARS) | (table["age"] < 0)).fillna(value=False)
    if impossible.any():
        logger.warning(
            "%d of %d cases have an age below 0 or above %d years, which counts as not known",
            *(impossible.sum(), len(table), OLDEST_AGE_YEARS),
        )
    table.loc[impossible, "age"] = pd.NA
    return table.sort_values("age", kind="stable").drop_duplicates("case_id")


def _integers(ages: pa.Array, path: Path) -> list[int | None]:
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_null)  # null: none is known
    if not any(is_kind(ages.type) for is_kind in kinds):
        raise PairDxError(
            f"ages should be numbers of years, but are of type {ages.type}",
            where=f"{path}: cases.age",
            remedy=_OTHER_TYPE,
        )
    return [None if age is None or math.isnan(age) else int(age) for age in ages.to_pylist()]


def _texts(values: pa.Array, where: str) -> list[str]:
    """Return identifiers and the like as text, of whichever type a Parquet file holds them.

    Bytes are read as UTF-8, numbers written as whole ones, white space around them taken off; ""
    where nothing stands.

    Raises:
        PairDxError: They are of another type, or bytes that are no text in UTF-8.
    """
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    try:
        if pa.types.is_floating(values.type):
            # A column of integers with gaps, as pandas writes it.
            values = pc.if_else(pc.is_nan(values), None, values).cast(pa.int64())
        elif pa.types.is_fixed_size_binary(values.type):
            values = values.cast(pa.binary())
        found = values.cast(pa.large_string()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PairDxError(
            f"this column should hold text, but is of type {values.type}: {error}",
            where=where,
            remedy=_OTHER_TYPE,
        ) from error
    return ["" if value is None else value.strip("\0 \t\r\n") for value in found]


def _read_articles(path: Path) -> pd.DataFrame:
    table = _read_parquet(path, ["article_id", "article_metadata"])
    records = table.column("article_metadata").combine_chunks()
    fields = {"year": "year", "license": "article_licence"}
    if not pa.types.is_struct(records.type) or set(fields) - _field_names(records.type):
        raise PairDxError(
            f"article_metadata should be a struct with the fields {' and '.join(fields)}",
            where=path,
            remedy=_OTHER_TYPE,
        )
    identifiers = table.column("article_id").combine_chunks()
    articles = pd.DataFrame({"article_id": _texts(identifiers, f"{path}: article_id")})
    for field, column in fields.items():
        articles[column] = _texts(records.field(field), f"{path}: article_metadata.{field}")
    return articles.drop_duplicates("article_id")


def _flatten(path: Path, column: str, fields: tuple[str, ...]) -> pa.StructArray:
    """Return the structs of a list<struct> column, one after the other."""
    table = _read_parquet(path, [column])
    lists = table.column(column).combine_chunks()
    is_list = pa.types.is_list(lists.type) or pa.types.is_large_list(lists.type)
    if not is_list or not pa.types.is_struct(lists.type.value_type):
        raise PairDxError(
            f"column {column} should be a list of structs, but is {lists.type}",
            where=path,
            remedy=_OTHER_TYPE,
        )
    missing = [name for name in fields if name not in _field_names(lists.type.value_type)]
    if missing:
        raise PairDxError(
            f"{column} lacks the field(s) {', '.join(missing)}", where=path, remedy=_OTHER_TYPE
        )
    return lists.flatten()


def _field_names(struct: pa.StructType) -> set[str]:
    return {struct.field(index).name for index in range(struct.num_fields)}


def _read_parquet(path: Path, columns: list[str]) -> pa.Table:
    try:
        schema = pq.read_schema(path)
        missing = [column for column in columns if column not in schema.names]
        if missing:
            raise PairDxError(
                f"the table lacks the column(s) {', '.join(missing)}",
                where=path,
                remedy=_OTHER_TYPE,
            )
        return pq.read_table(path, columns=columns)
    except FileNotFoundError as error:
        raise _missing(path) from error
    except (pa.ArrowInvalid, OSError) as error:
        if refused := storage_error(error, path):
            raise refused from error
        raise PairDxError(
            f"this is not a readable Parquet file: {error}", where=path, remedy=_FETCH_AGAIN
        ) from error


_FETCH_AGAIN = "delete the file and fetch it again; a download may have been cut short"
_OTHER_TYPE = (
    "use the table as MultiCaRe 2.x releases it; one that another program wrote needs these types"
)


def _missing(path: Path) -> PairDxError:
    return PairDxError(
        "a file of the corpus is missing",
        where=path,
        remedy="check `source.path` of the dataset (it names the folder that holds "
        "captions_and_labels.csv, cases.parquet and metadata.parquet)",
    )
