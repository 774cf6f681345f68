"""Every command of the README, and of the pages for users, works as it is written."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

from plans import Of, demo_with

from .conftest import REAL_CORPUS, REPOSITORY, Workflow

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]

PAGES = ("README.md", "config/README.md", *(f"docs/{name}.md" for name in ("cluster", "outputs")))
PAGES += ("docs/installation.md", "docs/targets.md")
TEXTS = {page: (REPOSITORY / page).read_text(encoding="utf-8") for page in PAGES}
COMMANDS = list(
    dict.fromkeys(
        line.strip()
        for text in TEXTS.values()
        for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    )
)
# Three trainings; test_search_run.py makes this search for real, of fewer epochs.
LONG = "learning_rate_search"
# An overlay that config/README.md shows, and then names.
OWN_OVERLAY = "config/my_corpus.yaml"
# The template, and where it looks for documents; a dry run asks only whether they are there.
TEMPLATE, DOCUMENTS = "config/my_documents.yaml", "my_documents"


def own_overlay() -> str:
    """Return what config/README.md shows of it."""
    (content,) = re.findall(
        rf"```yaml\n# {OWN_OVERLAY}\n(.*?)```", TEXTS["config/README.md"], re.DOTALL
    )
    return content


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) >= 8
    assert all(shlex.split(command)[0] in ("make", "snakemake") for command in COMMANDS)


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("snakemake")])
def test_snakemake_commands_of_the_readme(demo: Workflow, command: str) -> None:
    """On the demo they run for real, but for LONG; on the full experiment or a cluster, dry."""
    words = shlex.split(command)[1:]
    if OWN_OVERLAY in words:
        if not REAL_CORPUS:
            pytest.skip("PAIRDX_REAL_DATA names no folder")
        content = own_overlay().replace("path: my_corpus", f"path: {REAL_CORPUS}")
        (demo.folder / OWN_OVERLAY).write_text(content, encoding="utf-8")
        words.append("-n")
    elif TEMPLATE in words:
        (demo.folder / DOCUMENTS / "images").mkdir(parents=True, exist_ok=True)
        (demo.folder / DOCUMENTS / "documents.csv").write_text("file,label\n", encoding="utf-8")
        words.append("-n")
    elif "config/demo.yaml" not in words or words[0] == LONG:
        words.append("-n")
    demo.snakemake(*words)


def test_the_overlay_that_the_readme_shows_is_a_valid_one() -> None:
    """Over the demo's, as in the command below it."""
    plan = demo_with(own_overlay())
    assert list(plan.datasets) == ["multicare"]
    assert plan.stores(Of(dataset="multicare"))[0] == "my_corpus/PMC1.zip"


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make")])
def test_make_commands_of_the_readme_name_targets(command: str) -> None:
    """The demo and the tests cannot run within the tests: their recipes are only read."""
    words = shlex.split(command)
    done = subprocess.run(
        [words[0], "-n", *words[1:]],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
