"""Read the corpus's tables and run the screens that need no image."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.corpus.multicare import read_candidates
from pairdx.corpus.release import read_release
from pairdx.curation.outcomes import reasons_in_words
from pairdx.curation.tables import screen_tables
from pairdx.files import write_table
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the candidates that are left, and those rejected."""
    source, params = snakemake.input, snakemake.params
    with job_log(snakemake.log[0]) as log:
        if params.corpus == "release":
            candidates = read_release(Path(source.release), params.release)
        else:
            tables = (source.captions, source.cases, source.metadata)
            candidates = read_candidates(*map(Path, tables))
        log.info("%d candidates in the corpus %s", len(candidates), params.corpus)
        counts = candidates["label"].value_counts().rename_axis("label").reset_index(name="rows")
        screening = screen_tables(
            candidates, params.settings, subset=params.subset, seed=params.seed
        )
        log.info("%d rejected, %d left", len(screening.rejected), len(screening.candidates))
        why = reasons_in_words(screening.rejected) or "none"
        log.info("rejected (number stage/reason): %s", why)
        write_table(snakemake.output.candidates, screening.candidates)
        write_table(snakemake.output.rejected, screening.rejected)
        write_table(snakemake.output.counts, counts)


main()
