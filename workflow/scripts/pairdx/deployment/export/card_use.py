"""Of a model card: what the system is, how to use it, what it is not fit for, what lies beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from pairdx.deployment.export.card_facts import CardFacts
from pairdx.deployment.export.card_head import in_one_line
from pairdx.models.library_weights import PICTURE, PROBABILITIES
from pairdx.reporting.format.classes import title_of
from pairdx.reporting.format.labels import systems_note
from pairdx.reporting.format.markdown import escape, laid_out, percent, with_interval
from pairdx.reporting.format.tables import DRAWN_NOTE
from pairdx.subsets import LEAKAGE_KINDS

LONGEST_NAME = 80
INTENDED = "For trying out what such a system makes of documents like those it was trained on."
NOT_INTENDED = (
    "**Not for diagnosis, treatment or any other decision about a patient.** It is no medical "
    "device, and nobody has tested it in a clinic."
)
# Of what began as weights that are not this run's.
BEFORE = "what its pretraining showed it is not known here"
# Of pictures that the lines in other libraries read; images.decode does more.
AS_IT_IS = (
    "The picture is taken as it is. The code that goes with this folder also lays transparent ones "
    "on white, brings colours to sRGB and refuses what it cannot read for certain."
)


def shown(name: str) -> str:
    """Write the name of a class within a sentence."""
    return escape(cut(name))


def cut(name: str) -> str:
    """Cut the name of a class where it is very long, also in the middle of a word."""
    name = in_one_line(name)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def opening(facts: CardFacts) -> list[str]:
    """Say what it is, and loudly what its numbers are worth where they are worth nothing."""
    deployment, told = facts.deployment, facts.told
    note = systems_note([{**told["system"], "stand_in": deployment["stand_in"]}])
    warnings = [one for one in (note, DRAWN_NOTE if told["drawn"] else None) if one]
    loud = [f"> **{escape(one)}**" for one in warnings]
    number = len(deployment["classes"])
    several = "which of {} findings an image shows" if facts.several else "which of {} classes"
    asked = several.format(f"{number:,}")
    given = {
        ("image",): "an image",
        ("caption",): "a caption",
        ("image", "caption"): "an image and its caption",
    }[tuple(deployment["reads"])]
    says = f"Given {given}, it says {asked}" + ("" if facts.several else f" {given} is of")
    names = [title_of(label, facts.names) for label, _ in deployment["classes"]]
    listed = ", ".join(shown(name) for name in names[:20])
    rest = f", and {number - 20:,} more (see below)" if number > 20 else ""
    also = (
        "."
        if facts.several
        else (", with a calibrated probability of each, and abstains where it is not sure enough.")
    )
    return (
        ["\n>\n".join(loud), f"{says}{also}", f"Classes: {listed}{rest}."]
        if loud
        else [
            f"{says}{also}",
            f"Classes: {listed}{rest}.",
        ]
    )


def intended(facts: CardFacts) -> list[str]:
    """Say what it is for and what not."""
    texts = facts.told["texts"]
    why = f"Also because the {escape(texts['classes'])}."
    often = texts.get("frequencies")
    uses = [INTENDED, f"{NOT_INTENDED} {why}", *([escape(often)] if often else [])]
    return ["\n".join(f"- {use}" for use in uses)]


def how_to(facts: CardFacts) -> list[str]:
    """Write the command lines."""
    lines = ["# The library that classifies: neither PyTorch nor the workflow is needed."]
    if facts.reads_captions:
        lines += [
            "# A table (.csv, .tsv, .parquet, .jsonl) with a column of files and one of captions.",
            "python -m pairdx.deployment . documents.csv --caption-column caption "
            "-o predictions.csv",
        ]
    else:
        lines += [
            "# Images, folders, or a table (.csv, .tsv, .parquet, .jsonl) with a column of files.",
            "python -m pairdx.deployment . pictures/ -o predictions.csv",
        ]
    lines += [
        "# The same on a page in the browser, on this machine only.",
        "python -m pairdx.deployment . --serve",
    ]
    reads = (
        "It reads captions: an image without one is not classified, and said to be missing it."
        if facts.reads_captions
        else "It reads no captions."
    )
    return [
        "From this folder, where the library `pairdx` is installed:",
        "```shell\n" + "\n".join(lines) + "\n```",
        f"{reads} Each row of the output has the class, a probability of every class, whether it "
        "abstains, and the file's size and SHA-256. `sha256sum -c SHA256SUMS` checks this folder.",
    ]


def limits(facts: CardFacts) -> list[str]:
    """Say what it was never shown, and what numbers do not promise."""
    told = facts.told
    found = [_closed(facts), *_never_shown(facts)]
    if told["min_age"]:
        found.append(
            f"Patients known to be younger than {told['min_age']} years were left out of its data."
        )
    found += [_one_data_set(facts), _leak(facts)]
    if facts.reads_captions:
        found.append(
            "Captions often name the class outright: where they are missing, wrong or of another "
            "language, the numbers above do not hold."
        )
    if facts.deployment["threshold"] is not None:
        found.append(_optimistic(facts))
    return ["\n".join(f"- {one}" for one in found)]


def _one_data_set(facts: CardFacts) -> str:
    data = "All of its data are of one data set."
    if facts.began_elsewhere:
        data = f"All of this run's data are of one data set; {BEFORE}."
    return f"{data} How it does with documents of other places, devices or times was not measured."


def _optimistic(facts: CardFacts) -> str:
    """Say what a threshold is worth that answers as many validation pairs as the risk allows."""
    return (
        f"The threshold was chosen on {facts.deployment['validation_pairs']:,} validation pairs, "
        "which also chose the temperature, and answers as many of them as the risk allows. On new "
        "documents, even if they are like these, the share of wrong answers is on average somewhat "
        "higher than on these pairs; what it came to on test pairs is the measured figure. Of a "
        "single document it promises nothing."
    )


def _closed(facts: CardFacts) -> str:
    if facts.several:
        return "It knows these findings and no others: an image may show what it has no word for."
    return (
        "It names one of its classes whatever the image shows, also if it is of none of them; it "
        "may then be sure of it."
    )


def _never_shown(facts: CardFacts) -> list[str]:
    others = [shown(title_of(label, {})) for label in facts.told["out_of_distribution"]]
    if not others:
        return ["No class is known that it was kept from: nobody asked it about others."]
    named = ", ".join(others)
    if facts.began_elsewhere:
        return [f"Not among this run's training pairs: {named}; {BEFORE}. {_noticed(facts)}"]
    return [f"Never shown in training: {named}. {_noticed(facts)}"]


def _noticed(facts: CardFacts) -> str:
    found = facts.numbers.others
    if found is None:
        return "How sure it is of such pairs is not known here."
    auroc = with_bounds(found.auroc, lambda value: f"{value:.2f}")
    return (
        f"Asked about {found.pairs:,} such pairs, it was less sure of them than of test pairs with "
        f"an AUROC of {auroc}, where 0.5 is chance; of {with_bounds(found.passing, percent_of)} "
        "of them it was as sure as of 95 % of the validation pairs. How sure it is, is here the "
        "network's own highest probability, before calibration."
    )


def with_bounds(found: Mapping[str, float | None], write: Callable[[float], str]) -> str | None:
    """Write a value and its interval (keys value, low, high); None for none."""
    value, low, high = (
        float("nan") if found[key] is None else found[key] for key in ("value", "low", "high")
    )
    return with_interval(value, low, high, write=write)  # type: ignore[arg-type]


def _leak(facts: CardFacts) -> str:
    grouped = facts.told["grouped_by"]
    words = {kind: grouped[at] for kind, at in LEAKAGE_KINDS.items() if at in grouped}
    if "captions" not in facts.told["lacks"]:
        words["caption"] = "caption"
    words["near_duplicate_image"] = "near-duplicate image"
    pairs = facts.numbers.metrics["pairs"]
    leaks = {words[kind]: facts.shared[kind] for kind in words if facts.shared[kind]}
    if not leaks:
        shared = ", ".join(escape(name) for name in words.values())
        return f"As far as the data tell, test pairs share no {shared} with training pairs."
    told = ", ".join(f"{escape(name)}: {number:,}" for name, number in leaks.items())
    return (
        f"**Test pairs share something with training pairs ({told}; of {pairs:,}).** The numbers "
        "above are then higher than of documents that share nothing."
    )


def elsewhere(facts: CardFacts) -> list[str]:
    """Write how the weights are loaded by the library that the network is of."""
    weights = facts.weights
    if weights is None:
        return [
            "This system's network is no library's: use model.onnx, by ONNX Runtime or any other "
            "program that runs such graphs."
        ]
    return [
        f"The folder `weights` is as {weights.library} loads it. {escape(weights.what)} From this "
        f"folder, with a picture `{PICTURE}`:",
        f"```python\n{weights.lines.rstrip()}\n```",
        AS_IT_IS,
        _to_calibrate(facts) if weights.gives == PROBABILITIES else "",
    ]


def _to_calibrate(facts: CardFacts) -> str:
    temperature = facts.deployment["temperature"]
    own = "These are the network's own probabilities"
    if temperature is None:
        return f"{own}."
    calibrated = f"(probabilities.log() / {temperature:.6g}).softmax(dim=1)"
    return f"{own}; `{calibrated}` are the calibrated ones."


def files(facts: CardFacts) -> list[str]:
    """List what lies in the folder."""
    table = pd.DataFrame(
        {
            "file": list(facts.files),
            "size": [readable_bytes(number) for number in facts.files.values()],
        }
    )
    return [
        laid_out(table, "pipe", escape),
        "README.md is this card; SHA256SUMS has the checksums of all other files.",
    ]


def readable_bytes(number: int) -> str:
    """Write a size in the unit that suits it: ``1.2 MB``."""
    size, unit = float(number), "bytes"
    for larger in ("kB", "MB", "GB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"


def percent_of(share: float) -> str:
    """Write a share of 1 in percent, with the sign."""
    return f"{percent(share)} %"
