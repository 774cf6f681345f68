"""What a job imports: nothing heavy that it does not use.

The packages below take 0.1 to 6 CPU seconds to import, and there are many jobs. Each script stands
in the table with those that its job imports before its first line runs; so does each family of
systems, which is imported only when a job asks for it. What is imported within a function is not
seen here (tests/learning/test_imports_at_work.py looks at that).
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from pairdx.plan.code import SCRIPTS

HEAVY = (
    *("gensim", "kornia", "matplotlib", "mlcroissant", "onnxruntime", "open_clip", "pandas"),
    *("peft", "requests", "scipy.optimize", "scipy.sparse", "scipy.special", "scipy.stats"),
    *("seaborn", "sklearn", "torch", "torchvision", "transformers"),
)
# What the library imports by name; seaborn and scikit-learn bring scipy.stats, open_clip brings
# torchvision, timm and transformers, torchvision brings PyTorch's compiler.
SCRIPTS_WITH = {
    "": "check_node classify_shard conclude_cluster_check join_shards report_cluster_check "
    "print_checks watch_cluster_check write_configuration",
    "requests": "download_hub_file download_record download_release download_url extract_glove "
    "unpack_pcam",
    "pandas": "build_word_vectors describe_texts draw_corpus archive_dataset pair_texts "
    "read_text_bank "
    "check_documents export_review_sheet ingest_tables inspect_archive list_deployed pack_images "
    # The last four import the family of the system that they are asked for.
    "pack_out_of_distribution write_datasheet predict_elsewhere probe_inputs time_system "
    "train_model",
    "pandas scipy.special": "compare_competition list_discrepancies predict price_leakage",
    "pandas scipy.sparse": "curate_pairs",
    "pandas scipy.optimize scipy.sparse": "make_split",
    "matplotlib": "draw_rule_graph",
    "matplotlib pandas scipy.special": "compare_findings compare_findings_of_dataset "
    "compare_grids report_findings",
    "matplotlib pandas": "choose_learning_rate compare_input_probes compare_systems describe_cost "
    "describe_curation describe_dataset describe_pairings",
    "matplotlib pandas scipy.special scipy.stats seaborn": "compare_predictions",
    "matplotlib pandas scipy.optimize scipy.special": "assess_confidence",
    "matplotlib pandas scipy.optimize scipy.sparse scipy.special": "compare_tested_on",
    "matplotlib pandas seaborn": "report_system",
    "mlcroissant pandas": "write_croissant",
    "matplotlib pandas seaborn torch": "explain_systems",
    "open_clip pandas torch": "price_inference extract_features encode_text_bank",
    "pandas torch": "train_text_classifier",
    "pandas scipy.optimize scipy.special torch": "deploy_system",
}
MODULES_WITH = {
    "": "clip/description fusion/description linear/description linear_probe/description",
    "pandas": "linear/system training_job",
    "pandas sklearn": "linear_probe/system",
    "torch": "fusion/graph clip/graph clip_it/library",
    "pandas torch": "fusion/system fusion/explanation exported",
    "pandas torch torchvision": "fusion/images fusion/library",
    "open_clip pandas torch": "clip/system clip/explanation clip/prompting frozen_encoder",
    "open_clip torch": "clip/library",
}
# Found in no process that needs only what its script names: they come with something else.
WITH_OTHERS = ("scipy", "sklearn", "seaborn", "torch", "IPython", "matplotlib.pyplot")
EXECUTE_HEADS = """
import ast, json, sys
scripts, looked_for = json.loads(sys.argv[1])
found = {}
for script in scripts:
    with open(script, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    heads = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    exec(compile(ast.Module(heads, []), script, "exec"), {})
    found[script] = sorted(set(looked_for) & set(sys.modules))
    if found[script]:
        break
print(json.dumps(found))
"""


def by_name(table: dict[str, str]) -> dict[str, set[str]]:
    return {name: set(heavy.split()) for heavy, names in table.items() for name in names.split()}


@cache
def imported_at_head(path: Path) -> frozenset[str]:
    """Every module that a file names in an import at its head, and what it takes of it."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def library_files(module: str) -> set[Path]:
    """The files that importing a module executes: itself and the ``__init__`` of its packages."""
    parts = module.split(".")
    steps = [SCRIPTS.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    paths = {path for step in steps for path in (step.with_suffix(".py"), step / "__init__.py")}
    return {path for path in paths if path.is_file()}


def heavy_imports(start: Path) -> set[str]:
    """The heavy packages that a file imports at its head, itself or through the library."""
    waiting, seen, named = {start}, set(), set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for module in imported_at_head(path):
            if module.split(".")[0] == "pairdx":
                waiting |= library_files(module) - seen
            else:
                named.add(module)
    return {
        heavy for heavy in HEAVY for name in named if name == heavy or name.startswith(f"{heavy}.")
    }


def test_every_script_imports_what_the_table_says_and_nothing_else_that_is_heavy() -> None:
    """A script that is not in the table fails too: think of what its job needs, then add it."""
    found = {path.stem: heavy_imports(path) for path in SCRIPTS.glob("*.py")}
    assert found == by_name(SCRIPTS_WITH)


@pytest.mark.parametrize(("module", "heavy"), by_name(MODULES_WITH).items())
def test_a_system_brings_what_its_family_needs(module: str, heavy: set[str]) -> None:
    """Heads alone: LoRA's peft, kornia and ONNX, say, are imported where they are used."""
    assert heavy_imports(SCRIPTS / "pairdx/models" / f"{module}.py") == heavy


DEPLOYMENT = SCRIPTS / "pairdx/deployment"
RUNTIME = sorted([*DEPLOYMENT.glob("*.py"), *DEPLOYMENT.glob("page/*.py")])


@pytest.mark.parametrize("path", RUNTIME, ids=[path.stem for path in RUNTIME])
def test_what_uses_deployed_systems_imports_nothing_heavy(path: Path) -> None:
    """There is no torch and no pandas where they are used; runtimes are loaded by what runs."""
    assert heavy_imports(path) == set()
    assert "pairdx.deployment.export" not in imported_at_head(path)


def test_tables_and_plain_figures_bring_nothing_else_with_them() -> None:
    """What the packages that these scripts name import themselves, seen in a fresh interpreter."""
    light = {"matplotlib", "pandas", "requests"}
    scripts = [name for name, heavy in by_name(SCRIPTS_WITH).items() if heavy <= light]
    task = [[str(SCRIPTS / f"{name}.py") for name in scripts], WITH_OTHERS]
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE_HEADS, json.dumps(task)],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {Path(name).stem: brought for name, brought in found.items() if brought} == {}
    assert len(found) == len(scripts) > 20
