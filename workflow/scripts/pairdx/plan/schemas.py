"""The schema of the whole configuration: what every experiment has, and what its families say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pairdx.plan.code import SCRIPTS
from pairdx.plan.configuration import read_yaml
from pairdx.plan.descriptions import families, readers, schema_file

Schema = Mapping[str, Any]


def whole_schema(root: Path) -> dict[str, Any]:
    """Read the schema of the configuration and put those of families and readers into it.

    Args:
        root: The folder of the Snakefile.
    """
    schema = read_yaml(root / "workflow/schemas/config.schema.yaml")
    of_families = {name: read_yaml(schema_file("models", name)) for name in families()}
    return with_readers(with_families(schema, of_families), readers())


def with_families(schema: Schema, of_families: Mapping[str, Schema]) -> dict[str, Any]:
    """Say in a schema what the settings of each system may be, by its family.

    Args:
        schema: workflow/schemas/config.schema.yaml.
        of_families: settings.schema.yaml by family. Each is found under the name
            ``settings_<family>`` of ``$defs`` and may refer to all that there is there. In its own
            ``$defs`` two names have a meaning: ``trained`` holds for the settings of trained
            systems besides; the properties of ``sections`` are keys of the configuration itself,
            which are never missing.
    """
    definitions = {**schema["$defs"]}
    properties, required = {**schema["properties"]}, [*schema["required"]]
    conditions: list[Schema] = []
    for name, own in of_families.items():
        place = f"settings_{name}"
        definitions[place] = own
        conditions.append(_if_so({"family": {"const": name}}, place))
        if "trained" in own.get("$defs", {}):
            trained = {"family": {"const": name}, "trained": {"const": True}}
            conditions.append(_if_so(trained, f"{place}/$defs/trained"))
        sections = own.get("$defs", {}).get("sections", {}).get("properties", {})
        properties |= sections
        required += sections
    entry = definitions["system"]
    family = {
        "enum": list(of_families),
        "description": entry["properties"]["family"]["description"],
    }
    definitions["system"] = {
        **entry,
        "properties": {**entry["properties"], "family": family},
        "allOf": conditions,
    }
    return {**schema, "properties": properties, "required": required, "$defs": definitions}


def _if_so(values: Schema, place: str) -> Schema:
    """Let settings be as ``place`` of the definitions says, in entries that have these values."""
    return {
        "if": {"required": list(values), "properties": values},
        "then": {"properties": {"settings": {"$ref": f"#/$defs/{place}"}}},
    }


def with_readers(schema: Mapping[str, Any], readers: Iterable[str]) -> dict[str, Any]:
    """Return a schema in which every dataset's ``source`` is what its reader's own schema says.

    Args:
        schema: workflow/schemas/config.schema.yaml, or one that was made from it.
        readers: Names of folders of pairdx/corpus; a dataset's ``reader`` is one of them.
    """
    names = list(readers)
    dataset = schema["$defs"]["dataset"]
    of_reader = [
        {
            "if": {"properties": {"reader": {"const": name}}, "required": ["reader"]},
            "then": {"properties": {"source": read_yaml(schema_file("corpus", name))}},
        }
        for name in names
    ]
    known = {"reader": names, "task": tasks()}
    dataset = {
        **dataset,
        "properties": {
            **dataset["properties"],
            **{key: {**dataset["properties"][key], "enum": known[key]} for key in known},
        },
        "allOf": [*dataset.get("allOf", ()), *of_reader],
    }
    return {**schema, "$defs": {**schema["$defs"], "dataset": dataset}}


def tasks() -> list[str]:
    """Name the folders of pairdx/tasks."""
    return sorted(path.parent.name for path in (SCRIPTS / "pairdx/tasks").glob("*/analyses.py"))
