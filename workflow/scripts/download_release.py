"""Download every file of the published PairDx, verified, and list what came."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.fetching import download_all, zenodo_listing
from pairdx.files import sha256_of, write_json
from pairdx.logs import job_log
from pairdx.plan.outside import keys_instead_of_record

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Download beside the manifest; the files are not outputs, so that a retry keeps them."""
    config, manifest = snakemake.config["downloads"], Path(snakemake.output.manifest)
    record, pinned = snakemake.wildcards.record, config["release"]["checksums"]
    key = keys_instead_of_record(snakemake.config, record)
    with job_log(snakemake.log[0]):
        listing = zenodo_listing(record, base_url=config["zenodo"], config_key=key)
        files = download_all(listing, manifest.parent, pinned=pinned, config_key=key)
        write_json(manifest, {name: sha256_of(path) for name, path in files.items()})


main()
