"""Cells as text: a Parquet column of any plain type, years in dates, ages in years."""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa
import pyarrow.types as kinds

from pairdx.errors import PairDxError

OLDEST_AGE_YEARS = 130
# A year of four digits on its own, or that of a date of eight digits, as DICOM writes it.
_YEAR = r"(?<!\d)((?:19|20)\d{2})(?:(?!\d)|(?=(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)))"
# Of each unit of an age, how people and DICOM (045Y, 006M, 010D) write it, and how many are a year.
_UNITS = {
    "years": (r"y|yrs?|years?|y\.?/?o\.?|jahren?|jahre?|j", 1.0),
    "months": (r"m|mos?|mths?|months?|monate?n?", 12.0),
    "weeks": (r"w|wks?|weeks?|wochen?", 365.25 / 7),
    "days": (r"d|days?|tage?n?", 365.25),
}
_SHORTER = "|".join(_UNITS[unit][0] for unit in ("months", "weeks", "days"))
_AGE = (
    r"^(?P<sign>[<>]?)=?\s*0*(?P<number>\d{1,5})(?:[.,]\d+)?\s*[+-]?\s*(?:"
    + "|".join(f"(?P<{unit}>{words})" for unit, (words, _) in _UNITS.items())
    + r")?\.?[\s-]*(?:old|alt|of age)?"
    # Of 3 y 2 m, the years count.
    + rf"(?:[\s,]*(?:and|und|&)?\s*\d+\s*(?:{_SHORTER})\.?)*\s*\+?$"
)


def texts_of(column: pa.ChunkedArray, where: str) -> list[str]:
    """Return a column as texts: whole numbers without a point, dates as ISO, "" where none stands.

    Raises:
        PairDxError: It is of a type that is no text, number, date or truth value, or holds bytes
            that are no text in UTF-8.
    """
    if kinds.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if kinds.is_fixed_size_binary(column.type):
        column = column.cast(pa.binary())
    of = column.type
    plain = (kinds.is_integer, kinds.is_boolean, kinds.is_decimal, kinds.is_date, kinds.is_time)
    texts = (kinds.is_string, kinds.is_large_string, kinds.is_binary, kinds.is_large_binary)
    views = (kinds.is_string_view, kinds.is_binary_view)
    if kinds.is_null(of):
        return [""] * len(column)
    if kinds.is_floating(of) or kinds.is_timestamp(of):
        return [_number_or_date(value) for value in column.to_pylist()]
    if not any(is_kind(of) for is_kind in (*plain, *texts, *views)):
        raise _other_type(of, where)
    try:
        found = column.cast(pa.large_string()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _other_type(of, where, f": {error}") from error
    return ["" if value is None else str(value).strip("\0") for value in found]


def _other_type(of: pa.DataType, where: str, more: str = "") -> PairDxError:
    return PairDxError(
        f"this column should hold text, but is of type {of}{more}",
        where=where,
        remedy="write it as text in UTF-8, or leave it out of the table",
    )


def _number_or_date(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value).removesuffix(" 00:00:00")


def years_of(dates: pd.Series) -> pd.Series:
    """Return the year of every date, of whichever form, as text; "" where none is found."""
    return dates.str.extract(_YEAR)[0].fillna("")


def ages_of(stated: pd.Series) -> pd.Series:
    """Return ages in whole years (nullable Int64), rounded down; NA where no age is found.

    Months, weeks and days become years. ``>89`` and ``90+`` are the number that they state, and
    ``<1`` is the number below.
    """
    parts = stated.str.extract(_AGE, flags=re.IGNORECASE)
    number = pd.to_numeric(parts["number"]).astype("Float64")
    least = (number - (parts["sign"] == "<").astype(float)).clip(lower=0)
    for unit, (_, per_year) in _UNITS.items():
        least = least.mask(parts[unit].notna(), least / per_year)
    years = least.floordiv(1).astype("Int64")
    return years.where(years <= OLDEST_AGE_YEARS, pd.NA)
