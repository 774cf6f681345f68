"""What the cluster check makes of the facts that jobs bring back."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_facts import facts
from pairdx.cluster.findings import Finding
from pairdx.cluster.report import as_page, as_text, conclusion, machine_rows
from pairdx.cluster.requests import request_findings, spelling_findings
from pairdx.cluster.slurm import Partition
from pairdx.cluster.verdicts import absent, findings_of

A100 = Partition("a100", False, 1440.0, 64, 500_000, "gpu:a100:4")
CPU = Partition("cpu", True, 600.0, 32, 128_000, "")


def verdicts(place: str, **changes: Any) -> list[Finding]:
    """Judge one place of a cluster that is otherwise in order."""
    places = {name: facts(name) for name in ("login", "cpu", "gpu")}
    places[place] = facts(place, **changes)
    return findings_of(places[place], places)


def bad(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.check, finding.verdict) for finding in found if finding.verdict != "ok"]


@pytest.mark.parametrize("place", ["login", "cpu", "gpu"])
def test_a_cluster_in_order_has_no_complaint(place: str) -> None:
    """A check that cries wolf would be ignored: every finding is ok, and no remedy is given."""
    found = verdicts(place)
    assert bad(found) == []
    assert len(found) > 5
    assert not any(finding.remedy for finding in found)


@pytest.mark.parametrize(
    ("changes", "said", "remedy"),
    [
        ({"slurm": {"gpus": None}, "driver": {"gpus": []}}, "granted job 7 no GPU", "gres:"),
        (
            {"driver": {"gpus": [], "error": "nvidia-smi is not installed here"}},
            "no working NVIDIA driver",
            "slurm_partition",
        ),
        ({"visible_gpus": "", "driver": {"gpus": []}}, "hides it from the job step", "gres:"),
        ({"torch": {"cuda": None}}, "built for CPUs only", "requirements.lock"),
        ({"torch": {"error": "driver too old"}}, "(580.1) shows NVIDIA A100", "newer driver"),
        ({"slurm": None}, "no GPU can be used", "device: cpu"),
    ],
)
def test_a_gpu_job_without_a_usable_gpu_fails_with_the_line_to_change(
    changes: dict[str, Any], said: str, remedy: str
) -> None:
    """Grant, driver, job step and PyTorch fail for different reasons, each with its own remedy."""
    blind = {"torch": {"available": False, "gpus": [], "error": ""}}
    torch = blind["torch"] | changes.get("torch", {})
    [finding] = [
        one for one in verdicts("gpu", **(changes | {"torch": torch})) if one.check == "GPU"
    ]
    assert finding.verdict == "fail"
    assert said in finding.found
    assert remedy in finding.remedy


def test_a_missing_pytorch_fails_as_packages_and_as_gpu() -> None:
    """Missing packages are findings, with their names."""
    found = verdicts("gpu", torch=None, environment={"missing": ["torch"]})
    assert bad(found) == [("packages", "fail"), ("GPU", "fail")]
    assert found[[one.check for one in found].index("packages")].found.endswith(": torch")


@pytest.mark.parametrize(
    ("place", "changes", "expected"),
    [
        ("cpu", {"slurm": None, "squeue": None}, ("SLURM job", "warn")),
        ("cpu", {"processors": 1}, ("CPUs", "warn")),
        ("cpu", {"squeue": None}, ("squeue", "warn")),
        ("cpu", {"squeue": "GONE"}, ("squeue", "warn")),
        ("cpu", {"environment": {"different": {"numpy": ["1.0", "2.4"]}}}, ("packages", "warn")),
        ("cpu", {"torch": {"import_error": "crashed"}}, ("PyTorch", "fail")),
        ("cpu", {"folders": {"results": {"error": "Read-only"}}}, ("folders", "fail")),
        ("cpu", {"folders": {"results": {"free_bytes": 10**9}}}, ("free space", "warn")),
        ("cpu", {"folders": {"results": {"clock_seconds": -9.0}}}, ("clock", "warn")),
        ("cpu", {"lock_error": "Function not implemented"}, ("locks", "warn")),
        ("cpu", {"held": False}, ("locks", "warn")),
        ("cpu", {"seen": {"login": None}}, ("shared storage", "fail")),
        ("cpu", {"seen": {"login": 50.0}}, ("shared storage", "warn")),
        ("cpu", {"beside": {"gpu": False}, "looked": 1100.0}, ("shared storage", "fail")),
        ("cpu", {"files": {"downloads.glove": ["g.txt"]}}, ("files", "fail")),
        ("login", {"files": {"multicare.path": ["m"]}}, ("files", "fail")),
        ("gpu", {"slurm": {"gpus": None}}, ("GPU grant", "warn")),
    ],
)
def test_each_fault_is_found_alone_and_has_a_remedy(
    place: str, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    """One fault gives one complaint, under its own name, that says what to change."""
    found = verdicts(place, **changes)
    assert bad(found) == [expected]
    assert all(finding.remedy for finding in found if finding.verdict != "ok")


def test_no_locks_and_no_squeue_together_fail() -> None:
    """Either alone still tells two jobs on one training state apart; without both nothing does."""
    found = verdicts("cpu", lock_error="Function not implemented", squeue=None)
    assert ("locks", "fail") in bad(found)


def test_a_job_that_ended_before_the_other_began_says_nothing_of_its_files() -> None:
    """Jobs that did not run at the same time are no evidence against shared storage."""
    assert bad(verdicts("cpu", beside={"gpu": False}, looked=900.0)) == []


def test_missing_downloads_fail_only_without_internet() -> None:
    """Files that the login node can fetch are no fault; else the error names the key for a file."""
    missing = {"files": {"downloads.weights.resnet18": ["r.pth"]}}
    assert bad(verdicts("login", **missing)) == []
    found = verdicts("login", **missing, hosts={"files.example": "timed out"})
    assert bad(found) == [("internet", "fail")]
    assert "downloads.weights.resnet18.path" in found[-1].remedy


def test_texts_are_not_said_to_be_downloaded() -> None:
    keys = ("downloads.glove.path", "text_banks.mine.join.path")
    found = [one for key in keys for one in verdicts("login", files={key: ["t"]}) if one.remedy]
    said = [one.remedy for one in found if one.check == "files"]
    assert ["set it to null" in one for one in said] == [True, False]


def asked(**changes: Any) -> list[dict[str, Any]]:
    """Give the three attempts of a GPU rule, the later ones with more time."""
    base = {"threads": 4, "runtime": 180, "mem_mb": 32000, "gpu": 1, "gpu_model": "a100"}
    base |= {"slurm_partition": "a100", "gres": None} | changes
    return [base | {"runtime": base["runtime"] * attempt} for attempt in (1, 2, 3)]


@pytest.mark.parametrize(
    ("changes", "check", "verdict", "said"),
    [
        ({}, "requests", "ok", "fit their partitions"),
        ({"slurm_partition": "gpu"}, "partition", "fail", "sinfo shows a100, cpu"),
        ({"runtime": 1500}, "time limit", "fail", "ends jobs after 1440 min"),
        ({"runtime": 500}, "time limit", "warn", "(attempt 3, after a failure)"),
        ({"gpu_model": "h100"}, "GPU request", "fail", "has gpu:a100:4"),
        ({"slurm_partition": None}, "GPU request", "fail", "no node of partition cpu has one"),
        ({"mem_mb": 600_000}, "memory and CPUs", "fail", "500000 MB"),
        ({"threads": 100}, "memory and CPUs", "fail", "64 CPUs"),
    ],
)
def test_requests_are_measured_against_the_partition_that_they_name(
    changes: dict[str, Any], check: str, verdict: str, said: str
) -> None:
    """A job above a limit would wait for ever without a word: the rule, limit and key are named."""
    [finding] = request_findings({"train_on_gpu": asked(**changes)}, [A100, CPU])
    assert (finding.check, finding.verdict) == (check, verdict)
    assert said in finding.found
    assert verdict == "ok" or "slurm_partition" in finding.remedy or "gpu_model" in finding.remedy
    assert "{" not in finding.remedy


def test_a_gpu_request_other_than_the_checked_one_is_told() -> None:
    """The check is worth nothing for a rule whose GPU request differs from the one that ran."""
    requests = {"check_gpu_node": asked(), "train_on_gpu": asked(slurm_partition="big")}
    [finding] = spelling_findings(requests, ["train_on_gpu"])
    assert "slurm_partition is 'big', and 'a100'" in finding.found
    assert spelling_findings(requests | {"train_on_gpu": asked()}, ["train_on_gpu"]) == []


def test_the_report_has_every_finding_and_shows_text_of_programs_as_it_is() -> None:
    """The worst comes first on the page and last on the terminal; markup in answers stays text."""
    places = {name: facts(name) for name in ("login", "cpu")}
    places["cpu"]["host"] = "a|b <script>"
    found = [finding for one in places.values() for finding in findings_of(one, places)]
    found.append(absent("gpu", "check_gpu_node", "QOSMaxGRESPerUser"))
    rows = machine_rows(places, {"cpu": "Priority"})
    page = as_page("Check", rows, found, ["A note."])
    assert "a\\|b &lt;script&gt;" in page
    assert page.index("| fail |") < page.index("| ok |")
    assert "QOSMaxGRESPerUser" in page
    assert "will not run" in page.splitlines()[2]
    text = as_text(rows, found)
    assert max(map(len, text.splitlines())) <= 100
    assert text.index("OK   CPU job") < text.index("FAIL GPU job")
    assert "Priority" in text
    assert conclusion(found[:-1], []).startswith("The profile fits")
