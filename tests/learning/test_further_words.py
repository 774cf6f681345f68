"""Words of another dataset, known after training: those of home, and their vectors, stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.files import read_json, write_json
from pairdx.models.elsewhere import add_words_of_other
from pairdx.models.fusion import system as fusion
from pairdx.words import OUT_OF_VOCABULARY_ID


def words_there(folder: Path, dimension: int = 12, source: str = "glove") -> dict[str, str]:
    """What a job is given of a dataset with a word that home lacks before one that it has."""
    words = ["stranger", tiny.make_pairs(4).captions[0].split()[0]]
    vectors = np.arange(4 * dimension, dtype=np.float32).reshape(4, dimension)
    save_file({"vectors": vectors}, folder / "there.safetensors")
    write_json(folder / "there.json", {"words": words, "source": source})
    return {
        "word_vectors_there": str(folder / "there.safetensors"),
        "vocabulary_there": str(folder / "there.json"),
    }


@pytest.mark.parametrize("source", ["glove", "random"])
def test_a_system_knows_the_words_of_both_datasets(tmp_path: Path, source: str) -> None:
    files = tiny.write_word_vectors(tmp_path, tiny.make_pairs(24))
    classifier = fusion.build(tiny.FUSION, tiny.CLASSES, files, 1)
    before = load_file(files["word_vectors"])["vectors"]
    captions = [*tiny.make_pairs(6).captions, "a stranger"]
    ids = classifier.tokenise(captions)
    images = tiny.make_pairs(6).images
    was = classifier.probabilities(np.asarray(images), ids[:-1])
    assert add_words_of_other(classifier, {}) == 0
    assert add_words_of_other(classifier, words_there(tmp_path, source=source)) == 1
    assert classifier.vocabulary == [*read_json(files["vocabulary"])["words"], "stranger"]
    now = classifier.network.captions.words.weight.numpy()
    np.testing.assert_array_equal(now[:-1], before)
    if source == "glove":
        np.testing.assert_array_equal(now[-1], np.arange(24, 36))
    else:  # of its place in the list there, it would be the vector of another word here
        assert not any(np.allclose(now[-1], row) for row in [*before, np.arange(24, 36)])
    np.testing.assert_array_equal(classifier.tokenise(captions)[:-1], ids[:-1])
    assert OUT_OF_VOCABULARY_ID in ids[-1]
    assert len(now) - 1 in classifier.tokenise(captions)[-1]
    np.testing.assert_array_equal(classifier.probabilities(np.asarray(images), ids[:-1]), was)


def test_vectors_of_another_length_are_refused_by_their_file(tmp_path: Path) -> None:
    files = tiny.write_word_vectors(tmp_path, tiny.make_pairs(24))
    classifier = fusion.build(tiny.FUSION, tiny.CLASSES, files, 1)
    with pytest.raises(PairDxError, match=r"7 numbers do not fit words of 12[\s\S]*there.safe"):
        add_words_of_other(classifier, words_there(tmp_path, dimension=7))
