"""What is wrong with a configuration, key by key; what is wrong with its files, line by line."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from pairdx.models.clip.architectures import contradictions, known_architectures
from pairdx.plan.configuration import complete, defaults, merged
from pairdx.plan.overlays import problems_of_overlay
from pairdx.plan.schemas import whole_schema
from pairdx.plan.validation import in_order_of, problems

REPOSITORY = Path(__file__).parents[2]


SCHEMA = whole_schema(REPOSITORY)
UNCHANGED = defaults(REPOSITORY)
DEFAULTS = complete(UNCHANGED, {})


def problems_with(overlay: str) -> list[str]:
    return problems(complete(UNCHANGED, yaml.safe_load(overlay)), SCHEMA, lambda: DEFAULTS)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for key in value for leaf in leaves(value[key], (*path, key))]
    if isinstance(value, list):
        return [leaf for place, each in enumerate(value) for leaf in leaves(each, (*path, place))]
    return [(path, value)]


NUMBERS = [
    (path, value)
    for path, value in leaves(DEFAULTS)
    if isinstance(value, int | float) and not isinstance(value, bool)
]


def test_the_defaults_have_no_problem_and_are_not_asked_for_again() -> None:
    assert problems(DEFAULTS, SCHEMA, lambda: pytest.fail("read in vain")) == []


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), "1", True])
def test_no_number_may_be_infinite_nan_text_or_a_truth_value(wrong: object) -> None:
    """Every number of the configuration, at every depth."""
    config: dict[str, Any] = deepcopy(DEFAULTS)
    for path, _ in NUMBERS:
        inner: Any = config
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = wrong
    found = "\n".join(problems(config, SCHEMA, lambda: DEFAULTS))
    assert len(NUMBERS) > 100
    assert [path for path, _ in NUMBERS if f"key {'.'.join(map(str, path))}:" not in found] == []


def test_a_whole_number_is_not_written_with_a_point() -> None:
    """Names of files hold it: seed1.0 would be another one than seed1."""
    for key in ("seeds: [1.0]", "timing: {images: 1.0}", "systems: {majority: {image_size: 64.0}}"):
        (line,) = problems_with(key)
        assert "write it without a point" in line
    assert problems_with("training: {checkpoint_minutes: 1}") == []


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        ("seedz: [1]", "config key (top level): unknown seedz; did you mean seeds?"),
        (
            "datasets: {drawn: {curation: {licenses: [CC0]}}}",
            "drawn.curation: unknown licenses; did you mean licences?",
        ),
        (
            "systems: {pairdx_clp: {enabled: false}}",
            "systems: unknown pairdx_clp; did you mean pairdx_clip?",
        ),
        (
            "downloads: {weights: {resnet81: {path: x}}}",
            "weights: unknown resnet81; did you mean resnet18?",
        ),
        ("feature_extractors: {clip_vit_b23: {weights: null}}", "did you mean clip_vit_b32?"),
        ("systems: {majority: {family: linar}}", "did you mean linear?"),
        ('run: "demo\\n"', "config key run"),
        ("datasets: {drawn: {out_of_distribution: [yes]}}", "out_of_distribution.0"),
        ("run: 2024", "(put it in quotes)"),
        ("systems: {pairdx_clip: {settings: {learning_rate: 1e-5}}}", "write 1.0e-5"),
        ("1: x", "the name 1 is no text"),
        ("systems: {yes: {enabled: false}}", "the name True is no text"),
        ("datasets: {drawn: {curation: {licences: []}}}", "drawn.curation.licences"),
        ("training: {loader_workers: 1000000000}", "training.loader_workers"),
    ],
)
def test_one_mistake_is_one_sentence_with_its_key(overlay: str, sentence: str) -> None:
    (line,) = problems_with(overlay)
    assert sentence in line


def test_a_new_entry_is_told_once_what_it_lacks() -> None:
    entry = {"title": "Mine", "family": "linear", "settings": {"features": "words"}}
    missing = ["enabled, trained, random, stand_in, paper are missing"]
    missing += ["inverse_regularisation, max_iterations, word_ngrams, min_documents, "]
    found = problems_with(json.dumps({"systems": {"of_mine": entry}}))
    assert [line.split(": ")[0] for line in found] == [
        "config key systems.of_mine",
        "config key systems.of_mine.settings",
    ]
    assert all(part in line for part, line in zip(missing, found, strict=True))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", ": the file is empty"),
        (b"# nothing\n", ": the file is empty"),
        (b"- a\n- b\n", ", line 1: this is a list"),
        (b"[1, 2]", ", line 1: this is a list"),
        (b"just text", ", line 1: this is a single value"),
        (b"run: x\nsplit:\n\tseed: 3\n", ", line 3: a tab"),
        (b"run: x\nseeds:\t[1]\n", ", line 2: a tab"),
        (b"run: mine\t# a note\n", ", line 1: a tab"),
        (b"run: mine\t\n", ", line 1: a tab"),
        (b"run: x\n# \xe9\nsubset: 3\n", ", line 2: the byte 0xe9 is no UTF-8"),
        ("run: x\n".encode("utf-16"), ", line 1: the byte 0xff is no UTF-8"),
        (b"run: [a\nsubset: 3\n", ", line 2: this is no YAML"),
        (b"run: x\nsubset: 3\nrun: y\n", ", line 3: the key run stands in line 1 already"),
        (b"split:\n  seed: 1\n  seed: 2\n", ", line 3: the key split.seed stands in line 2"),
        (b'{"run": "x",\n "run": "y"}', ", line 2: the key run stands in line 1"),
        (
            b"datasets:\n d: {classes: [a, 010]}",
            ", line 2: datasets.d.classes: YAML reads 010 as the",
        ),
        (
            b"datasets: {d: {classes: {a: 1_0, b: 10}}}",
            ", line 1: datasets.d.classes: YAML reads 1_",
        ),
        (
            b"datasets: {d: {source: {labels: {12:30: a, 7: b, '007': c}}}}",
            ', line 1: datasets.d.source.labels: YAML reads 12:30 as the number 750: write "12:30"',
        ),
        (b"a: [{b: 1, b: 2}]", ", line 1: the key a.b stands in line 1 already"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    (problem,) = problems_of_overlay(path)
    assert problem.startswith(f"{path}{sentence}")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (problem,) = problems_of_overlay(tmp_path / "nowhere.yaml")
    assert "nowhere.yaml: this file cannot be read" in problem


@pytest.mark.parametrize(
    "content",
    [
        b"run: caf\xc3\xa9\n",
        b"\xef\xbb\xbfrun: x\n",
        json.dumps({"run": "x", "seeds": [1]}, indent="\t").encode(),
        b"a: &one {b: 1}\nc: {<<: *one}\nd: {<<: *one, b: 2}\ne: [*one, *one]\n",
        b"text: |\n  a\tb\nrun: x\n",
    ],
)
def test_nothing_is_wrong_with_what_snakemake_reads(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    assert problems_of_overlay(path) == []


@pytest.mark.parametrize("path", sorted((REPOSITORY / "config").glob("*.yaml")))
def test_our_own_files_are_in_order(path: Path) -> None:
    assert problems_of_overlay(path) == []


def test_architectures_are_those_of_open_clip() -> None:
    known = known_architectures()
    assert {"ViT-B-32", "ViT-B-32-quickgelu", "RN50"} <= set(known)


@pytest.mark.parametrize(
    ("architecture", "size", "tokens", "quick", "wrong"),
    [
        ("ViT-B-32-quickgelu", 224, 77, True, []),
        ("ViT-B-32", 224, 77, False, []),
        ("ViT-B-16-plus-240", 240, 77, False, []),
        ("ViT-B-16-plus-240", 224, 76, True, ["image_size", "context_length", "quick_gelu"]),
        ("roberta-ViT-B-32", 224, 77, False, ["architecture"]),
        ({"vision_cfg": {"image_size": 64}, "text_cfg": {}}, 64, 77, False, []),
        ({"vision_cfg": {}, "text_cfg": {"context_length": 9}}, 224, 8, False, ["context_length"]),
        ("nowhere", 1, 1, True, []),
        (None, 1, 1, True, []),
    ],
)
def test_what_contradicts_an_architecture_is_found(
    architecture: Any, size: int, tokens: int, *, quick: bool, wrong: list[str]
) -> None:
    settings = {"architecture": architecture, "context_length": tokens, "quick_gelu": quick}
    assert [key for key, _ in contradictions(settings, size)] == wrong


def turned_round(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: turned_round(value[key]) for key in reversed(value)}
    return value


def test_the_order_of_an_overlays_lines_decides_nothing_but_the_place_of_new_systems() -> None:
    """Snakemake compares parameters as they are written."""
    new = {
        "systems": {"second": {"b": 1, "a": 2}, "first": {"title": "x"}},
        "new": {"d": 1, "c": 2},
    }
    config = merged(DEFAULTS, new)
    ordered = in_order_of(DEFAULTS, config)
    assert ordered == config
    assert list(ordered["systems"])[-2:] == ["second", "first"]
    assert list(ordered["systems"])[:-2] == list(DEFAULTS["systems"])
    assert list(ordered["new"]) == ["c", "d"]
    assert list(ordered["systems"]["second"]) == ["a", "b"]
    assert repr(in_order_of(DEFAULTS, turned_round(DEFAULTS))) == repr(
        in_order_of(DEFAULTS, DEFAULTS)
    )
