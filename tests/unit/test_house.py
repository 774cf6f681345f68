"""Rules of the house that a machine can check."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import environments
from pairdx.plan.configuration import complete, defaults
from pairdx.plan.measured import measured_wildcards
from pairdx.plan.schemas import whole_schema
from pairdx.plan.start import plan_of
from rule_files import RULE_FILES, all_rules

REPOSITORY = Path(__file__).parents[2]
SCHEMA = whole_schema(REPOSITORY)
RULES = all_rules()


def keys_of(schema: dict, path: str = "") -> list[tuple[str, dict]]:
    """Every key that the schema declares, with its declaration."""
    found = []
    for key, declared in schema.get("properties", {}).items():
        found += [(f"{path}.{key}", declared), *keys_of(declared, f"{path}.{key}")]
    for name, definition in schema.get("$defs", {}).items():
        found += keys_of(definition, f"{path}${name}")
    for option in schema.get("oneOf", []):
        found += keys_of(option, path)
    return found


def test_the_defaults_are_valid_and_complete() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    config = complete(defaults(REPOSITORY), {})
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(config)] == []
    assert set(SCHEMA["required"]) == set(config)


def test_every_config_key_is_described() -> None:
    def described(declared: dict) -> bool:
        target = declared.get("$ref", "").removeprefix("#/$defs/")
        return "description" in declared or (bool(target) and described(SCHEMA["$defs"][target]))

    assert [key for key, declared in keys_of(SCHEMA) if not described(declared)] == []


@pytest.mark.parametrize("name", environments.ENVIRONMENTS)
def test_conda_environments_name_the_lock_files_versions(name: str) -> None:
    written = (REPOSITORY / "envs" / f"{name}.yaml").read_text(encoding="utf-8")
    assert written == environments.environment_file(name)


def test_rules_are_found_wherever_they_stand() -> None:
    names = [rule.name for rule in RULES]
    assert all(names)
    assert len(names) == len(set(names)) > 60
    # Alone, based on another, within a loop, within a condition.
    found = {"train_on_gpu", "train_on_cpu", "explain_systems", "list_discrepancies", "all"}
    assert found < set(names)


def test_every_computing_rule_has_a_log_a_benchmark_and_depends_on_its_code() -> None:
    scripts = {}
    for rule in RULES:
        name, body = rule.name, rule.body
        if "script:" not in body:
            continue
        assert "log:" in body, name
        assert "conda:" in body, name
        script = re.search(r'script:\s+"\.\./\.\./scripts/(\w+\.py)"', body)
        assert script, name
        scripts[name] = script[1]
        if name.startswith("download_") or name in ("extract_glove", "unpack_pcam"):
            continue
        # Snakemake counts a benchmark to the outputs: with one, a target would print once only.
        assert ("benchmark:" in body) == ("output:" in body or rule.base is not None), name
        assert re.findall(r'code=code_of\(\s*"(\w+\.py)"', body) == [script[1]], name
    assert len(scripts) > 30
    used = [rule for rule in RULES if rule.base and "params:" in rule.body]
    for rule in used:
        assert f'code=code_of("{scripts[str(rule.base)]}"' in rule.body, rule.name
    assert len(used) > 2


def test_every_target_says_what_it_makes() -> None:
    """`snakemake --list-target-rules` prints a rule's docstring behind its name."""
    targets = [rule for rule in RULES if "output:" not in rule.body and not rule.base]
    assert len(targets) > 15
    silent = [rule.name for rule in targets if not rule.body.lstrip().startswith('"')]
    # One per item of the paper, with the docstring that its file gives: see test_plan.py.
    assert silent == ["target"]


def test_the_cost_of_every_job_before_tables_and_figures_is_counted() -> None:
    """A new rule is in plan/measured.py, or its benchmark lies where those of tables do."""
    plan, _ = plan_of({}, REPOSITORY, [])
    counted = set(measured_wildcards(plan))
    elsewhere = ("tables/", "figures/", "cluster_check/", "deployed/", "classified/")
    elsewhere += ("{dataset}/archive/", "{dataset}/review/")
    measured = set()
    for rule in RULES:
        benchmark = re.search(r'benchmark:\s+"<benchmarks>/([^"]+)"', rule.body)
        if rule.base in measured or (benchmark and not benchmark[1].startswith(elsewhere)):
            measured.add(rule.name)
    assert measured == counted


def test_every_rule_file_opens_with_its_contract() -> None:
    for file in RULE_FILES:
        if file.name != "common.smk":
            assert "# Purpose" in file.read_text(encoding="utf-8")[:600], file.name


def test_rooms_of_the_library_import_only_what_lies_before_them() -> None:
    rooms = [
        "errors",
        "storage_errors",
        "plan",
        "seals",
        "sheet_cells",
        "sheets",
        "files",
        "sealed_tensors",
        "hdf5_images",
        "stores",
        "logs",
        "finding_texts",
        "report_texts",
        "joins",
        "ordering",
        "subsets",
        "machine",
        "onnx_runtime",
        "programs",
        "image_formats",
        "image_containers",
        "images",
        "fetching",
        "corpus",
        "curation",
    ]
    rooms += [
        "splits",
        "siblings",
        "usable_splits",
        "leakage",
        "image_rows",
        "packed_images",
        "squaring",
        "packing",
        "dataset_archive",
        "words",
        "word_vectors",
        "pairing",
        "tasks",
        "training",
        "models",
        "evaluation",
        "reporting",
        "deployment",
        "cluster",
    ]
    library = REPOSITORY / "workflow/scripts/pairdx"
    for path in library.rglob("*.py"):
        room = path.relative_to(library).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for imported in re.findall(
            r"^\s*(?:from|import) pairdx\.(\w+)", path.read_text(encoding="utf-8"), re.M
        ):
            assert rooms.index(imported) <= rooms.index(room), f"{path} imports {imported}"
        assert not re.search(
            r"^\s*(?:from|import) snakemake", path.read_text(encoding="utf-8"), re.M
        ), path


def test_planning_needs_errors_and_two_packages_besides_pythons_own() -> None:
    """Every job plans again, with whatever is in its environment: families are found by name."""
    for path in (REPOSITORY / "workflow/scripts/pairdx/plan").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        modules = re.findall(r"^\s*(?:from|import) ([\w.]+)", text, re.M)
        ours = {".".join(name.split(".")[:2]) for name in modules if name.startswith("pairdx")}
        assert ours <= {"pairdx.plan", "pairdx.errors"}, path
        others = {name.split(".")[0] for name in modules} - {"pairdx", *sys.stdlib_module_names}
        assert others <= {"yaml", "jsonschema"}, path


def test_no_tracked_file_names_a_package_host_or_a_path_of_a_machine() -> None:
    git = ["git", "-C", str(REPOSITORY), "ls-files"]
    done = subprocess.run(git, capture_output=True, text=True, check=False, encoding="utf-8")
    if done.returncode:
        pytest.skip("not a git checkout")
    hosts = "|".join(("pypi", "pythonhosted", "npmjs", "debian"))
    pattern = re.compile(rf"({hosts})\.org|(?<![\w.$}}/])/(?:root|home/[a-z]+|work)/")
    for name in done.stdout.split():
        path = REPOSITORY / name
        if path.suffix in (".png", ".svg") or not path.is_file():
            continue
        assert not pattern.search(path.read_text(errors="replace", encoding="utf-8")), name
