"""Download one file from an address, verified."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.fetching import choose_checksum, download
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Download the one output."""
    params = snakemake.params
    with job_log(snakemake.log[0]):
        download(
            params.source["url"],
            Path(snakemake.output[0]),
            expected=choose_checksum(params.source["checksum"], None),
            config_key=params.config_key,
        )


main()
