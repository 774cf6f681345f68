"""Download one file from an address, verified."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.fetching import choose_checksum, download
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Download the one output from where its entry under ``downloads`` says."""
    keys = snakemake.params.key.split("/")
    source = snakemake.config["downloads"]
    for key in keys:
        source = source[key]
    with job_log(snakemake.log[0]):
        download(
            source["url"],
            Path(snakemake.output[0]),
            expected=choose_checksum(source["checksum"], None),
            config_key=".".join(["downloads", *keys, "path"]),
        )


main()
