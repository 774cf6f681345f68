"""The benchmark suite: ratios as computed by hand, and a page of what was met, missed or failed."""

from __future__ import annotations

import json
import sys
import types

import numpy as np
import pytest

from benchmarks.suite import __main__ as suite
from benchmarks.suite.measure import Spread, as_json, interleaved, ratio_with_spread
from benchmarks.suite.page import page
from benchmarks.suite.part import (
    DECLARED,
    Aim,
    Outcome,
    Part,
    Settings,
    Table,
    as_dictionary,
    part_from,
)
from benchmarks.suite.part_e import written_out

CONDITIONS = {
    "date": "2026-01-01 00:00 UTC", "cpu": "A processor", "cores": 2, "threads": 2, "gpu": "",
    "python": "3.11.7", "versions": {"numpy": "2.4.6"}, "load_before": 0.1, "load_after": 1.9,
    "busy_before": False, "small": False,
}  # fmt: skip


def found(*aims: Aim, **more: object) -> Part:
    rows = [{"way": "this_one", "step_seconds": 0.25, "share": 0.5}]
    return Part("How long a *step* takes.", [Table("Steps", rows)], aims, **more)  # type: ignore[arg-type]


def test_a_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_medians():
    """Ratios 0.5, 2, 1, 4 and 3: the median is 2, while that of the medians is 3 / 2."""
    one, other = np.array([1, 4, 2, 4, 3]), np.array([2, 2, 2, 1, 1])
    ratio = ratio_with_spread(one, other)
    assert ratio.median == 2
    assert ratio.low == pytest.approx(0.7)  # four tenths of the way from 0.5 to 1
    assert ratio.high == pytest.approx(3.6)  # six tenths of the way from 3 to 4
    assert str(ratio) == "2 (0.7 to 3.6)"


def test_rounds_take_turns_and_each_begins_with_another_way():
    called: list[str] = []
    ways = {name: lambda name=name: called.append(name) for name in "abc"}
    seconds = interleaved(ways, rounds=3, warm_up=1)
    assert "".join(called) == "abc" + "abc" + "bca" + "cab"
    assert all(times.shape == (3,) and (times >= 0).all() for times in seconds.values())


def test_when_time_is_up_three_rounds_are_measured_all_the_same():
    seconds = interleaved({"only": lambda: None}, rounds=9, warm_up=0, at_most_seconds=0.0)
    assert len(seconds["only"]) == 3


@pytest.mark.parametrize(
    ("bound", "found_there", "met", "verdict"),
    [
        ("at most", Spread(0.40, 0.38, 0.40), True, "met"),
        (
            "at most",
            Spread(0.40, 0.38, 0.42),
            True,
            "met by the median, not by the 90th percentile",
        ),
        ("at most", Spread(0.4004, 0.3, 0.5), False, "missed by 0.1 %"),  # no rounding up
        ("at least", Spread(0.97, 0.97, 1.0), True, "met"),
        ("at least", Spread(0.98, 0.9, 1.0), True, "met by the median, not by the 10th percentile"),
        ("at least", Spread(0.485, 0.4, 0.6), False, "missed by 50.0 %"),
    ],
)
def test_a_verdict_follows_from_the_numbers(bound, found_there, met, verdict):
    aim = Aim("a figure", bound, 0.4 if bound == "at most" else 0.97, found_there)
    assert (aim.met, aim.verdict) == (met, verdict)


def test_the_page_says_what_was_met_what_was_missed_and_why_and_what_failed():
    met = Aim("a | b", "at least", 1.0, Spread(1.5, 1.4, 1.6))
    missed = Aim("c", "at most", 0.4, Spread(0.5, 0.4, 0.6), "Decoding is 80 % of it.")
    silent = Aim("d", "at most", 1.0, Spread(2.0, 2.0, 2.0))
    outcomes = [
        Outcome("a", 3.2, found(met, missed)),
        Outcome("b", 2.0, found(silent, problems=["There is no GPU."])),
        Outcome("c", 0.1, failure="There is no <file>."),
        Outcome("f", 1.0, found()),
    ]
    text = page(outcomes, CONDITIONS)
    assert "| a      | a \\| b" in text
    assert "0.5 (0.4 to 0.6)" in text
    assert "missed by 25.0 %" in text
    assert "instead of at most 0.4. Decoding is 80 % of it." in text
    assert "instead of at most 1. Nothing that was measured explains it." in text
    assert "**Not measured.** There is no &lt;file&gt;." in text
    assert "**Not measured.** There is no GPU." in text
    assert "not measured: it failed" in text
    assert "compared, no aim" in text
    assert "| this\\_one" in text or "| this_one" in text
    assert [outcome.failed for outcome in outcomes] == [False, True, True, False]
    busy = page(outcomes, CONDITIONS | {"busy_before": True})
    assert "Other programs were at work" in busy
    assert "Other programs were at work" not in text


def test_what_a_part_found_is_the_same_after_it_was_written_and_read():
    part = found(
        Aim("c", "at most", 0.4, Spread(0.5, 0.4, 0.6), "So."), conditions={"n": 3}, notes=["x"]
    )
    written = as_json(as_dictionary(Outcome("b", 1.0, part)) | {"of numpy": np.float64(0.5)})
    read = json.loads(written)
    assert read["aims"][0]["met"] is False
    assert as_dictionary(Outcome("b", 1.0, part_from(read))).items() <= read.items()
    assert part_from(read).aims[0] == part.aims[0]
    with pytest.raises(TypeError, match="no number"):
        as_json({"file": object()})


def test_all_parts_together_are_to_end_within_twenty_minutes():
    assert sum(declared.minutes for declared in DECLARED.values()) <= 20


def test_a_part_that_fails_leaves_its_reason_and_the_exit_code_one(tmp_path, monkeypatch):
    def measure(_: Settings) -> Part:
        raise ZeroDivisionError("no rounds")

    module = types.ModuleType("part_e")
    module.measure = measure  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "benchmarks.suite.part_e", module)
    assert suite.measure_here("e", tmp_path / "part.json", small=True) == 1
    said = json.loads((tmp_path / "part.json").read_text(encoding="utf-8"))
    assert said["failure"] == "ZeroDivisionError('no rounds')"
    failed = Outcome("e", 1.0, failure=said["failure"])
    monkeypatch.setattr(suite, "measured_apart", lambda *_, **__: failed)
    monkeypatch.setattr(suite, "conditions", lambda *_: CONDITIONS)
    files = ["--json", str(tmp_path / "all.json"), "--page", str(tmp_path / "all.md")]
    assert suite.main(["--only", "e", *files]) == 1
    assert "no rounds" in (tmp_path / "all.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["format"] == 1


def test_a_part_that_there_is_not_is_refused(capsys):
    assert suite.main(["--only", "z"]) == 2
    assert "no part z" in capsys.readouterr().out


def test_written_out_jobs_have_the_files_that_jobs_make_and_no_others():
    """Of what a dry run prints: `all` first; a file that nobody makes would stop Snakemake."""
    printed = (
        "total    3\n\n[Tue]\nrule predict:\n    input: results/a.json, config/own.yaml\n"
        "    output: results/b.parquet\n    wildcards: seed=1\n[Tue]\nlocalrule draw:\n"
        "    output: results/a.json\n[Tue]\nrule all:\n    input: results/b.parquet\n"
    )
    text = written_out(printed)
    assert text.startswith("rule all:\n    input: ['results/b.parquet']\n")
    assert "rule predict_0:\n    input: ['results/a.json']\n    output: ['results/b.p" in text
    assert "rule draw_1:\n    input: []\n" in text
    with pytest.raises(ValueError, match="3 of 4"):
        written_out(printed.replace("total    3", "total    4"))
