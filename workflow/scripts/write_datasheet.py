"""Write the datasheet: composition, sources, licences, patients, review, leakage, limits."""

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import read_json, sha256_of, written_whole
from pairdx.logs import job_log
from pairdx.reporting.dataset.curation_tables import read_funnel
from pairdx.reporting.dataset.datasheet import datasheet
from pairdx.reporting.format.page import as_page

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

PACKAGES = ("pandas", "pillow", "imagehash", "phonenumbers")


def versions() -> dict[str, str]:
    """Name what made the dataset: the workflow, Python, packages that decide on pairs."""
    return {
        "Workflow": snakemake.params.version,
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "Table of pairs, SHA-256": sha256_of(snakemake.input.pairs),
    }


def main() -> None:
    """Write the datasheet as Markdown and as a web page."""
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(inputs.pairs)
        text = datasheet(
            pairs,
            pd.read_parquet(inputs.out_of_distribution),
            # Without the column `detail`: it may hold the identifier of a rejected caption.
            pd.read_parquet(inputs.rejected, columns=["stage", "reason"]),
            read_funnel(inputs.funnel),
            dict(zip(params.splits, map(pd.read_parquet, inputs.splits), strict=True)),
            [read_json(path) for path in inputs.leakage],
            params.facts | {"versions": versions()},
        )
        with written_whole(out.datasheet_md) as aside:
            aside.write_text(text, encoding="utf-8")
        with written_whole(out.datasheet_html) as aside:
            aside.write_text(as_page(text, title=params.facts["title"]), encoding="utf-8")
        log.info("%d pairs described in %d lines", len(pairs), text.count("\n"))


main()
