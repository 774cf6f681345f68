"""Look at the machine that this job runs on, for the cluster check; missing things are findings."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.cluster.findings import worst_first
from pairdx.cluster.node import Task, examine
from pairdx.cluster.requests import request_findings, spelling_findings
from pairdx.cluster.slurm import partitions
from pairdx.cluster.storage import held_file, shared_folder
from pairdx.files import read_json, write_json
from pairdx.logs import job_log, logger

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def task() -> Task:
    """What to look at here, and what was found elsewhere before."""
    params = snakemake.params
    place = Path(snakemake.output.facts).stem
    shared = shared_folder(params.state, snakemake.wildcards.checked)
    login = snakemake.input.get("login")
    return Task(
        place=place,
        threads=snakemake.threads,
        pins=Path(snakemake.input.environment),
        lock=Path(snakemake.input.lock),
        torch=place != "login",
        folders=[*params.folders, params.state],
        state=Path(params.state),
        shared=shared,
        login=read_json(login) if login else None,
        beside=[] if place == "login" else [name for name in params.jobs if name != place],
        held=None if place == "login" else held_file(shared),
        files=params.files,
        addresses=params.addresses,
    )


def announce() -> dict[str, object]:
    """On the login node: say what comes, and judge the rules' requests before a job is sent."""
    params = snakemake.params
    offered, error = partitions()
    if error:
        logger.info("no SLURM here (%s): the check runs without a cluster", error)
        return {"partitions_error": error, "requests": []}
    findings = request_findings(params.requests, offered)
    if params.gpu:
        findings += spelling_findings(params.requests, params.gpu_rules)
    for finding in worst_first(findings):
        logger.info("%s", finding.sentence())
    logger.info(
        "next: a CPU job%s. While they wait, their reason is shown here; `squeue --user=$USER` "
        "shows it too. If SLURM refuses one, its message is shown below; the lines to change are "
        "those of check_cpu_node and check_gpu_node in the profile.",
        " and a GPU job" if params.gpu else " (no GPU job, because of device: cpu)",
    )
    return {"partitions_error": "", "requests": [vars(finding) for finding in findings]}


def main() -> None:
    """Write the facts of this machine."""
    with job_log(snakemake.log[0]):
        facts = examine(task())
        if facts["place"] == "login":
            facts |= announce()
        write_json(snakemake.output.facts, facts)


main()
