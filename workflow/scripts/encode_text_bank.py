"""Compute the features of a bank's texts with one frozen encoder."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.logs import job_log
from pairdx.models.frozen_encoder import encode_texts, load_encoder
from pairdx.models.inputs import resources
from pairdx.models.text_features import write_text_features
from pairdx.pairing.bank import read_texts

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the features, row i for row i of the texts."""
    params, source = snakemake.params, snakemake.input
    with job_log(snakemake.log[0]) as log:
        texts = read_texts(source.texts)
        encoder = load_encoder(params.settings, resources(dict(source.items())), params.seed)
        features = encode_texts(
            encoder,
            texts["text_id"].tolist(),
            texts["text"].tolist(),
            batch_size=params.batch_size,
            device=params.device,
            threads=snakemake.threads,
        )
        write_text_features(Path(snakemake.output.features), features)
        log.info(
            "%d texts, %d numbers each; %.1f s; %.1f %% of the texts are cut",
            *(*features.texts.shape, features.seconds, 100 * features.cut),
        )


main()
