"""A deployed folder written: its network first, its list of checksums last.

A folder without that list is no deployed folder, so that one that was left half-written is none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pairdx.deployment.export.choices import Choices
from pairdx.deployment.export.library_weights import write_library_weights
from pairdx.deployment.export.verification import Sample, verify
from pairdx.deployment.folder import CARD, FACTS, FORMAT, GRAPH, SUMS, DeployedFolder
from pairdx.errors import PairDxError
from pairdx.files import write_json, written_whole
from pairdx.logs import logger
from pairdx.models.base import Classifier
from pairdx.models.exported import (
    RUNTIME,
    ExportedClassifier,
    exported_program,
    graph,
    open_session,
    require_exported,
)
from pairdx.models.library_weights import LibraryWeights

VOCABULARY, PASSPORT, VERIFICATION = "vocabulary.json", "passport.json", "verification.json"


@dataclass(frozen=True)
class Deployed:
    """What a folder is made of besides the system.

    Attributes:
        stated: What the configuration says of the cell: see :mod:`pairdx.plan.deployment`.
        choices: What was chosen on validation pairs.
        passport: Content of the cell's passport.json.
        code: The digest of the code that makes the folder.
    """

    stated: Mapping[str, Any]
    choices: Choices
    passport: Mapping[str, Any]
    code: str


@dataclass(frozen=True)
class Written:
    """What a card is told of a folder.

    Attributes:
        facts: deployment.json.
        verified: verification.json.
        weights: What was written for a library, if anything was.
    """

    facts: Mapping[str, Any]
    verified: Mapping[str, Any]
    weights: LibraryWeights | None


def write_folder(
    folder: Path, classifier: Classifier, of: Deployed, sample: Sample, threads: int
) -> Written:
    """Export a system, compare the exported network with it, and write all but card and checksums.

    Args:
        folder: Where to.
        classifier: The system, on the CPU.
        of: What else the folder is made of.
        sample: Validation pairs to compare both on.
        threads: Threads that ONNX Runtime may use.

    Raises:
        PairDxError: The export fails, or its answers are not the system's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    exported, opset = export_to(folder / GRAPH, classifier, of.stated["family"], sample, threads)
    versions = {"onnx opset": opset, "pairdx code": of.code}
    facts = {"format": FORMAT, **of.stated, **of.choices.as_facts(), "versions": versions}
    if facts["text"] is not None:
        facts["text"] = {**facts["text"], "vocabulary": VOCABULARY}
        write_json(folder / VOCABULARY, {"words": words_of(classifier, facts["system"])})
    write_json(folder / FACTS, facts)
    write_json(folder / PASSPORT, without_machine(of.passport))
    verified = verify(DeployedFolder(folder, facts), classifier, exported, sample, threads)
    write_json(folder / VERIFICATION, verified)
    weights = write_library_weights(classifier, facts["family"], folder, facts["image"])
    return Written(facts, verified, weights)


def export_to(
    path: Path, classifier: Classifier, family: str, sample: Sample, threads: int
) -> tuple[ExportedClassifier, int]:
    """Export a network to a file, and open a session on that file.

    Weights of more than 1.5 GB, which no such file can hold, lie beside it, in a file that is
    called like it with ``.data`` behind.

    Returns:
        The exported system, and the version of ONNX's operators that it needs.

    Raises:
        PairDxError: The export fails.
    """
    require_exported(family)
    tokens = classifier.tokenise(sample.captions[:2])
    try:
        program = exported_program(graph(family, classifier), sample.images[:2], tokens)
        program.save(path)
        session = open_session(path, threads)
    except (PairDxError, OSError):
        raise
    # The exporter and the runtime raise errors of many kinds.
    except Exception as error:
        raise PairDxError(
            f"the network cannot be exported to {RUNTIME}: {error}",
            remedy="nothing is deployed; leave the system out (config key deployment.systems)",
        ) from error
    opset = int(program.model.opset_imports[""])
    logger.info("%s: %.1f MB, opset %d", path.name, path.stat().st_size / 1e6, opset)
    return ExportedClassifier(classifier, session), opset


def words_of(classifier: Any, system: str) -> list[str]:
    """Return the words that a system of captions knows, in the order of their numbers.

    Raises:
        PairDxError: It does not say which words it knows.
    """
    words = getattr(classifier, "vocabulary", None)
    if not words:
        raise PairDxError(f"{system} reads captions, but has no words to write down")
    return list(words)


def sizes_of(folder: Path) -> dict[str, int]:
    """Return the bytes of every file of a folder but its list of checksums, sorted by name."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / SUMS and not path.name.startswith(".")
    }


def without_machine(passport: Mapping[str, Any]) -> dict[str, Any]:
    """Return a passport without the name of the machine, which concerns nobody elsewhere."""
    host = passport.get("host")
    kept = {key: value for key, value in (host or {}).items() if key != "name"}
    return {**passport, "host": kept} if host is not None else dict(passport)


def write_card(folder: Path, text: str) -> None:
    """Write the model card."""
    with written_whole(folder / CARD) as aside:
        aside.write_text(text, encoding="utf-8")


def write_sums(folder: Path) -> list[str]:
    """Write the checksums of all files, sorted by name, as ``sha256sum`` does; return the names."""
    names = sorted(sizes_of(folder))
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in names]
    with written_whole(folder / SUMS) as aside:
        aside.write_text("".join(lines), encoding="utf-8")
    return names


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
