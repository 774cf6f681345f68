"""The cluster check as text: a table of the machines, and a table of verdicts with remedies."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from pairdx.cluster.findings import Finding, worst_first

Facts = Mapping[str, Any]
PLACES = {"login": "login node", "cpu": "CPU job", "gpu": "GPU job", "cluster": "cluster"}
WIDTH = 100


def machine_rows(places: Mapping[str, Facts], waited: Mapping[str, str]) -> list[list[str]]:
    """Describe the machines side by side: one row per fact, the first cell names it.

    Args:
        places: The facts of each place, by place.
        waited: What each job was seen to wait for, by place.
    """
    rows = [["", *(PLACES[place] for place in places)]]
    columns = [
        _column(facts) | {"waited for": waited.get(place, "")} for place, facts in places.items()
    ]
    for name in columns[0]:
        cells = [column[name] for column in columns]
        if any(cells):
            rows.append([name, *cells])
    return rows


def _column(facts: Facts) -> dict[str, str]:
    job, driver, torch = facts["slurm"] or {}, facts["driver"], facts["torch"]
    memory, limit = job.get("memory_mb"), job.get("limit_minutes")
    seen = torch["gpus"] if torch else []
    return {
        "host": facts["host"],
        "node": job.get("node") or "",
        "partition": job.get("partition") or "",
        "account": job.get("account") or "",
        "SLURM job": job.get("job") or "",
        "CPUs": f"{facts['processors']} usable, {job.get('processors') or 'unknown'} granted"
        if job
        else f"{facts['processors']} usable",
        "memory granted": f"{memory:,.0f} MB" if memory else "",
        "time limit": f"{limit:g} min" if limit else "",
        "GPUs granted": job.get("gpus") or "",
        "CUDA_VISIBLE_DEVICES": facts["visible_gpus"] or "",
        "nvidia-smi": ", ".join(gpu.get("name", "") for gpu in driver["gpus"]) or driver["error"],
        "NVIDIA driver": ", ".join(sorted({gpu.get("driver", "") for gpu in driver["gpus"]})),
        "GPUs that PyTorch sees": ", ".join(gpu["name"] for gpu in seen),
        "PyTorch": f"{torch['version']}, built for {_cuda(torch)}" if torch else "",
        "processor": facts["processor"],
        "Python": f"{facts['environment']['python']} ({facts['environment']['kind']})",
        "environment": facts["environment"]["prefix"],
        "temporary folder": facts["temporary"],
        "time": facts["time"],
    }


def _cuda(torch: Mapping[str, Any]) -> str:
    return f"CUDA {torch['cuda']}" if torch["cuda"] else "CPUs only"


def conclusion(findings: Sequence[Finding], notes: Sequence[str]) -> str:
    """Say in one sentence what the check came to."""
    count = {verdict: sum(finding.verdict == verdict for finding in findings)
             for verdict in ("fail", "warn", "ok")}  # fmt: skip
    counted = f"{count['fail']} fail, {count['warn']} warn, {count['ok']} ok"
    if count["fail"]:
        text = f"The workflow will not run as the profile is now ({counted})."
    elif count["warn"]:
        text = f"The workflow can run; look at the warnings ({counted})."
    else:
        text = f"The profile fits this cluster ({counted})."
    return " ".join([text, *notes])


def as_page(
    title: str, rows: Sequence[Sequence[str]], findings: Sequence[Finding], notes: Sequence[str]
) -> str:
    """Write the report in Markdown."""
    verdicts = [["verdict", "where", "what", "found", "what to change"]]
    verdicts += [
        [finding.verdict, PLACES[finding.place], finding.check, finding.found, finding.remedy]
        for finding in worst_first(findings)
    ]
    parts = [f"# {_plain(title)}", _plain(conclusion(findings, notes))]
    parts += ["## Verdicts", _table(verdicts), "## Machines", _table(rows)]
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(map(_plain, row)) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Make text of programs show as itself in a cell of a Markdown table."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for mark in "\\`*_[]|~":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_text(rows: Sequence[Sequence[str]], findings: Sequence[Finding]) -> str:
    """Write the same for a terminal: machines in columns, then verdicts, the worst last.

    What is well is only named; the page says what was found.
    """
    blocks = [_columns(rows), ""]
    for place, name in PLACES.items():
        well = dict.fromkeys(
            finding.check
            for finding in findings
            if finding.place == place and finding.verdict == "ok"
        )
        if well:
            blocks.append(_wrapped(f"OK   {name}: {', '.join(well)}", "     "))
    for finding in reversed(worst_first(findings)):
        if finding.verdict == "ok":
            continue
        head = f"{finding.verdict.upper():5}{PLACES[finding.place]}: {finding.check}: "
        blocks.append(_wrapped(head + finding.found, "     "))
        if finding.remedy:
            blocks.append(_wrapped(f"     -> {finding.remedy}", "        "))
    return "\n".join(blocks)


def _columns(rows: Sequence[Sequence[str]]) -> str:
    """Set cells below each other; what is too long for its column is folded."""
    first = max(len(row[0]) for row in rows)
    width = max(20, (WIDTH - first) // (len(rows[0]) - 1) - 2)
    lines = []
    for row in rows:
        folded = [textwrap.wrap(cell, width, break_on_hyphens=False) or [""] for cell in row[1:]]
        for number in range(max(map(len, folded))):
            cells = [part[number] if number < len(part) else "" for part in folded]
            name = row[0] if number == 0 else ""
            line = name.ljust(first) + "".join(f"  {cell.ljust(width)}" for cell in cells)
            lines.append(line.rstrip())
    return "\n".join(lines)


def _wrapped(text: str, indent: str) -> str:
    return "\n".join(
        textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False,
                      break_on_hyphens=False)
    )  # fmt: skip
