"""Download one file of a Zenodo record, verified."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.fetching import download_all, select_files, zenodo_listing
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Find the file in the record's listing and download it."""
    params, target = snakemake.params, Path(snakemake.output[0])
    with job_log(snakemake.log[0]):
        listing = zenodo_listing(
            params.record, base_url=params.zenodo, config_key=params.config_key
        )
        wanted = select_files(
            listing,
            [target.name],
            where=f"Zenodo record {params.record}",
            config_key=params.config_key,
        )
        download_all(wanted, target.parent, pinned=params.checksums, config_key=params.config_key)


main()
