"""What two processes are asked to compute together; run by test_distributed.py.

torchrun --module two_processes folder
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

import tiny_models as tiny
from pairdx.models.clip.system import OBJECTIVES, _objective
from pairdx.models.training_job import TrainingJob, _train
from pairdx.training.attempt import Replica
from pairdx.training.batches import BatchSource, Examples
from pairdx.training.distributed import Team, current_team, joined_team
from tiny_clip import build

CPU = torch.device("cpu")
PAIRS = 8


def loss_and_gradients(objective_name: str, team: Team) -> dict[str, torch.Tensor]:
    """The loss of eight pairs, two of which share a caption, and every parameter's gradient."""
    classifier = build(objective=objective_name)
    pairs = tiny.make_pairs(PAIRS)
    captions = pairs.captions
    captions[6] = captions[1]
    texts = classifier.parts.tokenise(captions).numpy()
    source = BatchSource(Examples(pairs.images, pairs.labels, texts), CPU)
    objective = _objective(classifier)
    objective.prepare()
    classifier.network.train()
    compute: nn.Module = team.replica(Replica(classifier.network, objective), CPU)
    batch = next(source.batches([team.share(np.arange(PAIRS))]))
    loss, _ = compute(batch.images, batch.labels, batch.texts)
    loss.backward()
    found = {
        name: parameter.grad
        for name, parameter in classifier.network.named_parameters()
        if parameter.grad is not None
    }
    return {"loss": team.add_up(loss.detach()) / team.size, **found}


def main() -> None:
    """Compute both objectives, which process 0 writes, and do every job of ``jobs.json``."""
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    with joined_team("cpu"):
        team = current_team()
        for name in OBJECTIVES:
            found = loss_and_gradients(name, team)
            if team.leads:
                torch.save(found, folder / f"{name}.pt")
        for job in json.loads((folder / "jobs.json").read_text(encoding="utf-8")):
            _train(TrainingJob(**job), leads=team.leads)


if __name__ == "__main__":
    main()
