"""Paths of the configuration that Snakemake would read as something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan.descriptions import paths_of, readers

Config = Mapping[str, Any]


def stated(config: Config) -> dict[str, str]:
    """Return the paths that a completed configuration states, by key; of what is not enabled, too.

    Of a dataset's source these are the keys that its reader calls paths.
    """
    found: dict[str, Any] = {}
    known = readers()
    for name, entry in config["datasets"].items():
        for key in paths_of(known[entry["reader"]]):
            found[f"datasets.{name}.source.{key}"] = entry["source"][key]
        review = f"datasets.{name}.curation.review.decisions"
        found[review] = entry["curation"]["review"]["decisions"]
    for name, source in config["downloads"]["weights"].items():
        found[f"downloads.weights.{name}.path"] = source["path"]
    for name, bank in config["text_banks"].items():
        found[f"text_banks.{name}.path"] = bank.get("path")
        found[f"text_banks.{name}.join.path"] = (bank.get("join") or {}).get("path")
    for name, documents in config["documents_to_classify"].items():
        for key in ("table", "images", "folder"):
            found[f"documents_to_classify.{name}.{key}"] = documents[key]
    found["downloads.glove.path"] = config["downloads"]["glove"]["path"]
    found |= {f"pathvars.{name}": path for name, path in config.get("pathvars", {}).items()}
    return {key: path for key, path in found.items() if path}


def problems(config: Config) -> Iterator[str]:
    """Say which have braces, spaces at their ends, or characters that cannot be seen."""
    for key, path in stated(config).items():
        if {"{", "}"} & set(path):
            yield (
                f"config key {key}: {path} has braces, which Snakemake takes for wildcards: rename "
                "it, or link to it"
            )
        if path != path.strip() or not path.isprintable():
            yield (
                f"config key {key}: {path!r} begins or ends with a space, or has a character that "
                "cannot be seen"
            )
