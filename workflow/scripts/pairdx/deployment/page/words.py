"""Sentences of the page about a system, and numbers as they are shown."""

from __future__ import annotations

from pairdx.deployment.folder import DeployedFolder


def percent(share: float) -> str:
    """Write a share with one decimal; nothing but all reads as all, nothing but none as none."""
    shown = f"{100 * share:.1f}"
    if shown == "100.0" and share < 1:
        return "> 99.9 %"
    if shown == "0.0" and share > 0:
        return "< 0.1 %"
    return f"{shown} %"


def _whole(share: float) -> str:
    return f"{100 * share:g} %"


def on_abstention(folder: DeployedFolder) -> str:
    """Say of an answer that is left to a person why it is; nothing, where none ever is."""
    if folder.several:
        return ""
    risk = _whole(folder.facts["risk"])
    if folder.facts["threshold"] is None:
        return (
            f"No confidence kept mistakes at {risk} on validation pairs: leave this one to a "
            "person."
        )
    return (
        f"Below the confidence that kept mistakes at {risk} on validation pairs: leave this one to "
        "a person."
    )


def on_answers(folder: DeployedFolder) -> str:
    """Say once what an answer of this system is worth."""
    facts = folder.facts
    if folder.several:
        return (
            "Any number of findings can be there. Each is called present from a probability on, "
            "the line in its bar, that was chosen on validation pairs. Where these gave no ground "
            "for one, there is no line, and the finding is not decided."
        )
    risk = _whole(facts["risk"])
    if facts["threshold"] is None:
        return (
            f"No confidence kept mistakes at {risk} on {facts['validation_pairs']:,} validation "
            "pairs, so that everything is left to a person."
        )
    return (
        f"Answers are given from a confidence of {percent(facts['threshold'])} on. On "
        f"{facts['validation_pairs']:,} validation pairs that kept mistakes at {risk} or fewer, "
        f"and answered {percent(facts['coverage'])} of them."
    )


def on_caption(folder: DeployedFolder) -> str:
    """Say what the field of captions is for."""
    if folder.reads_images:
        return "This system reads each image together with its caption, so every image needs one."
    return "This system reads captions alone."
