"""Read a dataset's tables by its reader and run the screens that need no image."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.corpus import findings, labels
from pairdx.curation.outcomes import reasons_in_words
from pairdx.curation.tables import screen_tables
from pairdx.files import write_json, write_table
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the candidates that are left, those rejected, and what there is to say of the table."""
    params = snakemake.params
    tables = {name: Path(path) for name, path in snakemake.input.items()}
    reading = import_module(f"pairdx.corpus.{params.reader}.reading")
    with job_log(snakemake.log[0]) as log:
        candidates = reading.read(tables, params.source)
        as_read = candidates.attrs.pop("as_read", {})
        log.info("%d candidates, read as %s", len(candidates), params.reader)
        vocabulary = candidates.attrs.pop("vocabulary", None)
        classes, others = params.settings["classes"], params.settings["out_of_distribution"]
        if params.several:
            settled = findings.settle(
                *(candidates, classes, vocabulary), labelled="labels" not in params.lacks
            )
            candidates, stated = settled.candidates, settled.candidates["label"]
            as_read = {**as_read, "spellings": settled.counts.to_dict(orient="records")}
            as_read["findings_left_out"] = settled.dropped
        else:
            stated = candidates["label"]
            candidates["label"] = labels.matched(stated, [*classes, *others])
            labels.require_classes(candidates["label"], classes, others)
        counts = labels.counted(stated, candidates["label"])
        screening = screen_tables(
            *(candidates, params.settings),
            subset=params.subset,
            seed=params.seed,
            lacks=params.lacks,
            needs_subset=params.needs_subset,
        )
        log.info("%d rejected, %d left", len(screening.rejected), len(screening.candidates))
        why = reasons_in_words(screening.rejected) or "none"
        log.info("rejected (number stage/reason): %s", why)
        write_table(snakemake.output.candidates, screening.candidates)
        write_table(snakemake.output.rejected, screening.rejected)
        write_table(snakemake.output.counts, counts)
        write_json(snakemake.output.as_read, as_read)


main()
