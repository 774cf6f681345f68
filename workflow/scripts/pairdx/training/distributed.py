"""Several processes that train one model together, each on a device of its own.

They are started by torchrun (see :mod:`pairdx.training.launch`), which tells every process its
place. Each trains on its share of every batch; DistributedDataParallel averages the gradients.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from pairdx.errors import PairDxError

# Small facts (was the job told to stop?) are shared between CPUs, so that no GPU is waited for.
BACKENDS = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}


@dataclass(frozen=True)
class Team:
    """The processes that train together; a process alone is a team of one.

    Attributes:
        rank: This process's place, from 0. Process 0 validates and writes.
        size: Number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that validates and writes."""
        return self.rank == 0

    def usable(self, count: int) -> int:
        """Return how many of ``count`` examples can be shared out evenly."""
        return count - count % self.size

    def share(self, rows: np.ndarray) -> np.ndarray:
        """Return this process's part of a batch: every process has as many."""
        even = rows[: self.usable(len(rows))]
        return even.reshape(self.size, -1)[self.rank]

    def any(self, *facts: bool) -> list[bool]:
        """Return, fact by fact, whether it holds for any of the processes."""
        if self.size == 1:
            return list(facts)
        votes = torch.tensor([int(fact) for fact in facts])
        dist.all_reduce(votes)
        return [bool(vote) for vote in votes]

    def from_leader(self, content: Any) -> Any:
        """Return what process 0 holds, in every process."""
        if self.size == 1:
            return content
        holder = [content]
        dist.broadcast_object_list(holder, src=0)
        return holder[0]

    def add_up(self, numbers: Tensor) -> Tensor:
        """Return the sum of every process's tensor."""
        if self.size > 1:
            numbers = numbers.clone()
            dist.all_reduce(numbers)
        return numbers

    def replica(self, module: nn.Module, device: torch.device) -> nn.Module:
        """Wrap a module so that gradients are averaged over the processes."""
        if self.size == 1:
            return module
        if device.type == "cuda":
            # Statistics over the whole batch, as one process would compute them; CPUs have no such
            # layer, and there each process uses those of its share.
            module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
        ids = [device.index] if device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=ids)


def current_team() -> Team:
    """Return the team that this process belongs to."""
    if dist.is_available() and dist.is_initialized():
        return Team(dist.get_rank(), dist.get_world_size())
    return Team()


@contextmanager
def joined_team(device: str) -> Iterator[Team]:
    """Join the team that torchrun put this process into, and leave it after the block.

    Args:
        device: ``cpu`` or ``cuda``; on the latter each process uses the GPU of its local rank.

    Raises:
        PairDxError: There are fewer GPUs than processes.
    """
    if device == "cuda":
        rank, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if rank >= there:
            raise PairDxError(
                f"process {rank + 1} of this training is to have a GPU of its own, and PyTorch "
                f"finds {there or 'none'} on this machine",
                where="device: cuda, and systems: … settings: gpus",
                remedy="see in the profile that the job gets as many GPUs, or set gpus to fewer",
            )
        torch.cuda.set_device(rank)
    dist.init_process_group(BACKENDS[device])
    try:
        yield current_team()
    finally:
        dist.destroy_process_group()


class _AllGather(torch.autograd.Function):
    """Rows of all processes; the gradient of a process's rows is the sum over all processes."""

    @staticmethod
    def forward(context: Any, rows: Tensor) -> Tensor:
        context.count = len(rows)
        gathered = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(gathered, rows.contiguous())
        return torch.cat(gathered)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        start = dist.get_rank() * context.count
        return total[start : start + context.count]


def gathered(rows: Tensor) -> Tensor:
    """Return the rows of all processes, in the order of their ranks, with gradients.

    A loss computed from them is that of the whole batch, the same in every process; after the
    average over processes its gradients are those that one process would have found.

    Args:
        rows: Shape (B, ...), B the same in every process.
    """
    if current_team().size == 1:
        return rows
    found: Tensor = _AllGather.apply(rows)
    return found
