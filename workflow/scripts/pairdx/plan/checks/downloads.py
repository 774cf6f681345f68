"""Names of files that no source has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.plan.validation import similar


def problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Say which checksums of pretrained weights are of files that are not downloaded."""
    for name, source in config["downloads"]["weights"].items():
        files = [*source.get("files", ()), *source.get("text_tower", {}).get("files", ())]
        for file in source.get("checksums", ()):
            if file not in files:
                yield (
                    f"config key downloads.weights.{name}.checksums: {file} is not among its files "
                    f"({', '.join(files)}){similar(file, files)}"
                )
