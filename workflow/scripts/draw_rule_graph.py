"""Draw the rule graph of this workflow and configuration."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.errors import PairDxError
from pairdx.logs import job_log
from pairdx.plan.configuration import as_overlay, defaults
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.rule_graph import draw_rule_graph, read_rule_graph

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def rule_graph_in_dot() -> str:
    """Ask Snakemake for the rule graph of the target ``all``, in the DOT language.

    The whole configuration is read here and is no parameter: most of it decides nothing about it.
    """
    root = Path(snakemake.input.snakefile).parent
    content = as_overlay(defaults(root), snakemake.config) | {"learning_rate_search": None}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.json")
        # Snakemake reads it as YAML, which knows no halves of surrogate pairs.
        config.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
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
    """Draw the graph, phase after phase."""
    with job_log(snakemake.log[0]):
        graph = read_rule_graph(rule_graph_in_dot(), Path(snakemake.input.snakefile))
        figure = draw_rule_graph(graph, title="The rules of the workflow and what they pass on")
        save_item(snakemake.output, "rule_graph", figure)


main()
