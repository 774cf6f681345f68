"""What every rule asks of a cluster, through the profile in use: for the cluster check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pairdx.plan.plan import NOTHING, Plan

# What of a rule's resources decides where its jobs can run.
REQUESTED = [
    *("runtime", "mem_mb", "gpu", "gpu_model", "gres"),
    *("slurm_partition", "slurm_account", "qos", "constraint"),
]


def jobs_of_check(plan: Plan) -> list[str]:
    """Name the machines that jobs are sent to; the login node is looked at before."""
    return ["cpu", "gpu"] if plan.config["device"] == "cuda" else ["cpu"]


def gpu_rules(plan: Plan) -> list[str]:
    """Name the rules that run on GPUs under this configuration, without the check's own."""
    needed = {
        "train_on_gpu": plan.trained_on("cuda"),
        "extract_features_on_gpu": plan.encoders("cuda"),
        "encode_text_bank_on_gpu": plan.privileged.encoders("cuda"),
    }
    return [name for name, systems in needed.items() if systems]


def requests_of_rules(
    plan: Plan, rules: Iterable[Any], wildcards: Callable[[Mapping[str, str]], Any]
) -> dict[str, list[dict[str, Any]]]:
    """Return what each attempt of the rules that become jobs of a cluster asks for, by rule.

    Those state a runtime; rules that never run are left out. Attempts are the first one and the
    retries, of the profile or of the rule itself.

    Args:
        plan: Whose systems are trained.
        rules: Snakemake's rules, with the profile's resources in place.
        wildcards: Makes Snakemake's wildcards of names and values.
    """
    asking = {
        one.name: one
        for one in rules
        if "runtime" in one.resources and NOTHING not in one.wildcard_constraints.values()
    }
    names = plan.trained_on("cuda") or [system.name for system in plan.enabled]
    most = max(names, key=lambda name: plan.systems[name].gpus)
    example = wildcards({"dataset": next(iter(plan.datasets)), "system": most})
    return {
        name: [_request(one, example, 1 + retry) for retry in range(one.restart_times + 1)]
        for name, one in asking.items()
    }


def _request(asking: Any, wildcards: Any, attempt: int) -> dict[str, Any]:
    """Return what one attempt asks for; of systems trained on GPUs, the one that takes most."""
    resources = asking.expand_resources(wildcards, [], attempt)
    asked = {key: resources.get(key) for key in REQUESTED}
    return asked | {"threads": resources["_cores"]}
