"""The model card of a deployed folder: written from the run, and from nothing else."""

from __future__ import annotations

from pairdx.deployment.export import card_data, card_results, card_use
from pairdx.deployment.export.card_facts import CardFacts, card_facts
from pairdx.deployment.export.card_head import card_head
from pairdx.reporting.format.markdown import escape
from pairdx.tasks import task

__all__ = ["CardFacts", "card_facts", "model_card"]


def model_card(facts: CardFacts) -> str:
    """Write README.md: Markdown behind a head of YAML (:mod:`.card_head`)."""
    deployment = facts.deployment
    titles = {one.name: one.title for one in task(deployment["task"]).metrics}
    sections = {
        "Intended use": card_use.intended(facts),
        "How to use it": card_use.how_to(facts),
        "Data": card_data.data(facts),
        "Training": card_data.training(facts),
        "Results": card_results.results(facts),
        "Results per class": card_results.per_class(facts),
        "Calibration and abstention": card_results.calibration(facts),
        "Limits": card_use.limits(facts),
        "Verification": card_results.verification(facts),
        "Weights in other libraries": card_use.elsewhere(facts),
        "Files": card_use.files(facts),
        "Licences": card_data.licences(facts),
        "Citation": [escape(facts.told["texts"]["citation"])],
    }
    title = f"{deployment['title']}, trained on {deployment['dataset_title']}"
    if not facts.trained:
        title = f"{deployment['title']}, for the classes of {deployment['dataset_title']}"
    blocks = [f"# {escape(title)}", *card_use.opening(facts)]
    for heading, parts in sections.items():
        blocks += [f"## {heading}", *filter(None, parts)]
    # Of what the folder answers: calibrated, where anything is.
    metrics = facts.numbers.calibrated or facts.numbers.metrics
    head = card_head(deployment, facts.told, metrics, titles)
    return head + "\n" + "\n\n".join(block.strip() for block in blocks) + "\n"
