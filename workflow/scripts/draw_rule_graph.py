"""Draw the rule graph of this workflow and configuration (in place of the paper's Figure 1)."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.errors import PairDxError
from pairdx.logs import job_log
from pairdx.reporting.rule_graph import draw_rule_graph, read_rule_graph
from pairdx.reporting.theme import save

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def rule_graph_in_dot() -> str:
    """Ask Snakemake for the rule graph of the target ``all``, in the DOT language.

    The whole configuration is read here and is no parameter: most of it decides nothing about it.
    """
    own = {
        name: entry
        for name, entry in snakemake.config["models"].items()
        if "candidate_of" not in entry  # of the learning-rate search, which is no part of `all`
    }
    content = snakemake.config | {"models": own, "learning_rate_search": None}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.json")
        config.write_text(json.dumps(content), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "all", "--rulegraph", "dot", "--nolock"]
        command += ["--quiet", "all", "--snakefile", snakemake.input.snakefile]
        done = subprocess.run(  # noqa: S603 - a fixed command
            [*command, "--configfile", str(config)],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    if done.returncode:
        raise PairDxError(f"Snakemake could not draw its rule graph:\n{done.stderr}")
    return done.stdout


def main() -> None:
    """Draw the graph with its phases as columns."""
    with job_log(snakemake.log[0]):
        graph = read_rule_graph(rule_graph_in_dot(), [Path(path) for path in snakemake.input.rules])
        figure = draw_rule_graph(graph, title="The rules of the workflow and what they pass on")
        save(figure, snakemake.output.svg, snakemake.output.png)


main()
