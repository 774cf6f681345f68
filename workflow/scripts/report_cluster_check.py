"""Write the cluster check's report, and print it."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.cluster.findings import Finding
from pairdx.cluster.report import as_page, as_text, conclusion, machine_rows
from pairdx.cluster.storage import shared_folder, tokens_seen
from pairdx.cluster.verdicts import absent, findings_of
from pairdx.files import read_json, write_json, written_whole
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def findings(places: dict[str, dict], waited: dict[str, str]) -> list[Finding]:
    """Judge every machine, and what rules ask for if these jobs were SLURM's."""
    login = places["login"]
    tokens = {name: facts["token"] for name, facts in places.items() if name != "login"}
    login["seen"] = tokens_seen(tokens)
    found = [finding for facts in places.values() for finding in findings_of(facts, places)]
    missing = [place for place in waited if place not in places]
    found += [absent(place, f"check_{place}_node", waited[place]) for place in missing]
    if missing or any(facts["slurm"] for facts in places.values()):
        found += [Finding(**finding) for finding in login["requests"]]
    return found


def main() -> None:
    """Write report and findings; whether they are good news is the next rule's business."""
    params = snakemake.params
    with job_log(snakemake.log[0]) as log:
        waited = read_json(snakemake.input.waited)
        # A job that failed has left none: the report says so.
        login = Path(snakemake.input.login)
        files = [login, *(login.with_name(f"{name}.json") for name in waited)]
        places = {path.stem: read_json(path) for path in files if path.is_file()}
        found = findings(places, waited)
        notes = [] if "gpu" in waited else [f"A GPU was not asked for (device: {params.device})."]
        rows = machine_rows(places, waited)
        title = f"Cluster check of run {params.run}, {places['login']['time']}"
        with written_whole(snakemake.output.report) as aside:
            aside.write_text(as_page(title, rows, found, notes), encoding="utf-8")
        write_json(snakemake.output.findings, [vars(finding) for finding in found])
        log.info("%s\n\n%s\n\n%s\n", title, as_text(rows, found), conclusion(found, notes))
        log.info("report: %s", snakemake.output.report)
        shutil.rmtree(shared_folder(params.state, snakemake.wildcards.checked), ignore_errors=True)


main()
