"""The benchmark of states compares trainings that write as many, and as large ones."""

from __future__ import annotations

import torch

from benchmarks import state_writing as benchmark
from pairdx.training import attempt
from pairdx.training.state.writer import StateWriter


def test_every_way_trains_and_writes_what_it_says(tmp_path):
    """A state per epoch, of weights and Adam's averages; nothing is left behind."""
    sizes = {"parameters": 1, "epochs": 2, "steps": 2, "batch_size": 2}
    table = benchmark.compare(tmp_path, torch.device("cpu"), sizes, turns=1).set_index("way")
    assert list(table.index) == [benchmark.NONE, benchmark.WAITING, benchmark.THREAD]
    assert table["states"].tolist() == [0, 2, 2]
    size = 3 * 4 * sum(p.numel() for p in benchmark.Blocks(1).parameters()) / 1e9
    assert table.loc[benchmark.NONE, "gigabytes"] == 0
    for way in (benchmark.WAITING, benchmark.THREAD):
        assert size < table.loc[way, "gigabytes"] < size * 1.01
        assert 0 < table.loc[way, "seconds_waited"] < table.loc[way, "seconds"]
    assert not list(tmp_path.iterdir())
    assert attempt.StateWriter is StateWriter


def test_its_module_is_as_large_as_it_should_be():
    """CLIP's ViT-B/32, to a block."""
    with torch.device("meta"):
        count = sum(p.numel() for p in benchmark.Blocks(benchmark.OF_VIT_B_32).parameters())
    assert abs(count - benchmark.OF_VIT_B_32) < benchmark.PER_BLOCK
