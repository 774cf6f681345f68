"""New documents that deployed systems classify as jobs: what is meant, and shards joined again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deployed_samples import write_deployed
from pairdx.deployment.folder import read_folder
from pairdx.deployment.joining import join
from pairdx.deployment.journal import Result
from pairdx.deployment.outputs import as_columns, write_rows
from pairdx.errors import PairDxError
from pairdx.plan.cells import Cell
from pairdx.plan.code import files
from plans import demo_with


def plan_of(entry: str) -> Any:
    return demo_with(f"documents_to_classify: {{letters: {{table: new.csv, {entry}}}}}").classifying


def test_documents_are_classified_by_what_the_key_deployment_says_unless_told_otherwise() -> None:
    asked = SimpleNamespace(documents="letters")
    usual = plan_of("system: pairdx_fusion")
    assert usual.cell("letters") == Cell("drawn", "grouped", "pairdx_fusion", 1)
    deployed = "<results>/drawn/grouped/pairdx_fusion/seed1/deployed"
    assert usual.files(asked) == {"table": "new.csv", "deployed": deployed}
    assert plan_of("system: pairdx_fusion, split: stratified").cell("letters").split == "stratified"
    elsewhere = plan_of("folder: models/fusion/, shards: 3, format: csv")
    assert elsewhere.files(asked)["sums"] == "models/fusion/SHA256SUMS"
    assert [Path(one).name for one in elsewhere.shards(asked)] == [
        "1_of_3.parquet",
        "2_of_3.parquet",
        "3_of_3.parquet",
    ]
    assert elsewhere.outputs() == ["<results>/classified/letters.csv"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("split: grouped", "name either system, one of this run, or folder"),
        ("system: pairdx_fusion, folder: x", "name either system"),
        ("folder: x, seed: 1", "letters.seed: a folder says itself which system it holds"),
        ("system: pairdx_fushion", "did you mean pairdx_fusion?"),
        ("system: tfidf_logistic", "cannot be deployed on drawn: systems of the family linear"),
        ("system: pairdx_fusion, split: groups", "groups is not among the splits of drawn"),
        ("system: pairdx_fusion, seed: 7", "7 is not among the seeds of pairdx_fusion"),
        ("system: pairdx_fusion, dataset: pcam", "pcam is not among the datasets that run"),
        ("system: pairdx_fusion, shards: 0", "letters.shards"),
        ("system: pairdx_fusion, tables: x", "unknown tables; did you mean table?"),
        ("system: pairdx_fusion, images: '{x}'", "has braces"),
    ],
)
def test_what_cannot_be_classified_is_said_before_any_job(entry: str, said: str) -> None:
    with pytest.raises(PairDxError, match="documents_to_classify") as error:
        plan_of(entry)
    assert said in str(error.value)


def shard(path: Path, folder: Path, names: list[str], **options: Any) -> Path:
    """Write the table of some documents, the last of which could not be read."""
    system = read_folder(folder)
    sound = Result(b"\x01" * 24, 3, bytes(32), 8, 8, "")
    bad = Result(None, 3, bytes(32), None, None, "damaged image: cut short")
    rows = [(name, at, bad if name == names[-1] else sound) for at, name in enumerate(names, 1)]
    facts = {"model": dict(system.facts), "identity": system.identity, "options": options}
    write_rows(path, "parquet", system.labels, facts, [as_columns(rows, system)])
    return path


def test_shards_are_joined_in_their_order_and_counted(tmp_path: Path) -> None:
    folder = write_deployed(tmp_path / "system")
    parts = [
        shard(tmp_path / "1.parquet", folder, ["b", "a"], shard=[1, 2]),
        shard(tmp_path / "2.parquet", folder, ["c", "=d"], shard=[2, 2]),
    ]
    for kind in ("csv", "jsonl", "parquet"):
        counts = join(parts, tmp_path / f"all.{kind}", kind)
        assert counts == Counter({"rows": 4, "damaged image": 2})
    lines = (tmp_path / "all.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["file", "b", "a", "c", "'=d"]


def test_shards_of_another_system_or_of_other_choices_are_not_joined(tmp_path: Path) -> None:
    first = write_deployed(tmp_path / "first")
    other = write_deployed(tmp_path / "other", temperature=2.0)
    part = shard(tmp_path / "1.parquet", first, ["a"], caption_column="x")
    for wrong in (
        shard(tmp_path / "2.parquet", other, ["b"], caption_column="x"),
        shard(tmp_path / "3.parquet", first, ["b"], caption_column="y"),
    ):
        with pytest.raises(PairDxError, match="of another system or of other choices"):
            join([part, wrong], tmp_path / "all.csv", "csv")
    assert not (tmp_path / "all.csv").exists()


def test_a_shard_that_was_changed_is_not_joined(tmp_path: Path) -> None:
    part = shard(tmp_path / "1.parquet", write_deployed(tmp_path / "system"), ["a"])
    content = bytearray(part.read_bytes())
    content[40] ^= 1
    part.write_bytes(content)
    with pytest.raises(PairDxError, match="damaged"):
        join([part], tmp_path / "all.csv", "csv")


def test_a_shard_is_classified_anew_when_what_its_processes_do_changes() -> None:
    """They are started by name; the job depends on what they import all the same."""
    names = {path.name for path in files("classify_shard.py")}
    assert {"worker_start.py", "worker.py", "session.py", "squaring.py", "words.py"} <= names
