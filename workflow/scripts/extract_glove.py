"""Take the GloVe vectors in use out of their archive."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.fetching import extract_member
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Extract the one member."""
    with job_log(snakemake.log[0]):
        extract_member(
            Path(snakemake.input.archive), snakemake.params.member, Path(snakemake.output[0])
        )


main()
