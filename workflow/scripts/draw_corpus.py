"""Draw a corpus in MultiCaRe's raw layout."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.corpus.drawn.drawing import draw_corpus
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Draw into the folder of the outputs."""
    params = snakemake.params
    with job_log(snakemake.log[0]) as log:
        folder = Path(snakemake.output.manifest).parent
        draw_corpus(folder, seed=params.seed, cases=params.cases, archives=params.archives)
        log.info("corpus of %d cases in %s", params.cases, folder)


main()
