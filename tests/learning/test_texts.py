"""Tokens of captions, counted by the models' real tokenisers, without building a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from open_clip.model import CLIP

import tiny_models as tiny
from files_as_saved import write_bert_configuration, write_bert_tokeniser
from pairdx.errors import PairDxError
from pairdx.models.clip.loading import tokeniser_of
from pairdx.models.texts import read_captions
from tiny_clip import build

CAPTIONS = ["axial CT", "scan " * 10, "scan " * 11, "ST-elevation; don't"]
CLIP_SYSTEM = {"tokeniser": "open_clip", "trained": False, "reads": ["image"]}


def system(**settings: object) -> dict:
    own = {"architecture": tiny.TINY_CLIP, "context_length": 12}
    return {**CLIP_SYSTEM, "settings": own | settings}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What of BiomedCLIP's folder its tokeniser is made of: no weights."""
    write_bert_tokeniser(tmp_path, ("axial", "ct", "scan", "##s"))
    write_bert_configuration(tmp_path / "config.json", 9, 20)
    text = {"hf_model_name": "somebody/bert", "hf_tokenizer_name": "somebody/bert"}
    content = {"model_cfg": {"embed_dim": 16, "vision_cfg": {}, "text_cfg": text}}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


def test_clips_tokens_are_counted_as_the_built_model_counts_them():
    """Start and end included; and the share that is cut is the one that training reports."""
    reading = read_captions(system(), CAPTIONS, None, None)
    parts = build().parts
    assert reading.token_counts.tolist() == parts.token_counts(CAPTIONS)
    assert reading.token_counts.tolist()[:3] == [4, 12, 13]
    assert (reading.tokeniser, reading.context) == ("CLIP byte pairs", 12)
    cut = (reading.token_counts > reading.context).mean()
    assert cut == build().truncated_share(CAPTIONS)


def test_sentences_are_counted_for_a_system_that_draws_them():
    captions = ["No effusion. The heart is enlarged.", "Seen by Dr. Ash", ""]
    assert read_captions(system(), captions, None, None).sentence_counts is None
    drawing = system(sentence_sampling={"at_least": 1, "at_most": 1})
    assert read_captions(drawing, captions, None, None).sentence_counts.tolist() == [2, 1, 0]


def test_no_network_is_built(monkeypatch):
    """ViT-B/32 has 151 million weights, of which counting tokens needs none."""

    def refused(*_, **__):
        raise AssertionError("a network was built")

    monkeypatch.setattr(CLIP, "__init__", refused)
    named = system(architecture="ViT-B-32-quickgelu", context_length=77)
    assert read_captions(named, CAPTIONS, None, None).token_counts.tolist()[0] == 4


def test_word_pieces_come_from_a_model_folder_without_weights(folder):
    """A word that is not in the vocabulary is one unknown piece; the two marks count."""
    reading = read_captions(
        system(architecture=None, context_length=5), ["Axial scans", "scan"], folder, None
    )
    assert reading.tokeniser == "BERT word pieces"
    assert reading.token_counts.tolist() == [5, 3]


def test_texts_are_cut_to_the_context(folder):
    tokens = tokeniser_of(system(architecture=None, context_length=4)["settings"], folder)
    assert tokens.tokenise(["axial ct scan"]).tolist() == [[2, 5, 6, 3]]
    assert tokens.token_counts(["axial ct scan"]) == [5]


def test_a_folder_without_its_tokeniser_is_refused_by_name(folder):
    (folder / "tokenizer.json").unlink()
    with pytest.raises(PairDxError, match=r"tokenizer\.json"):
        read_captions(system(architecture=None), CAPTIONS, folder, None)


def test_an_architecture_that_open_clip_lacks_is_refused():
    with pytest.raises(PairDxError, match="ViT-Z-99"):
        read_captions(system(architecture="ViT-Z-99"), CAPTIONS, None, None)
