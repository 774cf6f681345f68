"""Unpack a gzipped file of images once: rows of it are read in any order."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.fetching import unpack_gzip
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the one file, whole or not at all."""
    with job_log(snakemake.log[0]) as log:
        size = unpack_gzip(Path(snakemake.input.gzipped), Path(snakemake.output.images))
        log.info("%d bytes unpacked", size)


main()
