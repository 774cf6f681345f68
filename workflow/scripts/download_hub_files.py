"""Download files of model-hub repositories into one folder, verified."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.fetching import download_all, hub_listing, select_files
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Download the wanted files of each repository."""
    params, folder = snakemake.params, Path(snakemake.output[0]).parent
    with job_log(snakemake.log[0]):
        for source in params.sources:
            where = f"{source['repo']} at {source['revision']}"
            listing = hub_listing(
                source["repo"],
                source["revision"],
                base_url=params.hub,
                config_key=params.config_key,
            )
            wanted = select_files(
                listing, source["files"], where=where, config_key=params.config_key
            )
            download_all(wanted, folder, pinned=params.checksums, config_key=params.config_key)


main()
