"""What is asked of SLURM for a training on a GPU: the sbatch line, as the accounting keeps it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from slurm.cluster import until
from slurm.runs import DisturbedRun

pytestmark = [pytest.mark.slurm, pytest.mark.slurm_long]

ON_GPU = "device: cuda\n"
AS_GPU = {"slurm_partition": "a100", "gpu_model": "a100"}  # as the profile has it
AS_GRES = {"slurm_partition": "a100", "gpu": 0, "gres": "gpu:a100:1"}  # as its comment has it


@pytest.mark.parametrize(
    ("system", "wanted", "asked_for"),
    [
        ("as_gpu", AS_GPU, {"--gpus=a100:1", "--cpus-per-task=4"}),
        ("as_gres", AS_GRES, {"--gres=gpu:a100:1"}),
    ],
)
def test_the_papers_training_asks_for_one_a100_in_either_spelling(
    run: DisturbedRun, system: str, wanted: dict[str, Any], asked_for: set[str]
) -> None:
    """Memory, time and CPUs are the rule's, the partition the profile's; the GPU is granted.

    The test cluster's GPUs are counted, not real: the job then ends with an error that says so,
    and never trains on the CPU instead.
    """
    (run.folder / "tiny.yaml").open("a", encoding="utf-8").write(ON_GPU)
    run.start(system, retries=0, train_on_gpu=wanted)
    assert run.finish() != 0
    assert "device: cuda" in run.output
    (job,) = run.jobs(system, "train_on_gpu")
    until(lambda: run.accounted(job, "State") == "FAILED", "the job in sacct", 30)
    line = run.accounted(job, "SubmitLine").split()
    assert asked_for | {"--requeue"} <= set(line)
    options = dict(pairwise(line))
    expected = {"-p": "a100", "--mem": "32000", "-t": "180", "-A": "pairdx"}
    assert {option: options[option] for option in expected} == expected
    assert "--array" not in options
    granted = dict(word.split("=", 1) for word in run.accounted(job, "AllocTRES").split(","))
    assert (granted["gres/gpu:a100"], granted["mem"]) == ("1", "32000M")
    assert run.states(system) == []
