"""Energy is what the GPU's own counter says, and empty where there is none."""

from __future__ import annotations

import pytest

from pairdx.training import passport as energy
from pairdx.training.passport import EnergyMeter


class CounterOf:
    """Stands for NVML: a counter in millijoules, or one that the GPU lacks."""

    class NVMLError(Exception):
        """As NVML's own."""

    def __init__(self, *readings: int) -> None:
        self.readings = list(readings)

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802 - NVML's name
        """The next reading, or the error of a GPU that counts nothing."""
        assert handle == "gpu 0"
        if not self.readings:
            raise self.NVMLError("Not Supported")
        return self.readings.pop(0)


def meter(monkeypatch: pytest.MonkeyPatch, *readings: int) -> EnergyMeter:
    monkeypatch.setattr(energy, "_current_gpu", lambda: ("gpu 0", CounterOf(*readings)))
    return EnergyMeter("cuda")


def test_energy_is_the_difference_of_two_readings_in_joules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert meter(monkeypatch, 1_000_000, 1_250_500).joules() == 250.5


def test_a_gpu_without_a_counter_gives_nothing_and_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert meter(monkeypatch).joules() is None


def test_a_cpus_energy_is_not_measured() -> None:
    assert EnergyMeter("cpu").joules() is None
