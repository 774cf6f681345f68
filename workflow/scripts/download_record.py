"""Download one file of a record that `downloads` has a section for, verified."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.fetching import download_all, select_files, zenodo_listing
from pairdx.logs import job_log
from pairdx.plan.outside import keys_instead_of_record

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Find the file in the record's listing and download it."""
    config, target = snakemake.config["downloads"], Path(snakemake.output[0])
    record, section = snakemake.wildcards.record, snakemake.wildcards.section
    key = keys_instead_of_record(snakemake.config, record)
    with job_log(snakemake.log[0]):
        listing = zenodo_listing(record, base_url=config["zenodo"], config_key=key)
        where = f"Zenodo record {record}"
        wanted = select_files(listing, [target.name], where=where, config_key=key)
        pinned = config[section]["checksums"]
        download_all(wanted, target.parent, pinned=pinned, config_key=key)


main()
