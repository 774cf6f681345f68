"""Time one system on the CPU, from image file and caption to label, singly and in batches."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pairdx.errors import PairDxError
from pairdx.evaluation.timing import time_classifier
from pairdx.files import write_json
from pairdx.images import apply_edit, decode
from pairdx.logs import job_log
from pairdx.models.inputs import resources
from pairdx.models.registry import load_or_build
from pairdx.ordering import seeded_rank
from pairdx.packing import encoded_images
from pairdx.plan.descriptions import families
from pairdx.squaring import fit_to_square

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def chosen_pairs() -> pd.DataFrame:
    """Choose the test pairs to time, the same for every system."""
    pairs = pd.read_parquet(snakemake.input.pairs)
    split = pd.read_parquet(snakemake.input.split)
    test = pairs[pairs["pair_id"].isin(split.loc[split["subset"] == "test", "pair_id"])]
    order = seeded_rank(test["pair_id"], 0, "timing").set_axis(test.index).sort_values().index
    return test.loc[order[: snakemake.params.timing["images"]]]


def square(content: bytes, edit: str) -> np.ndarray:
    """Make the square that a classifier reads of an image file's bytes: uint8 (S, S, 3)."""
    image = decode(content)
    if isinstance(image, str):
        raise PairDxError(f"an image chosen for timing cannot be read ({image})")
    params = snakemake.params
    return fit_to_square(apply_edit(image, edit), params.image_size, params.squaring)


def exported(classifier: Any, pairs: pd.DataFrame, contents: list[bytes]) -> dict[str, Any]:
    """Return the system in ONNX Runtime, if that is to be timed and its family can be exported.

    It must give the pairs to be timed the classes that the system itself gives them.
    """
    params = snakemake.params
    if not params.timing["onnx"] or not families()[params.family].EXPORTED:
        return {}
    # PyTorch, which systems without a network do not load.
    from pairdx.models.exported import RUNTIME, export_classifier

    images = np.stack(list(map(square, contents, pairs["image_edit"])))
    captions, threads = pairs["caption"].tolist(), snakemake.threads
    options = {"images": images, "captions": captions, "threads": threads}
    return {RUNTIME: export_classifier(classifier, params.family, **options)}


def main() -> None:
    """Read the images' bytes into memory, then time."""
    params, source = snakemake.params, snakemake.input
    with job_log(snakemake.log[0]) as log:
        files = resources(dict(source.items()))
        classifier = load_or_build(source.get("settings"), params.untrained, params.classes, files)
        pairs = chosen_pairs()
        archives = dict(zip(params.archives, map(Path, source.archives), strict=True))
        encoded = dict(encoded_images(pairs, archives))
        contents = [encoded[row] for row in pairs.index]
        timing = time_classifier(
            classifier,
            contents,
            pairs["caption"].tolist(),
            pairs["image_edit"].tolist(),
            reads=params.reads,
            image_size=params.image_size,
            preprocess=partial(fit_to_square, squaring=params.squaring),
            threads=snakemake.threads,
            warm_up=params.timing["warm_up"],
            batch_sizes=params.timing["batch_sizes"],
            runtime=families()[params.family].RUNTIME,
            exported=exported(classifier, pairs, contents),
        )
        log.info("%(p50).4f s per image (median), %(p95).4f s (95 %%)", timing)
        write_json(snakemake.output.timing, timing)


main()
