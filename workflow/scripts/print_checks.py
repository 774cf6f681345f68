"""Print the checks of all datasets."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Print the texts, and where the pages lie."""
    with job_log(snakemake.log[0]) as log:
        for text, page in zip(snakemake.input.texts, snakemake.input.pages, strict=True):
            log.info("\n%s", Path(text).read_text(encoding="utf-8"))
            log.info("as a page: %s\n", page)


main()
