"""A deployed folder is read whole and sound, or refused in words before anything is classified."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deployed_samples import seal, write_deployed
from pairdx.deployment.facts import problem_of
from pairdx.deployment.folder import ChangedError, check_sums, read_folder
from pairdx.deployment.session import load
from pairdx.errors import PairDxError

BOTH = ("image", "caption")


def facts_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "deployment.json").read_text(encoding="utf-8"))
    return found


def rewrite(folder: Path, text: str, name: str = "deployment.json") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    seal(folder)
    return folder


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return facts_of(write_deployed(tmp_path_factory.mktemp("sound") / "system", reads=BOTH))


@pytest.fixture(scope="module")
def of_several(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("several") / "system"
    return facts_of(write_deployed(folder, task="multi_label", thresholds=[0.5, None, 0.2]))


def test_every_key_must_be_there(facts: dict[str, Any], of_several: dict[str, Any]) -> None:
    assert problem_of(facts) is None
    assert problem_of(of_several) is None
    for key in set(facts) - {"format"}:
        missing = {name: value for name, value in facts.items() if name != key}
        assert problem_of(missing) == f"it does not say {key!r}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"temperature": 0}, "'temperature' is 0, and should be a number above 0, or null"),
        ({"temperature": "1"}, "'temperature' is '1'"),
        ({"temperature": True}, "'temperature' is True"),
        ({"temperature": 10**400}, "'temperature' is 1000"),
        ({"temperature": float("inf")}, "'temperature' is inf"),
        ({"threshold": float("nan")}, "'threshold' is nan"),
        ({"classes": []}, "at least one class"),
        ({"classes": ["ct"]}, "a label and a name"),
        ({"classes": [["ct", "CT"], ["ct", "MRI"]]}, "two classes have the label 'ct'"),
        ({"classes": [["", "CT"]]}, "a class has no label"),
        ({"classes": [["\ud800", "CT"]]}, "cannot be written again"),
        ({"reads": "image"}, "'reads' is 'image', and should be a list"),
        ({"reads": []}, "'reads' is []"),
        ({"reads": ["image", "image"]}, "'reads' is"),
        ({"reads": ["image", "sound"]}, "'reads' is"),
        ({"reads": ["image"]}, "'reads' is ['image'], and 'text' is there"),
        ({"reads": ["caption"]}, "and 'image' is there"),
        ({"image": None}, "and 'image' is null"),
        ({"text": None}, "and 'text' is null"),
        ({"image": {"size": 4097, "squaring": "crop"}}, "size is 4097"),
        ({"image": {"size": 8.0, "squaring": "crop"}}, "size is 8.0"),
        ({"image": {"size": 8, "squaring": ["crop"]}}, "squaring is ['crop']"),
        ({"text": {"tokeniser": "bpe"}}, "a tokeniser that is not known here: 'bpe'"),
        ({"text": {"tokeniser": "words", "tokens": 0}}, "tokens are 0"),
        ({"task": "ranking"}, "'task' is 'ranking'"),
        ({"thresholds": {"ct": 0.5}}, "for several labels"),
        ({"risk": 1.5}, "'risk' is 1.5"),
        ({"coverage": -1}, "'coverage' is -1"),
        ({"seed": "1"}, "'seed' is '1'"),
        ({"stand_in": 1}, "'stand_in' is 1"),
        ({"validation_pairs": -1}, "'validation_pairs' is -1"),
        ({"versions": {"opset": float("inf")}}, "cannot be written again"),
    ],
)
def test_what_cannot_be_is_named(facts: dict[str, Any], changes: dict[str, Any], said: str) -> None:
    assert said in str(problem_of({**facts, **changes}))


@pytest.mark.parametrize(
    "name", ["", "..", "/vocabulary.json", "../words", "a/b", "a\\b", "a\0b", 1]
)
def test_a_vocabulary_lies_in_the_folder(facts: dict[str, Any], name: object) -> None:
    text = {**facts["text"], "vocabulary": name}
    assert "a file's name without a path" in str(problem_of({**facts, "text": text}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"thresholds": None}, "not those of the classes"),
        ({"thresholds": {"ct": 0.5}}, "not those of the classes"),
        ({"thresholds": {"ct": 0.5, "mri": "a", "=x,y": None}}, "threshold of 'mri' is 'a'"),
        ({"temperature": 1.0}, "'temperature' is for one label"),
        ({"threshold": 0.5}, "'threshold' is for one label"),
    ],
)
def test_several_labels_have_thresholds_of_their_own(
    of_several: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    assert said in str(problem_of({**of_several, **changes}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[" * 200_000, "cannot be read", id="deep"),
        ('{"format": 1, "temperature": NaN}', "cannot be read"),
        ("[1]", "holds something else"),
        ('{"format": 1}', "it does not say 'system'"),
        ('{"format": 2}', "format 2"),
    ],
)
def test_a_file_that_is_no_list_of_facts_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PairDxError, match=said):
        read_folder(rewrite(write_deployed(tmp_path / "system"), text))


@pytest.mark.parametrize(
    "words",
    ['{"words": "ct"}', '{"words": ["ct", 1]}', "{}", pytest.param("[" * 200_000, id="deep")],
)
def test_a_vocabulary_is_a_list_of_texts(tmp_path: Path, words: str) -> None:
    folder = rewrite(write_deployed(tmp_path / "system", reads=BOTH), words, "vocabulary.json")
    with pytest.raises(PairDxError, match=r"no list of words|cannot be read"):
        load(folder)


def test_a_vocabulary_must_have_a_checksum(tmp_path: Path) -> None:
    folder = write_deployed(tmp_path / "system", reads=BOTH)
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if "vocabulary" not in line]
    (folder / "SHA256SUMS").write_text("".join(kept), encoding="utf-8")
    with pytest.raises(PairDxError, match=r"vocabulary.json is not listed"):
        read_folder(folder)


@pytest.mark.parametrize(
    "name", ["deployment.json", "model.onnx", "vocabulary.json", "README.md", "SHA256SUMS"]
)
@pytest.mark.parametrize("become", [os.mkfifo, lambda path: Path(path).symlink_to("/dev/zero")])
def test_pipes_and_devices_are_never_opened(
    tmp_path: Path, name: str, become: Callable[[Path], object]
) -> None:
    """Opening such a file would wait for ever, or read for ever."""
    folder = write_deployed(tmp_path / "system", reads=BOTH)
    (folder / name).unlink()
    become(folder / name)
    with pytest.raises(PairDxError, match=r"no plain file|there is no deployment\.json"):
        load(folder)
    if name == "model.onnx":
        with pytest.raises(PairDxError, match="no plain file"):
            load(read_folder(folder, checked=False))


def test_a_folder_that_became_another_is_met_by_whoever_opens_it_later(tmp_path: Path) -> None:
    folder = write_deployed(tmp_path / "system", reads=BOTH)
    read = read_folder(folder)
    load(folder, identity=read.identity)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in ("model.onnx", "deployment.json", "vocabulary.json"):
        (folder / name).write_bytes(kept[name] + b" ")
        with pytest.raises(ChangedError, match="changed while it was in use: this file is not as"):
            load(folder, identity=read.identity)
        with pytest.raises(ChangedError):
            read.require_unchanged(read.identity)
        (folder / name).write_bytes(kept[name])
    read.require_unchanged(read.identity)
    rewrite(folder, "# Another card\n", "README.md")  # a whole system, and another one
    check_sums(folder)
    with pytest.raises(ChangedError, match="its list of checksums is another"):
        load(folder, identity=read.identity)
    (folder / "deployment.json").unlink()
    with pytest.raises(ChangedError, match=r"there is no deployment\.json"):
        load(folder, identity=read.identity)


def test_weights_for_other_libraries_are_read_once_only(tmp_path: Path) -> None:
    """Whoever opens the system later loads none of them: comparing them would cost much."""
    folder = write_deployed(tmp_path / "system")
    (folder / "weights").mkdir()
    rewrite(folder, "many", "weights/model.safetensors")
    identity = read_folder(folder).identity
    (folder / "weights/model.safetensors").write_text("others", encoding="utf-8")
    load(folder, identity=identity)
    with pytest.raises(PairDxError, match="not as it was written"):
        check_sums(folder)
