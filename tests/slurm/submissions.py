"""What a run asked of SLURM, as the accounting keeps it, and what it is to ask."""

from __future__ import annotations

import re

import pandas as pd

from slurm.cluster import SlurmCluster, until

COLUMNS = ["JobID", "Comment", "State", "Partition", "Account", "AllocTRES", "SubmitLine"]

# Of every job of the demo, by rule: partition, GPUs, CPUs, megabytes, minutes.
Request = tuple[str, int, int, int, int]
TABLE: Request = ("cpu", 0, 1, 4000, 30)
OF_PREDICTIONS: Request = ("cpu", 0, 1, 4000, 60)
SMALL: Request = ("cpu", 0, 1, 2000, 20)
NETWORK: Request = ("cpu", 0, 4, 8000, 240)
ASKED_FOR: dict[str, Request] = {
    "draw_corpus": SMALL,
    "ingest_tables": ("cpu", 0, 1, 8000, 30),
    "inspect_archive": ("cpu", 0, 1, 4000, 120),
    "curate_pairs": ("cpu", 0, 1, 8000, 30),
    "make_split": TABLE,
    "pack_images": ("cpu", 0, 1, 8000, 120),
    "pack_out_of_distribution": ("cpu", 0, 1, 8000, 60),
    "build_word_vectors": ("cpu", 0, 1, 8000, 60),
    "train_on_cpu": ("a100", 1, 2, 16000, 240),  # the GPU is the test cluster's, see runs.py
    "predict": NETWORK,
    "predict_untrained": NETWORK,
    "extract_features_on_cpu": ("cpu", 0, 4, 16000, 240),
    "read_text_bank": ("cpu", 0, 1, 8000, 30),
    "encode_text_bank_on_cpu": ("cpu", 0, 4, 16000, 240),
    "pair_texts": ("cpu", 0, 4, 8000, 60),
    "train_text_classifier": ("cpu", 0, 1, 8000, 120),
    "describe_pairings": ("cpu", 0, 1, 8000, 60),
    "compare_grids": ("cpu", 0, 1, 8000, 60),
    "price_inference": ("cpu", 0, 1, 16000, 60),
    "probe_inputs": ("cpu", 0, 4, 8000, 240),
    "time_system": ("cpu", 0, 1, 8000, 60),
    "explain_systems": ("cpu", 0, 1, 8000, 60),
    "report_system": OF_PREDICTIONS,
    "report_baseline": OF_PREDICTIONS,
    "compare_predictions": OF_PREDICTIONS,
    "assess_confidence": OF_PREDICTIONS,
    "describe_cost": SMALL,
    "write_datasheet": ("cpu", 0, 1, 4000, 20),
    "check_documents_of_dataset": ("cpu", 0, 1, 4000, 20),
    **dict.fromkeys(("describe_curation", "describe_dataset", "describe_texts"), TABLE),
    **dict.fromkeys(("compare_systems", "compare_input_probes", "list_discrepancies"), TABLE),
}


def submitted_jobs(cluster: SlurmCluster, output: str) -> pd.DataFrame:
    """Return what the accounting holds of one run of Snakemake, a row per SLURM job.

    Args:
        cluster: Where it ran, to its end.
        output: What Snakemake printed.

    Returns:
        The columns above, all text, and ``name``: the job's rule.

    Raises:
        TimeoutError: A job is not COMPLETED in the accounting.
    """
    run = re.search(r"SLURM run ID: (\S+)", output)
    assert run

    def rows() -> list[list[str]]:
        return cluster.accounted(f"--name={run[1]}", columns=",".join(COLUMNS))

    until(lambda: {row[2] for row in rows()} == {"COMPLETED"}, "all jobs in sacct", 30)
    jobs = pd.DataFrame(rows(), columns=COLUMNS)
    jobs["name"] = jobs["Comment"].str.extract(r"^rule_(.+?)(?:_wildcards_.*)?$")
    return jobs
