"""What is wrong with a configuration's datasets is said key by key; so is where a key has moved."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from pairdx.plan.checks import datasets, downloads, moved, paths
from pairdx.plan.checks.inherited import without_inherited
from pairdx.plan.configuration import complete, defaults, merged, read_yaml
from pairdx.plan.descriptions import readers
from pairdx.plan.schemas import with_readers
from pairdx.plan.validation import problems

ROOT = Path(__file__).parents[2]
MODEL = defaults(ROOT)
DEFAULTS = complete(MODEL, {})
WHOLE = with_readers(read_yaml(ROOT / "workflow/schemas/config.schema.yaml"), readers())
# Of the whole schema, what is about datasets and downloads.
ABOUT = ("datasets", "downloads")
SCHEMA = WHOLE | {
    "required": ABOUT,
    "properties": {key: WHOLE["properties"][key] for key in ABOUT},
}

# A dataset of one's own documents, but for its classes.
MINE = "like: documents, enabled: true, source: {table: t.csv, images: i}"


def completed(overlay: str) -> dict[str, Any]:
    return complete(MODEL, yaml.safe_load(overlay))


def refused(overlay: str) -> list[str]:
    """What the schema says."""
    config = {key: completed(overlay)[key] for key in ABOUT}
    found = problems(config, SCHEMA, lambda: DEFAULTS)
    return without_inherited(found, merged(MODEL, yaml.safe_load(overlay)))


def contradictions(overlay: str) -> list[str]:
    """What the checks say of what the schema allows."""
    assert refused(overlay) == []
    config = completed(overlay)
    found = [*datasets.problems(config, readers(), DEFAULTS), *paths.problems(config)]
    found += downloads.problems(config)
    return without_inherited(found, merged(MODEL, yaml.safe_load(overlay)))


def test_nothing_is_wrong_with_our_own_datasets_enabled_or_not() -> None:
    Draft202012Validator.check_schema(WHOLE)
    assert refused("{}") == []
    all_of_them = "datasets: {release: {enabled: true}, drawn: {enabled: true}}"
    assert contradictions(all_of_them) == []


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for key in value for leaf in leaves(value[key], (*path, key))]
    return [(path, value)]


@pytest.mark.parametrize("wrong", [float("nan"), "1", True])
def test_no_number_of_a_dataset_may_be_nan_text_or_a_truth_value(wrong: object) -> None:
    config = {key: deepcopy(DEFAULTS[key]) for key in ABOUT}
    numbers = [path for path, value in leaves(config) if type(value) in (int, float)]
    for path in numbers:
        inner: Any = config
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = wrong
    found = "\n".join(problems(config, SCHEMA, lambda: DEFAULTS))
    assert len(numbers) > 40
    assert [path for path in numbers if f"key {'.'.join(map(str, path))}:" not in found] == []


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        ("multicar: {enabled: false}", "datasets: unknown multicar; did you mean multicare?"),
        ("multicare: {readr: x}", "datasets.multicare: unknown readr; did you mean reader?"),
        ("multicare: {reader: relese}", "reader: 'relese' is not one of"),
        ("multicare: {task: several}", "datasets.multicare.task: 'several' is not one of"),
        ("multicare: {source: {pth: x}}", "multicare.source: unknown pth; did you mean path?"),
        ("multicare: {source: {seed: 1}}", "source: unknown seed; known: path, record, archives"),
        ("multicare: {source: {path: ''}}", "datasets.multicare.source.path: '' should be non-emp"),
        ("drawn: {source: {cases: 9}}", "config key datasets.drawn.source.cases: 9 is less than"),
        ("drawn: {source: {cases: 60.0}}", "source.cases: 60.0 is not of type 'integer' (write it"),
        ("release: {source: {images: null}}", "config key datasets.release.source.images: None"),
        ("release: {source: {columns: {text: x}}}", "source.columns: unknown text"),
        ("multicare: {source: null}", "config key datasets.multicare.source: None is not of type"),
        ("multicare: {classes: {yes: malignant}}", "the name True is no text: put it in quotes"),
        ("multicare: {classes: {null: x}}", "datasets.multicare.classes: the name None is no text"),
        ('multicare: {classes: {chart: " "}}', "datasets.multicare.classes.chart: ' ' does not"),
        ("multicare: {classes: {chart: on}}", "(put it in quotes)"),
        ("multicare: {out_of_distribution: [2026-01-01]}", "multicare.out_of_distribution.0"),
        ("multicare: {class_prompts: {chart: []}}", "class_prompts.chart: [] should be non-empty"),
        ("multicare: {subset: 200.0}", "write it without a point"),
        ("multicare: {curation: {licenses: [CC0]}}", "unknown licenses; did you mean licences?"),
        ("multicare: {curation: {licences: []}}", "datasets.multicare.curation.licences"),
        ("multicare: {curation: {mode: offical}}", "did you mean official?"),
        ("multicare: {splits: [groupd]}", "splits.0: 'groupd' is not one of"),
        ("My: {like: multicare}", "config key datasets: 'My' does not match"),
        ("mine: {like: drawn, reader: multicare}", "config key datasets.mine: source is missing"),
        # Its own name is like another's, and all its keys are there: the mistake is within.
        ("drawn_2: {like: drawn, source: {cases: 9}}", "datasets.drawn_2.source.cases: 9 is less"),
    ],
)
def test_one_mistake_is_one_sentence_with_its_key(overlay: str, sentence: str) -> None:
    (line,) = refused(f"datasets: {{{overlay}}}")
    assert sentence in line


def test_a_dataset_that_is_like_none_is_told_once_what_it_lacks() -> None:
    lines = refused("datasets: {slides: {enabled: true, reader: drawn, source: {}}}")
    assert [line.split(": ")[0] for line in lines] == [
        "config key datasets.slides",
        "config key datasets.slides.source",
    ]
    assert "title, task, classes, out_of_distribution, class_words, subset, curation," in lines[0]
    assert "seed, cases, archives are missing" in lines[1]


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        (
            "multicare: {enabled: false}",
            "datasets: no dataset is enabled (there are bach, chestxray14",
        ),
        ("tables: {like: drawn}", "datasets: tables is a folder of the results"),
        (
            f"mine: {{{MINE}, classes: {{a: one}}}}",
            "datasets.mine.classes: at least two are needed",
        ),
        (
            f"mine: {{{MINE}, classes: {{}}}}",
            "datasets.mine.classes: at least two are needed: name",
        ),
        (
            "mine: {like: documents, enabled: true, classes: {a: one, b: two}, source: {table: t}}",
            "datasets.mine.source.images: no path is stated",
        ),
        (
            f"mine: {{{MINE}, classes: {{a: one, b: two}}, splits: [published]}}",
            "datasets.mine.splits: published is a split that comes with the data, and no "
            "column is named for them (source.columns.subset)",
        ),
        *(
            (
                "mine: {like: documents, enabled: true, classes: [a, b], source: {table: t.csv, "
                "images: i, columns: "
                f"{{file: f, label: l, {column}}}}}}}",
                f"datasets.mine.source.columns.{sentence}",
            )
            for column, sentence in (
                ("group: [p, l]", "group: l is the column of labels (columns.label) too; name"),
                ("caption: l", "caption: l is the column of labels (columns.label) too; name"),
                ("subset: f", "subset: f is the column of files (columns.file) too; name another,"),
            )
        ),
        (
            f"mine: {{{MINE}, classes: {{a: one, b: two}}, curation: {{unknown_age: reject}}}}",
            "datasets.mine.curation.unknown_age: reject would leave nothing: ages: no column",
        ),
        (
            f"mine: {{{MINE}, classes: {{a: one, b: two}}, curation: {{licences: [CC0]}}}}",
            "datasets.mine.curation.licences: none would be allowed: licences: none is stated",
        ),
        ("cluster_check: {like: drawn}", "datasets: cluster_check is a folder of the results"),
        (
            "multicare: {split: {fractions: {train: 0.8}}}",
            "datasets.multicare.split.fractions: the shares add up to 1.1; they must add up to 1",
        ),
        (
            "multicare: {out_of_distribution: [chart, pathology]}",
            "datasets.multicare.out_of_distribution: chart is among the classes too",
        ),
        (
            "multicare: {curation: {modalities: {chart_images: null}}}",
            "datasets.multicare.curation.modalities: none of them has the label chart,",
        ),
        (
            "multicare: {splits: [published]}",
            "datasets.multicare.splits: published is a split that comes with the data, and what "
            "the reader multicare reads has none (that of the readers bach, chestxray14, chexpert, "
            "crc, mimic_cxr, pcam, release, table and vindr_cxr has)",
        ),
        (
            "multicare: {class_words: {radiolgy: [x]}}",
            "datasets.multicare.class_words: radiolgy is no class; did you mean radiology?",
        ),
        (
            "multicare: {curation: {balance: {total: 17}}}",
            "datasets.multicare.curation.balance.total: of 17 pairs, some class would have none in "
            "some subset: with 6 classes at least 18 are needed",
        ),
        (
            "multicare: {curation: {balance: {per_class_cap: 2}}}",
            "datasets.multicare.curation.balance.per_class_cap: of 2 pairs,",
        ),
        ("multicare: {subset: 2}", "datasets.multicare.subset: of 2 pairs,"),
        (
            "multicare: {source: {path: '/data/{site}/x'}}",
            "datasets.multicare.source.path: /data/{site}/x has braces",
        ),
        (
            "release: {source: {path: 'x '}}",
            "datasets.release.source.path: 'x ' begins or ends with a space",
        ),
        (
            'multicare: {curation: {review: {decisions: "sheet\\u200b.csv"}}}',
            "datasets.multicare.curation.review.decisions: 'sheet\\u200b.csv' begins or ends",
        ),
        (
            'release: {source: {article_pattern: "(("}}',
            "datasets.release.source.article_pattern: this is no regular expression",
        ),
        (
            "drawn: {enabled: true}, other: {like: drawn, source: {seed: 2, archives: [PMC1]}}",
            "datasets.other.source.archives: PMC1 are not those of the dataset drawn, PMC1, PMC2, ",
        ),
        # What no image can be said to have is no negative finding of all of them.
        (
            "chexpert: {enabled: true, source: {path: x}, classes: {Pleural Efusion: effusion of "
            "the pleura}}",
            "datasets.chexpert.classes: Pleural Efusion is none of the findings that these data "
            "state (No Finding, ",
        ),
    ],
)
def test_one_contradiction_is_one_sentence_with_its_key(overlay: str, sentence: str) -> None:
    (line,) = contradictions(f"datasets: {{{overlay}}}")
    assert line.startswith(f"config key {sentence}")


@pytest.mark.parametrize(
    "overlay",
    [
        # Words of a class that was dropped, or of the one that another dataset dropped.
        "multicare: {classes: {chart: null}}",
        "mine: {like: multicare, classes: {chart: null}}",
        # What is not enabled is no matter.
        "drawn: {subset: 1, split: {fractions: {train: 0.1}}, splits: [published]}",
        # Official: no total is kept to.
        "release: {enabled: true, curation: {balance: {total: 3}}}",
        "drawn: {enabled: true}, other: {like: drawn, source: {seed: 2}}",
        f"multicare: {{enabled: false}}, mine: {{{MINE}, classes: {{a: one, b: two}}}}",
        # Findings are matched without regard to case, and those of PadChest are any.
        "chexpert: {enabled: true, source: {path: x}, classes: {Pleural Other: null, "
        "pleural other: x}}, padchest: {enabled: true, source: {path: x}, classes: {gout: gout}}",
    ],
)
def test_nothing_is_wrong_with_what_works(overlay: str) -> None:
    assert contradictions(f"datasets: {{{overlay}}}") == []


LIKE_MULTICARE = (
    *("drawn", "release", "documents", "pcam", "crc", "bach", "chestxray14", "chexpert"),
    *("mimic_cxr", "multicare_chest", "open_i", "padchest", "vindr_cxr"),
)


def test_paths_are_listed_with_their_keys() -> None:
    overlay = """
        datasets: {multicare: {curation: {review: {decisions: s.csv}}, source: {path: corpus}}}
        downloads: {weights: {resnet18: {path: r.pth}}, glove: {path: g.txt}}
        pathvars: {results: elsewhere}
    """
    inherited = {f"datasets.{name}.curation.review.decisions" for name in LIKE_MULTICARE}
    found = paths.stated(completed(overlay))
    assert inherited <= set(found)
    assert {key: path for key, path in found.items() if key not in inherited} == {
        "datasets.multicare.curation.review.decisions": "s.csv",
        "datasets.multicare.source.path": "corpus",
        "downloads.weights.resnet18.path": "r.pth",
        "downloads.glove.path": "g.txt",
        "pathvars.results": "elsewhere",
    }


@pytest.mark.parametrize(
    ("overlay", "key", "now"),
    [
        ("corpus: demo", "corpus", "datasets.NAME.enabled"),
        ("multicare: {path: x}", "multicare", "datasets.multicare.source"),
        ("release: {path: x}", "release", "datasets.release.source"),
        ("demo: {seed: 2}", "demo", "datasets.drawn.source"),
        ("subset: 3", "subset", "datasets.NAME.subset"),
        ("curation: {classes: [a, b]}", "curation", "datasets.NAME.classes"),
        ("splits: [grouped]", "splits", "datasets.NAME.splits"),
        ("split: {seed: 2}", "split", "datasets.NAME.split"),
        ("packing: {image_size: 64}", "packing", "datasets.NAME.packing"),
        ("models: {majority: {enabled: false}}", "models", "systems"),
        ("errors: {mistakes: 3}", "errors", "shown"),
        ("mistakes: {mistakes: 3}", "mistakes.mistakes", "mistakes.shown"),
        ("input_probes: {class_words: {}}", "input_probes.class_words", "datasets.NAME.class_w"),
        ("learning_rate_search: {model: x}", "learning_rate_search.model", "search.system"),
        ("systems: {x: {network: true}}", "systems.x.network", "its family"),
        ("systems: {x: {reads: [image]}}", "systems.x.reads", "its family"),
        (
            "systems: {x: {settings: {class_names: {}}}}",
            "systems.x.settings.class_names",
            "datasets.NAME.classes",
        ),
        ("systems: {late_fusion_probe: {enabled: true}}", "systems", "early_fusion_probe"),
        ("systems: {x: {family: probe}}", "systems.x.family", "linear_probe"),
        ("input_probes: {systems: [late_fusion_probe]}", "input_probes.systems", "early_fusion"),
        ("mistakes: {compare: [a, late_fusion_probe]}", "mistakes.compare", "early_fusion_probe"),
        (
            "learning_rate_search: {system: late_fusion_probe}",
            "learning_rate_search.system",
            "early_fusion_probe",
        ),
    ],
)
def test_a_key_of_before_is_told_where_it_is_now(overlay: str, key: str, now: str) -> None:
    for config in (yaml.safe_load(overlay), completed(overlay)):
        (line,) = moved.problems(config)
        assert line.startswith(f"config key {key}: ")
        assert now in line


def test_nothing_of_the_defaults_has_moved() -> None:
    assert [*moved.problems(DEFAULTS)] == []
    assert [*moved.problems({"systems": None, "input_probes": 3, "mistakes": []})] == []


def turned_round(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: turned_round(value[key]) for key in reversed(value)}
    return value


def test_what_a_dataset_takes_from_another_stands_in_its_order() -> None:
    """Tables are in the order of classes, and identifiers are looked for in theirs."""
    overlay = {
        "datasets": {
            "mine": {
                "like": "drawn",
                "source": {"seed": 2},
                "classes": {"zebra": "zebra", "ant": "ant", "radiology": None},
            }
        }
    }
    for config in (DEFAULTS, completed("{}"), complete(MODEL, overlay)):
        model = config["datasets"]["multicare"]
        for name in ("drawn", "release"):
            entry = config["datasets"][name]
            assert list(entry["classes"]) == list(model["classes"])
            assert list(entry["curation"]) == list(model["curation"])
            assert list(entry["curation"]["identifiers"]) == list(model["curation"]["identifiers"])
    mine = complete(MODEL, overlay)["datasets"]["mine"]
    kept = [label for label in MODEL["datasets"]["multicare"]["classes"] if label != "radiology"]
    assert list(mine["classes"]) == [*kept, "zebra", "ant"]
    assert list(mine) == list(DEFAULTS["datasets"]["drawn"])
    swapped = {"datasets": {"mine": dict(reversed(overlay["datasets"]["mine"].items()))}}
    assert list(complete(MODEL, swapped)["datasets"]["mine"]) == list(mine)


def test_what_is_wrong_with_several_alike_is_said_of_the_one_that_states_it() -> None:
    stated = {"datasets": {"a": {"x": 1}, "b": {"like": "a"}, "c": {"like": "b"}, "d": {"x": 1}}}
    said = [f"config key datasets.{name}.x: wrong" for name in "abcd"]
    own = "config key datasets.c.y: wrong"
    assert without_inherited([*said, own, "config key run: z"], stated) == [
        *(said[0], said[3], own, "config key run: z")
    ]
    said = [f"config key datasets.{name}.x: too large (datasets.{name}.y)" for name in "ab"]
    assert without_inherited(said, stated) == said[:1]


def test_checksums_are_of_files_that_there_are() -> None:
    overlay = "downloads: {weights: {biomedclip: {checksums: {vocab.tx: null}}}}"
    (line,) = contradictions(overlay)
    assert line.startswith("config key downloads.weights.biomedclip.checksums: vocab.tx is not")
    assert line.endswith("; did you mean vocab.txt?")
