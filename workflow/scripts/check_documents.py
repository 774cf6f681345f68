"""Say what there is to know of a dataset's documents before anything trains."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import read_json, written_whole
from pairdx.logs import job_log
from pairdx.reporting.dataset.check import Documents, check
from pairdx.reporting.dataset.curation_tables import read_funnel
from pairdx.reporting.dataset.past_jobs import past_jobs
from pairdx.reporting.format.page import as_page
from pairdx.reporting.format.sections import sections_as_markdown, sections_as_text

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the check as Markdown, as a web page and as text for a terminal."""
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        documents = Documents(
            pd.read_parquet(inputs.pairs),
            pd.read_parquet(inputs.out_of_distribution),
            pd.read_parquet(inputs.rejected),
            read_funnel(inputs.funnel),
            pd.read_parquet(inputs.spellings),
            read_json(inputs.as_read),
            dict(zip(params.facts["splits"], map(pd.read_parquet, inputs.splits), strict=True)),
            [read_json(path) for path in inputs.leakage],
        )
        # Earlier runs lie beside this one; their files are no inputs, and may be missing.
        results = Path(out.check_md).parents[3]
        past = past_jobs(params.facts["jobs"], params.benchmarks, results, params.run)
        sections = check(documents, params.facts, past, snakemake.wildcards.dataset)
        title = f"{params.facts['title']} (run {params.run}): check before training"
        markdown = sections_as_markdown(title, sections)
        texts = {
            out.check_md: markdown,
            out.check_html: as_page(markdown, title=title),
            out.text: sections_as_text(title, sections),
        }
        for path, text in texts.items():
            with written_whole(path) as aside:
                aside.write_text(text, encoding="utf-8")
        log.info("%d pairs checked in %d sections", len(documents.pairs), len(sections))


main()
