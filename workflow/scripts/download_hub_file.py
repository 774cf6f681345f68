"""Download one file of a model-hub repository, verified."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.fetching import download_all, hub_listing, select_files
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Find the file in the repository's listing and download it."""
    name, target = snakemake.wildcards.name, Path(snakemake.output[0])
    config, source = snakemake.config["downloads"], snakemake.params.source
    key = f"downloads.weights.{name}.path"
    entry = config["weights"][name]
    pinned = entry.get("checksums") or {target.name: entry.get("checksum")}
    with job_log(snakemake.log[0]):
        repo, revision = source["repo"], source["revision"]
        listing = hub_listing(repo, revision, base_url=config["hub"], config_key=key)
        where = f"{repo} at {revision}"
        wanted = select_files(listing, [target.name], where=where, config_key=key)
        download_all(wanted, target.parent, pinned=pinned, config_key=key)


main()
