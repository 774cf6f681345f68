"""What two processes are asked to compute together; run by test_distributed.py.

torchrun --module two_processes folder
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import tiny_models as tiny
from pairdx.models.base import Pairs
from pairdx.models.clip.sentence_draws import DrawnSentences
from pairdx.models.clip.system import OBJECTIVES, _objective, _training_texts
from pairdx.models.training_job import TrainingJob, _train
from pairdx.training.attempt import Replica
from pairdx.training.batches import BatchSource, Examples
from pairdx.training.distributed import Team, current_team, joined_team
from tiny_clip import build

CPU = torch.device("cpu")
PAIRS = 8
SEED, EPOCH = 1, 5
_SAMPLED = {"sentence_sampling": {"at_least": 1, "at_most": 2}}
_CLIP = {"form": "clip", "quantile": 0.5}
# By name: settings of the losses that are compared.
VARIANTS: dict[str, dict[str, Any]] = {
    **{name: {"objective": name} for name in OBJECTIVES},
    "sampled": _SAMPLED,
    "relaxed": {"relaxation": _CLIP},
    "relaxed_numerator": {"relaxation": {**_CLIP, "sides": "numerator"}},
    "smoothed": {"relaxation": {"form": "target", "epsilon": 0.2}},
    "sampled_smoothed": {**_SAMPLED, "relaxation": {"form": "target", "epsilon": 0.2}},
}


def loss_and_gradients(variant: str, team: Team) -> dict[str, torch.Tensor]:
    """The loss of eight pairs, two of which share a caption, and every parameter's gradient."""
    classifier = build(**VARIANTS[variant])
    pairs = tiny.make_pairs(PAIRS)
    captions = [f"{text}. Seen at {at}. No {at} before." for at, text in enumerate(pairs.captions)]
    captions[6] = captions[1]
    pairs = Pairs(pairs.table.assign(caption=captions), pairs.images, pairs.classes)
    texts = _training_texts(classifier, pairs, True, SEED)
    if isinstance(texts, DrawnSentences):  # the shared caption is known by more than what is read
        assert texts.drawn(1, EPOCH) != texts.drawn(6, EPOCH)
    source = BatchSource(Examples(pairs.images, pairs.labels, texts), CPU)
    objective = _objective(classifier)
    with torch.no_grad():
        objective.begin(source.batches([np.arange(PAIRS)]))
        objective.prepare()
    classifier.network.train()
    compute: nn.Module = team.replica(Replica(classifier.network, objective), CPU)
    batch = next(source.batches([team.share(np.arange(PAIRS))], EPOCH))
    loss, _ = compute(batch.images, batch.labels, batch.texts, batch.text_ids)
    loss.backward()
    found = {
        name: parameter.grad
        for name, parameter in classifier.network.named_parameters()
        if parameter.grad is not None
    }
    return {"loss": team.add_up(loss.detach()) / team.size, **found}


def main() -> None:
    """Compute all losses, which process 0 writes, and do every job of ``jobs.json``."""
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    with joined_team("cpu"):
        team = current_team()
        for name in VARIANTS:
            found = loss_and_gradients(name, team)
            if team.leads:
                torch.save(found, folder / f"{name}.pt")
        for job in json.loads((folder / "jobs.json").read_text(encoding="utf-8")):
            _train(TrainingJob(**job), leads=team.leads)


if __name__ == "__main__":
    main()
