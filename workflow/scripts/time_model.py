"""Time one system on the CPU, from image file and caption to label, singly and in batches."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pairdx.evaluation.timing import time_classifier
from pairdx.files import write_json
from pairdx.logs import job_log
from pairdx.models.inputs import resources
from pairdx.models.registry import load_or_build
from pairdx.ordering import seeded_rank
from pairdx.packing import encoded_images

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def chosen_pairs() -> pd.DataFrame:
    """Choose the test pairs to time, the same for every system."""
    pairs = pd.read_parquet(snakemake.input.pairs)
    split = pd.read_parquet(snakemake.input.split)
    test = pairs[pairs["pair_id"].isin(split.loc[split["subset"] == "test", "pair_id"])]
    order = seeded_rank(test["pair_id"], 0, "timing").set_axis(test.index).sort_values().index
    return test.loc[order[: snakemake.params.timing["images"]]]


def exported(classifier: Any) -> dict[str, Any]:
    """Return the system in ONNX Runtime, if that is to be timed and its family can be exported."""
    params = snakemake.params
    if not params.timing["onnx"] or not hasattr(classifier, "network"):
        return {}
    # PyTorch, which systems without a network do not load.
    from pairdx.models.exported import GRAPHS, RUNTIME, export_classifier

    if params.family not in GRAPHS:
        return {}
    size, threads = params.image_size, snakemake.threads
    return {RUNTIME: export_classifier(classifier, params.family, image_size=size, threads=threads)}


def main() -> None:
    """Read the images' bytes into memory, then time."""
    params, source = snakemake.params, snakemake.input
    with job_log(snakemake.log[0]) as log:
        files = resources(dict(source.items()))
        classifier = load_or_build(source.get("settings"), params.untrained, params.classes, files)
        pairs = chosen_pairs()
        archives = dict(zip(params.archives, map(Path, source.archives), strict=True))
        encoded = dict(encoded_images(pairs, archives))
        timing = time_classifier(
            classifier,
            [encoded[row] for row in pairs.index],
            pairs["caption"].tolist(),
            pairs["image_edit"].tolist(),
            reads=params.reads,
            image_size=params.image_size,
            threads=snakemake.threads,
            warm_up=params.timing["warm_up"],
            batch_sizes=params.timing["batch_sizes"],
            runtime="scikit-learn" if params.family == "linear" else "PyTorch",
            exported=exported(classifier),
        )
        log.info("%(p50).4f s per image (median), %(p95).4f s (95 %%)", timing)
        write_json(snakemake.output.timing, timing)


main()
