"""What the schema finds wrong in a configuration, in sentences that name the key."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from pairdx.plan.wording import similar

TOP = "(top level)"


def problems(
    config: Mapping[str, Any],
    schema: Mapping[str, Any],
    unchanged: Callable[[], Mapping[str, Any]],
) -> list[str]:
    """Say what the schema refuses, one sentence per key.

    Args:
        config: The complete configuration.
        schema: What :func:`pairdx.plan.schemas.whole_schema` returned.
        unchanged: Returns the configuration that nobody has changed, whose names the misspelt ones
            resemble. Called only where something is wrong.
    """
    if no_texts := [*_keys_that_are_no_text(config, ())]:
        return no_texts
    errors = [*_Validator(schema).iter_errors(config)]
    if not errors:
        return []
    defaults = unchanged()
    entries: dict[tuple[Any, ...], list[ValidationError]] = {}
    missing: dict[tuple[Any, ...], list[ValidationError]] = {}
    found = []
    for error in errors:
        path = tuple(error.absolute_path)
        if entry := _own_entry(path, defaults):
            entries.setdefault(entry, []).append(error)
        elif error.validator == "required":
            missing.setdefault(path, []).append(error)
        else:
            found.append(_sentence(error))
    for entry, of_entry in entries.items():
        found += _of_own_entry(entry, of_entry, defaults)
    return found + [_lacks(path, of_path) for path, of_path in missing.items()]


def in_order_of(model: Any, content: Any) -> Any:
    """Return a configuration whose keys stand in the order of another, at every depth.

    Further keys follow: as they stand where the other has a mapping too, as the order of systems is
    that of tables, and else by their names.
    """
    if not isinstance(content, Mapping):
        return content
    if not isinstance(model, Mapping):
        return {key: in_order_of(None, content[key]) for key in sorted(content, key=str)}
    keys = [key for key in model if key in content]
    keys += [key for key in content if key not in model]
    return {key: in_order_of(model.get(key), content[key]) for key in keys}


def named(path: Iterable[Any]) -> str:
    """Spell the path of a key as users write it."""
    return ".".join(map(str, path)) or TOP


def _is_integer(_: Any, value: Any) -> bool:
    # JSON takes 1.0 for an integer; a file name that holds it would be another one.
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: Any, value: Any) -> bool:
    # Comparisons with NaN are all false, so that it would pass every limit.
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and math.isfinite(value)


def _pattern(
    validator: Any, pattern: str, value: Any, _: Mapping[str, Any]
) -> Iterator[ValidationError]:
    # Python's $ lets a line break at the end pass.
    if validator.is_type(value, "string") and (
        not re.search(pattern, value) or value.endswith("\n")
    ):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator = extend(
    Draft202012Validator,
    {"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


def _keys_that_are_no_text(value: Any, path: tuple[Any, ...]) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, content in value.items():
            if not isinstance(key, str):
                yield (
                    f"config key {named(path)}: the name {key!r} is no text: put it in quotes "
                    "(YAML reads yes, no, on and off as true and false)"
                )
            yield from _keys_that_are_no_text(content, (*path, key))


def _own_entry(path: tuple[Any, ...], defaults: Any) -> tuple[Any, ...]:
    """Return the path of the entry that a user has added to a mapping of names; else nothing."""
    for length, name in enumerate(path, 1):
        if not isinstance(defaults, Mapping):
            break
        if name not in defaults:
            return path[:length]
        defaults = defaults[name]
    return ()


def _of_own_entry(
    entry: tuple[Any, ...], errors: list[ValidationError], defaults: Mapping[str, Any]
) -> list[str]:
    """One sentence if the name is a misspelt one, or else what the new entry lacks, and so on."""
    known: Any = defaults
    for name in entry[:-1]:
        known = known[name]
    if (meant := similar(str(entry[-1]), known)) and not _is_whole(entry, errors):
        return [f"config key {named(entry[:-1])}: unknown {entry[-1]}{meant}"]
    lacking = [error for error in errors if error.validator == "required"]
    found = [_sentence(error) for error in errors if error.validator != "required"]
    by_path: dict[tuple[Any, ...], list[ValidationError]] = {}
    for error in lacking:
        by_path.setdefault(tuple(error.absolute_path), []).append(error)
    return found + [_lacks(path, of_path) for path, of_path in by_path.items()]


def _is_whole(entry: tuple[Any, ...], errors: list[ValidationError]) -> bool:
    """Tell an entry with all its keys, as one that is `like` another, from a misspelt name.

    Of a text bank its reader is enough: what is meant to change another states none.
    """
    if entry[0] not in ("datasets", "systems", "text_banks", "pairings", "grids"):
        return False
    own = [error for error in errors if tuple(error.absolute_path) == entry]
    mistaken = {"required", "additionalProperties", "oneOf", "type"}
    if entry[0] == "text_banks":
        own = [error for error in own if "reader" not in _mapping(error.instance)]
    return len(entry) == 2 and not mistaken & {error.validator for error in own}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _lacks(path: tuple[Any, ...], errors: list[ValidationError]) -> str:
    keys: list[str] = []
    for error in errors:
        keys += [
            key
            for key in error.validator_value
            if key not in error.instance and key not in keys  # the schema may ask twice
        ]
    return (
        f"config key {named(path)}: {', '.join(keys)} {'is' if len(keys) == 1 else 'are'} missing"
    )


def _sentence(error: ValidationError) -> str:
    """One violation of the schema in one line that names the key."""
    error = max(error.context or [error], key=lambda part: len(part.absolute_path))
    key, value = named(error.absolute_path), error.instance
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = [name for name in value if name not in known]
        hint = similar(unknown, known) or f"; known: {', '.join(known)}"
        return f"config key {key}: unknown {', '.join(unknown)}{hint}"
    if error.validator == "required":
        return _lacks(tuple(error.absolute_path), [error])
    return f"config key {key}: {error.message}{_of_type(error)}"


def _of_type(error: ValidationError) -> str:
    """What a user may have meant by a value of another type."""
    value = error.instance
    if error.validator == "enum" and isinstance(value, str):
        return similar(value, (str(choice) for choice in error.validator_value))
    if error.validator != "type":
        return ""
    wanted = error.validator_value
    if value is None and wanted == "object":
        whole = len(error.absolute_path) == 1
        return " (a section in which nothing is stated is written {})" if whole else ""
    if isinstance(value, float) and not isinstance(value, bool) and "number" not in wanted:
        return " (write it without a point)" if value.is_integer() else ""
    if isinstance(value, float):
        return " (a finite number is needed)"
    if isinstance(value, str):
        if re.fullmatch(r"[+-]?\d+e[+-]?\d+", value, re.IGNORECASE):
            return " (YAML reads 1e-5 as text: write 1.0e-5)"
        return " (--config makes text of nested values: use --configfile)"
    return " (put it in quotes)" if "string" in wanted and value is not None else ""
