"""A deployed system in memory: what it reads, and that it says so where it is asked for more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from deployed_samples import graph, seal, write_deployed
from pairdx.deployment.folder import read_folder
from pairdx.deployment.session import Model, load
from pairdx.errors import PairDxError
from picture_files import encoded, upright

CAPTIONS = ["ct scan", "mri of the brain", "axial"]


def squares(count: int, size: int = 8) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


@pytest.mark.parametrize("reads", [("image",), ("caption",), ("image", "caption")])
def test_a_batch_of_any_size_has_the_same_rows(tmp_path: Path, reads: tuple[str, ...]) -> None:
    model = load(write_deployed(tmp_path / "system", reads=reads), threads=1)
    images = squares(3)
    together = model.classify(images, CAPTIONS)
    one_by_one = [model.classify(images[at : at + 1], CAPTIONS[at : at + 1]) for at in range(3)]
    assert together.dtype == np.float64
    assert together.shape == (3, 3)
    np.testing.assert_allclose(np.concatenate(one_by_one), together, atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-12)
    assert len({tuple(row) for row in together.round(6)}) == 3  # each pair has its own answer


def test_what_the_temperature_is_for_shows_in_the_probabilities(tmp_path: Path) -> None:
    plain = load(write_deployed(tmp_path / "plain", temperature=1.0)).classify(squares(4), None)
    softer = load(write_deployed(tmp_path / "softer", temperature=3.0)).classify(squares(4), None)
    assert (plain.argmax(axis=1) == softer.argmax(axis=1)).all()
    assert (softer.max(axis=1) < plain.max(axis=1)).all()


def test_a_file_is_read_as_a_square_or_as_a_sentence(tmp_path: Path) -> None:
    model = load(write_deployed(tmp_path / "system"))
    seen = model.read(encoded(upright(), "PNG"))
    assert isinstance(seen, np.ndarray)
    assert seen.shape == (8, 8, 3)
    assert seen.dtype == np.uint8
    assert "zip" in model.read(b"PK\3\4" + bytes(30))


def test_what_a_system_reads_must_be_given(tmp_path: Path) -> None:
    model = load(write_deployed(tmp_path / "system", reads=("image", "caption")))
    with pytest.raises(PairDxError, match="reads captions, and none are given"):
        model.classify(squares(1), None)
    with pytest.raises(PairDxError, match="reads images, and none are given"):
        model.classify(None, ["ct"])
    with pytest.raises(PairDxError, match="not as many captions as images"):
        model.classify(squares(2), ["ct"])
    wordless = model.wordless(["zzz ct", " !? ", "", "zzz qqq"])
    assert wordless.tolist() == [False, True, True, True]


def test_a_damaged_graph_is_said_in_a_line_and_printed_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = write_deployed(tmp_path / "system")
    (folder / "model.onnx").write_bytes(b"\x08\x0a" + b"no graph" * 9)
    with pytest.raises(PairDxError, match="not as it was written"):
        load(folder)
    seal(folder)
    with pytest.raises(PairDxError, match="cannot open this network"):
        load(folder)
    assert capfd.readouterr() == ("", "")


def test_a_runtime_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PairDxError, match="no runtime is called 'abacus'; there are onnxruntime"):
        load(write_deployed(tmp_path / "system"), runtime="abacus")


def of_another_size(_: onnx.ModelProto) -> onnx.ModelProto:
    return graph(("image",), 3, 16)


def with_captions(_: onnx.ModelProto) -> onnx.ModelProto:
    return graph(("image", "caption"), 3, 8)


def of_more_classes(_: onnx.ModelProto) -> onnx.ModelProto:
    return graph(("image",), 5, 8)


def of_one_image(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    return model


def of_other_numbers(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    return model


def with_another_name(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.output[0].name = model.graph.node[-1].output[0] = "logits"
    return model


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (of_another_size, "the input images is N x 16 x 16 x 3, and should be N x 8 x 8 x 3"),
        (with_captions, "it has the inputs 'ids', 'images', and should have images"),
        (of_more_classes, "the output probabilities is N x 5, and should be N x 3"),
        (of_one_image, "the input images is 1 x 8 x 8 x 3, and should be N x 8 x 8 x 3"),
        (of_other_numbers, "the input images is of float, and should be of uint8"),
        (with_another_name, "it has the outputs 'logits', and should have probabilities"),
    ],
)
def test_a_graph_that_is_not_the_one_of_its_facts_is_said_at_the_start(
    tmp_path: Path, make: Callable[[onnx.ModelProto], onnx.ModelProto], said: str
) -> None:
    folder = write_deployed(tmp_path / "system")
    onnx.save(make(graph(("image",), 3, 8)), folder / "model.onnx")
    seal(folder)
    with pytest.raises(PairDxError, match="not the one that its facts describe") as raised:
        load(folder)
    assert said in raised.value.what


def test_what_a_network_gives_must_be_a_row_per_image(tmp_path: Path) -> None:
    """Whatever a graph declares: some leave their shapes open."""
    folder = read_folder(write_deployed(tmp_path / "system"))
    for found in (np.ones((2, 4)), np.ones((1, 3)), np.ones(3), np.float32(1)):
        model = Model(folder, lambda _, found=found: found)  # type: ignore[misc]
        with pytest.raises(PairDxError, match="should give one of 2 x 3"):
            model.classify(squares(2), None)
