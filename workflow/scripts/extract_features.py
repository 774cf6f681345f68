"""Compute the features of all curated pairs with one frozen encoder."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.logs import job_log
from pairdx.models.features import write_features
from pairdx.models.frozen_encoder import extract_features, load_encoder
from pairdx.models.inputs import resources
from pairdx.packed_images import open_packed

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write image and caption features, row i for row i of the pairs."""
    params, source = snakemake.params, snakemake.input
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(source.pairs, columns=["pair_id", "caption"])
        names = pairs["pair_id"].tolist()
        encoder = load_encoder(params.settings, resources(dict(source.items())), params.seed)
        features = extract_features(
            encoder,
            names,
            open_packed(source.images).of_pairs(names),
            pairs["caption"].tolist(),
            batch_size=params.batch_size,
            device=params.device,
            threads=snakemake.threads,
        )
        write_features(Path(snakemake.output.features), features)
        log.info(
            "%d pairs, %d numbers each; %.1f s for images, %.1f s for captions",
            *features.image.shape,
            *features.seconds.values(),
        )


main()
