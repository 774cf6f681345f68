"""The list of all tables and figures; what an entry means stands in :mod:`pairdx.plan.items`."""

from __future__ import annotations

from dataclasses import replace

from pairdx.plan import items
from pairdx.plan.items import Item

# The categories of the report in reading order.
OVERVIEW, DATA, SYSTEMS = "1. Overview", "2. Data", "3. Systems"
COMPARISON, MISTAKES, COST = "4. Comparison", "5. Mistakes", "6. Cost"
# Stands for the title of the system that an item is about.
SYSTEM = "{title of the system}"


def _part(category: str, subcategory: str | None, *found: Item) -> list[Item]:
    """Put items into one part of the report, in reading order."""
    return [replace(item, category=category, subcategory=subcategory) for item in found]


_OVERVIEW = _part(
    OVERVIEW,
    None,
    Item(
        *("table", "comparison", "compare_systems", "Comparison of all systems"),
        analysis="comparison",
    ),
    Item(
        *("figure", "comparison", "compare_systems", "Accuracy of all systems", "accuracy"),
        analysis="comparison",
    ),
    Item(
        *("figure", "accuracy_against_cost", "describe_cost", "Accuracy against cost"),
        analysis="comparison",
    ),
    Item(
        *("table", "discrepancies", "list_discrepancies", "The paper's numbers beside ours"),
        when=items.paper_is_reproduced,
        analysis="comparison",
    ),
    Item("figure", "rule_graph", "draw_rule_graph", "Rules of the workflow"),
)

_PAIRS = _part(
    DATA,
    "1. Pairs",
    Item("page", "datasheet_{dataset}", "write_datasheet", "Datasheet"),
    Item(
        *("page", "check_{dataset}", "check_documents_of_dataset", "Check before training"),
        folder="check",
    ),
    Item("table", "dataset_{dataset}", "describe_dataset", "Pairs per class"),
    Item(
        *("figure", "class_counts_{dataset}", "describe_dataset", "Pairs per class and subset"),
        caption="dataset",
    ),
    Item("figure", "examples_{dataset}", "describe_dataset", "Example images"),
    Item(
        *("table", "example_captions_{dataset}", "describe_dataset", "Example captions"),
        when=items.captions_are_there,
    ),
    Item(
        *("figure", "caption_lengths_{dataset}", "describe_dataset", "Caption lengths"),
        when=items.captions_are_there,
    ),
    Item(
        *("table", "texts_{dataset}", "describe_texts", "Captions as the systems read them"),
        when=items.texts_are_read,
    ),
    Item(
        *("figure", "ages_{dataset}", "describe_dataset", "Ages of the patients"),
        when=items.ages_are_known,
    ),
    Item(
        *("table", "findings_of_{dataset}", "describe_dataset", "Findings per subset"),
        when=items.findings_are_stated,
    ),
)

_CURATION = _part(
    DATA,
    "2. Curation",
    Item("figure", "funnel_{dataset}", "describe_curation", "Funnel"),
    Item("table", "funnel_{dataset}", "describe_curation", "Funnel"),
    Item("figure", "funnel_by_class_{dataset}", "describe_curation", "Funnel by class"),
    Item("table", "funnel_by_class_{dataset}", "describe_curation", "Funnel by class"),
    Item("table", "rejections_{dataset}", "describe_curation", "Reasons of rejection"),
    Item(
        *("table", "identifiers_{dataset}", "describe_curation", "Identifiers found in captions"),
        when=items.captions_are_there,
    ),
    Item(
        *("table", "masked_captions_{dataset}", "describe_curation", "Masked captions to review"),
        when=items.captions_are_there,
    ),
)

_SPLITS = _part(
    DATA,
    "3. Splits",
    Item("figure", "leakage_{dataset}", "describe_curation", "What subsets share"),
    Item("table", "leakage_{dataset}", "describe_curation", "What subsets share"),
)

_CELL = "{dataset}_{split}_{system}"
_SYSTEMS = _part(
    SYSTEMS,
    SYSTEM,
    *(
        Item(
            *(kind, f"per_class_{_CELL}", "report_system", "Scores per class"),
            analysis="per_class",
        )
        for kind in ("table", "figure")
    ),
    Item(
        *("figure", f"confusion_{_CELL}", "report_system", "Confusion matrix"),
        analysis="confusion",
    ),
    Item(
        *("figure", f"training_{_CELL}", "report_system", "Training curves"),
        systems="curves",
        analysis="per_class",
    ),
    Item(
        *("figure", "explanations_{dataset}_{system}", "explain_systems"),
        *("What decisions rest on",),
        systems="explanations",
        analysis="explanations",
    ),
    *(
        Item(
            *(kind, "learning_rate_search", "choose_learning_rate", "Learning-rate search"),
            when=items.something_is_searched,
            asked=True,
        )
        for kind in ("figure", "table")
    ),
    Item(
        *("table", f"findings_{_CELL}", "report_findings", "Scores per finding"),
        when=items.findings_are_known,
        analysis="findings",
    ),
    Item(
        *("figure", f"roc_{_CELL}", "report_findings", "ROC curves per finding"),
        when=items.findings_are_known,
        analysis="findings",
    ),
    Item(
        *("figure", f"findings_training_{_CELL}", "report_findings", "Training curves"),
        systems="curves",
        analysis="findings",
        caption="training",
    ),
)

_TESTS = _part(
    COMPARISON,
    "1. Seeds and tests",
    Item(
        *("table", "seeds", "compare_systems", "Every metric: seeds and test set"),
        analysis="seeds",
    ),
    *(
        Item(
            *(kind, "system_tests_{dataset}", "compare_predictions", "Tests between systems"),
            analysis="system_tests",
        )
        for kind in ("figure", "table")
    ),
)

_GRIDS = _part(
    COMPARISON,
    "8. Backbones and ways to adapt them",
    *(
        Item(
            *(kind, "grid_{grid}", "compare_grids", "By backbone and way of adapting it"),
            when=items.grids_are_stated,
        )
        for kind in ("table", "figure")
    ),
)

_LEAKAGE = _part(
    COMPARISON,
    "2. Price of leakage",
    Item(
        *("table", "leakage_price_{dataset}", "price_leakage"),
        *("Trained with and without siblings of the test pairs",),
        when=items.leakage_is_priced,
        analysis="leakage_price",
    ),
    *(
        Item(
            *(kind, "split_effect_{dataset}", "compare_predictions"),
            *("Stratified against grouped split",),
            when=items.splits_are_compared,
            analysis="split_effect",
        )
        for kind in ("figure", "table")
    ),
)

_CONFIDENCE = _part(
    COMPARISON,
    "3. Confidence",
    Item(
        *("table", "calibration_{dataset}", "assess_confidence", "Calibration and abstention"),
        analysis="calibration",
    ),
    Item(
        *("figure", "reliability_{dataset}_{split}", "assess_confidence", "Reliability diagrams"),
        analysis="calibration",
    ),
    Item(
        *("figure", "risk_coverage_{dataset}_{split}", "assess_confidence", "Risk by coverage"),
        analysis="calibration",
    ),
    Item(
        *("table", "out_of_distribution_{dataset}", "assess_confidence"),
        *("Detection of classes out of distribution",),
        when=items.others_are_asked_about,
        analysis="out_of_distribution",
    ),
)

_CHANGED_INPUT = [
    replace(item, when=item.when or items.inputs_are_probed, analysis="input_probes")
    for item in _part(
        COMPARISON,
        "4. Changed input",
        Item(
            *("figure", "text_gives_away_{dataset}", "compare_input_probes"),
            *("What the text gives away",),
            when=items.texts_are_probed,
        ),
        Item(
            *("figure", "robustness_{dataset}", "compare_input_probes"),
            *("Accuracy on damaged input",),
        ),
        Item(
            *("table", "input_probes_{dataset}", "compare_input_probes"),
            *("Accuracy under changed input",),
        ),
    )
]

_PROMPTS = _part(
    COMPARISON,
    "5. Prompts",
    Item(
        *("table", "prompt_sensitivity_{dataset}", "compare_predictions"),
        *("Accuracy by prompt template",),
        when=items.prompts_are_varied,
        analysis="prompt_sensitivity",
    ),
)

_ELSEWHERE = [
    replace(item, when=items.others_are_tested_on, analysis="tested_on")
    for item in _part(
        COMPARISON,
        "6. On other documents",
        Item("figure", "tested_on", "compare_tested_on", "Accuracy at home and elsewhere"),
        Item("table", "tested_on", "compare_tested_on", "Tested on another dataset"),
        Item(
            *("table", "tested_on_confidence", "compare_tested_on"),
            *("Calibration and abstention elsewhere",),
        ),
        Item("table", "tested_on_classes", "compare_tested_on", "Classes of the other dataset"),
    )
]

_PRIVILEGED = [
    replace(item, when=item.when or items.texts_are_paired, analysis="pairings")
    for item in _part(
        COMPARISON,
        "7. Privileged text",
        Item("table", "pairings_{dataset}", "describe_pairings", "Texts paired with images"),
        Item(
            *("table", "complementarity_{dataset}", "describe_pairings"),
            *("What texts tell and images do not",),
            when=items.texts_meet_images,
        ),
        Item(
            *("figure", "pairing_cosines_{dataset}_{split}", "describe_pairings"),
            *("Similarity of images and their texts",),
        ),
        *(
            Item(
                *(kind, "text_matches_{dataset}_{split}", "describe_pairings"),
                *("Most and least similar texts",),
            )
            for kind in ("figure", "table")
        ),
    )
]

_FINDINGS = _part(
    COMPARISON,
    "9. Findings",
    *(
        Item(
            *(kind, "findings_comparison", "compare_findings"),
            *("Findings by system, at home and elsewhere",),
            analysis="findings_comparison",
        )
        for kind in ("table", "figure")
    ),
    Item(
        *("table", "findings_by_test_set", "compare_findings", "Every finding on every test set"),
        analysis="findings_comparison",
    ),
    Item(
        *("table", "competition", "compare_competition", "Beside people: F1 and MCC"),
        when=items.competition_is_stated,
        analysis="findings_comparison",
    ),
    Item(
        *("table", "findings_tests_{dataset}", "compare_findings_of_dataset"),
        *("Tests between systems",),
        analysis="findings_tests",
    ),
    *(
        Item(
            *(kind, "findings_calibration_{dataset}", "compare_findings_of_dataset"),
            *("Probabilities of findings and how often they are true",),
            analysis="findings_calibration",
        )
        for kind in ("table", "figure")
    ),
    Item(
        *("table", "finding_prompts_{dataset}", "compare_findings_of_dataset"),
        *("Findings by prompts",),
        when=items.finding_prompts_are_varied,
        analysis="finding_prompts",
    ),
)

_MISTAKES = [
    *_part(
        MISTAKES,
        "1. Most confident mistakes",
        Item("figure", f"mistakes_{_CELL}", "report_system", "", analysis="mistakes"),
    ),
    *_part(
        MISTAKES,
        "2. Disagreements of two systems",
        Item(
            *("table", "disagreements_{dataset}_{split}", "compare_predictions"),
            *("Pairs on which they disagree",),
            when=items.two_systems_run,
            analysis="disagreements",
        ),
    ),
]

_COST = _part(
    COST,
    None,
    Item("table", "cost", "describe_cost", "Training and classification, by system"),
    Item("table", "timing", "describe_cost", "CPU seconds per image, by stage"),
    Item(
        *("table", "inference_cost_{dataset}", "price_inference"),
        *("Cost of classifying one image, with and without privileged texts",),
        when=items.inference_is_priced,
        analysis="inference_cost",
    ),
    Item("table", "benchmarks", "describe_cost", "What the jobs took, by rule"),
)

ITEMS: tuple[Item, ...] = (
    *(*_OVERVIEW, *_PAIRS, *_CURATION, *_SPLITS, *_SYSTEMS, *_TESTS, *_LEAKAGE, *_CONFIDENCE),
    *(*_CHANGED_INPUT, *_PROMPTS, *_ELSEWHERE, *_PRIVILEGED, *_GRIDS, *_FINDINGS),
    *(*_MISTAKES, *_COST),
)
