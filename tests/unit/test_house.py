"""Rules of the house that a machine can check."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

import environments

REPOSITORY = Path(__file__).parents[2]
SCHEMA = yaml.safe_load(
    (REPOSITORY / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
)
RULE_FILES = sorted((REPOSITORY / "workflow/rules").glob("*.smk"))


def defaults() -> dict:
    files = ("config.yaml", "models.yaml")
    texts = [(REPOSITORY / "config" / name).read_text(encoding="utf-8") for name in files]
    return {key: value for text in texts for key, value in yaml.safe_load(text).items()}


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
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(defaults())] == []
    assert set(SCHEMA["required"]) == set(defaults())


def test_every_config_key_is_described() -> None:
    def described(declared: dict) -> bool:
        target = declared.get("$ref", "").removeprefix("#/$defs/")
        return "description" in declared or (bool(target) and described(SCHEMA["$defs"][target]))

    assert [key for key, declared in keys_of(SCHEMA) if not described(declared)] == []


@pytest.mark.parametrize("name", environments.ENVIRONMENTS)
def test_conda_environments_name_the_lock_files_versions(name: str) -> None:
    written = (REPOSITORY / "envs" / f"{name}.yaml").read_text(encoding="utf-8")
    assert written == environments.environment_file(name)


def test_every_computing_rule_has_a_log_a_benchmark_and_depends_on_its_code() -> None:
    checked = 0
    for file in RULE_FILES:
        for name, body in re.findall(
            r"^rule (\w+):\n((?: .*\n|\n)*)", file.read_text(encoding="utf-8"), re.M
        ):
            if "script:" not in body:
                continue
            checked += 1
            assert "log:" in body, name
            assert "conda:" in body, name
            is_download = name.startswith(("download_", "extract_"))
            assert is_download or "benchmark:" in body, name
            script = re.search(r'script:\s+"\.\./scripts/(\w+\.py)"', body)
            assert script, name
            names = re.findall(r'code=code_of(?:_family)?\("(\w+\.py)"', body)
            assert is_download or names == [script[1]], name
    assert checked > 15


def test_the_cost_of_every_job_before_tables_and_figures_is_counted() -> None:
    """A new rule is in measured_jobs.smk, or its benchmark lies where those of tables do."""
    counted = re.findall(
        r'^        "(\w+)": ',
        (REPOSITORY / "workflow/rules/measured_jobs.smk").read_text(encoding="utf-8"),
        re.M,
    )
    elsewhere = ("tables/", "figures/", "dataset/", "review/", "cluster_check/")
    for file in RULE_FILES:
        for name, body in re.findall(
            r"^rule (\w+):\n((?: .*\n|\n)*)", file.read_text(encoding="utf-8"), re.M
        ):
            benchmark = re.search(r'benchmark:\s+"<benchmarks>/([^"]+)"', body)
            if benchmark and not benchmark[1].startswith(elsewhere):
                assert name in counted, name


def test_every_rule_file_opens_with_its_contract() -> None:
    for file in RULE_FILES:
        if file.name != "common.smk":
            assert "# Purpose" in file.read_text(encoding="utf-8")[:600], file.name


def test_every_caption_of_the_report_exists() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in RULE_FILES)
    captions = set(re.findall(r'"(?:\.\./report/)?(\w+\.rst)"', text))
    there = {path.name for path in (REPOSITORY / "workflow/report").glob("*.rst")}
    assert captions | {"workflow.rst"} == there


def test_rooms_of_the_library_import_only_what_lies_before_them() -> None:
    rooms = [
        "plan",
        "errors",
        "storage_errors",
        "seals",
        "sheets",
        "files",
        "stores",
        "logs",
        "joins",
        "ordering",
        "subsets",
        "machine",
        "programs",
        "image_containers",
        "images",
        "fetching",
        "corpus",
        "curation",
    ]
    rooms += [
        "splits",
        "siblings",
        "leakage",
        "packing",
        "export",
        "words",
        "word_vectors",
        "training",
        "models",
        "evaluation",
        "reporting",
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
