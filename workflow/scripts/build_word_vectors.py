"""Write the word vectors of the vocabulary in use as a plain matrix."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import write_json
from pairdx.logs import job_log
from pairdx.sealed_tensors import write_tensors
from pairdx.word_vectors import glove_vectors
from pairdx.words import out_of_vocabulary_rate, random_word_vectors, word_counts

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

# A share of words without a vector above which the vectors are hardly those of this language.
MANY_UNKNOWN = 0.5


def main() -> None:
    """Read GloVe, or draw random stand-ins, for the words of the captions."""
    settings = snakemake.params.settings
    with job_log(snakemake.log[0]) as log:
        captions = pd.read_parquet(snakemake.input.pairs)["caption"]
        counts = word_counts(captions)
        frequent = counts[counts >= settings["min_count"]]
        if settings["source"] == "glove":
            path = Path(snakemake.input.glove)
            words, matrix = glove_vectors(path, frequent, settings["dimension"])
        else:
            words = list(frequent.index)
            matrix = random_word_vectors(words, settings["dimension"], settings["seed"])
        rate = out_of_vocabulary_rate(counts, words)
        log.info("%d words; %.2f %% of all tokens are out of vocabulary", len(words), 100 * rate)
        if rate > MANY_UNKNOWN:
            log.warning("most words have no vector, and a system that reads captions reads little")
        write_tensors(snakemake.output.vectors, {"vectors": matrix})
        facts = {"source": settings["source"], "out_of_vocabulary_rate": rate, "words": words}
        write_json(snakemake.output.vocabulary, facts)


main()
