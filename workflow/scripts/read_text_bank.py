"""Read a bank of texts, clean it, and say what is rejected."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.logs import job_log
from pairdx.pairing.bank import write_bank
from pairdx.pairing.banks import read_bank

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the texts, the rejected ones, and their counts."""
    out, name = snakemake.output, snakemake.wildcards.bank
    with job_log(snakemake.log[0]) as log:
        files = {key: Path(str(path)) for key, path in snakemake.input.items()}
        bank = read_bank(snakemake.params.settings, files, name)
        write_bank(bank, out.texts, out.rejected, out.summary)
        log.info("%s: %s", name, dict(bank.summary))


main()
