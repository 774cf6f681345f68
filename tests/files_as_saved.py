"""Files from outside as they were saved: not as today's libraries would save the same thing."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor, nn

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def torchvision_state(module: nn.Module) -> OrderedDict[str, Any]:
    """As torchvision's ResNets were first saved, in 2017.

    Parameters, running statistics before weights, no counts of batches, no versions of modules.
    """
    parameters, found = dict(module.named_parameters()), OrderedDict()
    state = module.state_dict()
    for name in sorted(state, key=_of_2017(state)):
        if not name.endswith("num_batches_tracked"):
            found[name] = parameters.get(name, state[name])
    return found


def _of_2017(state: Mapping[str, Tensor]) -> Any:
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in state))

    def place(name: str) -> tuple[int, bool]:
        layer, _, kind = name.rpartition(".")
        return layers.index(layer), not kind.startswith("running")

    return place


def write_openai_safetensors(state: Mapping[str, Tensor], path: Path) -> None:
    """As OpenAI's CLIP is handed on.

    Half precision, sorted by name, three numbers left over, a header that other tools write.
    """
    numbers = {"input_resolution": 32, "context_length": 12, "vocab_size": 49408}
    content = {name: tensor.half() for name, tensor in state.items()}
    content |= {name: torch.tensor(value) for name, value in numbers.items()}
    save_file({name: content[name] for name in sorted(content)}, path, {"format": "pt"})


def write_biomedclip_weights(state: Mapping[str, Tensor], path: Path, positions: int) -> None:
    """As BiomedCLIP was saved: by a transformers library that kept the numbers of positions.

    Here in PyTorch's format before zip, and in another order.
    """
    content = OrderedDict(reversed(state.items()))
    content["text.transformer.embeddings.position_ids"] = torch.arange(positions)[None]
    torch.save(content, path, _use_new_zipfile_serialization=False)


def write_bert_tokeniser(folder: Path, words: tuple[str, ...]) -> None:
    """The files of a BERT tokeniser as of 2021.

    Special words are among the added ones, the model lacks its type, and the configuration has keys
    that nobody reads any more.
    """
    whole = [*SPECIAL, *words]
    tokeniser = Tokenizer(models.WordPiece({w: i for i, w in enumerate(whole)}, unk_token="[UNK]"))  # noqa: S106 - a token of text
    tokeniser.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokeniser.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokeniser.add_special_tokens(list(SPECIAL))
    content = json.loads(tokeniser.to_str())
    del content["model"]["type"]
    _write(folder / "tokenizer.json", content)
    named = {f"{word[1:-1].lower()}_token": word for word in SPECIAL}
    _write(folder / "special_tokens_map.json", named)
    _write(
        folder / "tokenizer_config.json",
        {
            **named, "do_lower_case": True, "do_basic_tokenize": True, "never_split": None,
            "strip_accents": None, "tokenize_chinese_chars": True, "special_tokens_map_file": None,
            "model_max_length": 1000000000000000019884624838656,
            "name_or_path": "somebody/some-bert", "tokenizer_class": "BertTokenizer",
        },
    )  # fmt: skip
    (folder / "vocab.txt").write_text("\n".join(whole) + "\n", encoding="utf-8")


def write_bert_configuration(path: Path, vocabulary: int, positions: int) -> None:
    """A BERT's config.json as of 2020: of a model with another head, and no version in it."""
    _write(
        path,
        {
            "architectures": ["BertForMaskedLM"], "model_type": "bert", "vocab_size": vocabulary,
            "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 16, "max_position_embeddings": positions, "type_vocab_size": 2,
            "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "layer_norm_eps": 1e-12,
            "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02,
        },
    )  # fmt: skip


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
