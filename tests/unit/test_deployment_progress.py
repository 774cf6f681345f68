"""How far a run is, where there is no terminal: now and then a line, or nothing."""

from __future__ import annotations

import logging

import pytest

from pairdx.deployment import progress


@pytest.mark.parametrize("quiet", [False, True])
def test_a_line_now_and_then_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, quiet: bool
) -> None:
    clock = iter([0.0, 30.0, 61.0, 61.0, 90.0, 130.0, 130.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(progress.logger, "propagate", True)
    caplog.set_level(logging.INFO, "pairdx")
    with progress.progress(1000, 200, quiet=quiet) as shown:
        for _ in range(4):
            shown.add(61)
    expected = ["322 of 1,000 classified, 2 per second, 6 minutes left"]
    expected += ["444 of 1,000 classified, 2 per second, 5 minutes left"]
    assert [record.getMessage() for record in caplog.records] == ([] if quiet else expected)
