"""What is asked for besides a result never ends a job, and a GPU that is missing is said so."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pairdx.errors import PairDxError
from pairdx.machine import cpu_model
from pairdx.models.training_job import TrainingJob, run_training
from pairdx.training import passport
from pairdx.training.device import torch_device
from pairdx.training.distributed import joined_team
from pairdx.training.passport import EnergyMeter

WITHOUT_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@pytest.fixture
def node_with_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    """NVML as on a GPU node whose GPUs belong to other jobs: it starts; PyTorch is the real one."""
    nvml = SimpleNamespace(nvmlInit=lambda: None, NVMLError=type("NVMLError", (Exception,), {}))
    monkeypatch.setitem(sys.modules, "pynvml", nvml)


@WITHOUT_GPU
@pytest.mark.usefixtures("node_with_nvml")
def test_energy_is_not_known_where_nvml_is_and_the_job_has_no_gpu() -> None:
    assert EnergyMeter("cuda").joules() is None


@WITHOUT_GPU
@pytest.mark.usefixtures("node_with_nvml")
def test_a_training_without_its_gpu_says_so_before_it_reads_any_data(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere.parquet")
    job = TrainingJob(
        family="fusion",
        settings={},
        classes=["a", "b"],
        stand_in=True,
        seed=1,
        device="cuda",
        processes=1,
        threads=1,
        loader_workers=0,
        checkpoint_minutes=None,
        pairs=nowhere,
        split=nowhere,
        images=nowhere,
        resources={},
        state_folder=str(tmp_path),
        folder=str(tmp_path),
    )
    with pytest.raises(PairDxError, match="PyTorch finds none on this machine") as error:
        run_training(job)
    assert error.value.where == "device: cuda"


def test_a_gpu_that_is_there_and_busy_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy() -> int:
        raise RuntimeError("CUDA-capable device(s) is/are busy or unavailable\nmore")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", busy)
    with pytest.raises(PairDxError, match=r"cannot use it: CUDA-capable .* unavailable"):
        torch_device("cuda")


def test_fewer_gpus_than_processes_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "99")
    with (
        pytest.raises(
            PairDxError, match="process 100 of this training is to have a GPU of its own"
        ),
        joined_team("cuda"),
    ):
        pass


@WITHOUT_GPU
def test_a_passport_is_made_where_the_gpu_tells_nothing() -> None:
    assert passport.device_description("cuda") == {"kind": "cuda", "name": "unknown"}
    assert passport.peak_memory("cuda")["host"] > 0
    assert set(passport.versions("cuda")) > {"python", "cuda", "torch"}


def test_a_processor_that_nothing_describes_has_a_name(tmp_path: Path) -> None:
    assert cpu_model(tmp_path / "nowhere")
    assert cpu_model(tmp_path)  # a folder: an error other than that it is missing
