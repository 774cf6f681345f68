"""A configuration that a job would refuse hours later is refused at the start, by its key."""

from __future__ import annotations

import pytest
import yaml

from pairdx.errors import PairDxError
from pairdx.plan.start import plan_of
from plans import REPOSITORY

# What no single key shows, of every subject, in one overlay on the paper's configuration, and what
# is said of it.
CONFLICTS = """
device: cuda
datasets:
  multicare:
    subset: 2
    source: {path: "/data/{site}/corpus"}
    curation: {review: {decisions: "sheet.csv "}}
    class_words: {radiolgy: [x]}
  release: {source: {article_pattern: "(("}}
downloads: {weights: {biomedclip: {checksums: {open_clip.bin: null}}}}
systems:
  pairdx_fusion: {settings: {gpus: 3}}
  clip_zero_shot: {settings: {architecture: ViT-B-32-quickgel}}
"""
SAID = """
datasets.multicare.source.path: /data/{site}/corpus has braces
datasets.multicare.curation.review.decisions: 'sheet.csv ' begins or ends with a space
datasets.multicare.class_words: radiolgy is no class; did you mean radiology?
datasets.multicare.subset: of 2 pairs,
datasets.release.source.article_pattern: this is no regular expression
systems.clip_zero_shot.settings.architecture: open_clip has no 'ViT-B-32-quickgel'; did you mean
systems.pairdx_fusion.settings.batch_size: 128 is no multiple of 3 GPUs
downloads.weights.biomedclip.checksums: open_clip.bin is not among its files
"""


def refused(overlay: str, *, as_module: bool = False) -> list[str]:
    """The lines that say what is wrong."""
    with pytest.raises(PairDxError, match="the configuration is not valid") as caught:
        plan_of(yaml.safe_load(overlay), REPOSITORY, [], as_module=as_module)
    return str(caught.value).splitlines()[1:]


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        # The configuration as a whole.
        ("seedz: [1]", "unknown seedz; did you mean seeds?"),
        ("run: ../elsewhere", "config key run"),
        ("paper: pairdix", "config key paper: config/papers holds no pairdix.yaml"),
        # Datasets: the rest of them in test_checks_of_datasets.py.
        ("corpus: demo", "config key corpus: every dataset has an entry"),
        ("datasets: {multicare: {curation: {min_agee: 18}}}", "unknown min_agee"),
        ("datasets: {multicare: {split: {fractions: {train: 0.9}}}}", "multicare.split.fractions"),
        # Systems: the rest of them in test_families.py.
        ("systems: {pairdx_fusion: {settings: {epoch: 3}}}", "unknown epoch"),
        ("systems: {pairdx_clip: {settings: {weights: nowhere}}}", "nowhere"),
        ("systems: {majority: {paper: nope}}", "config key systems.majority.paper"),
        ("systems: {pairdx_clip: {settings: {class_names: {ct: CT}}}}", "settings.class_names"),
        ("systems: {tfidf_logistic: {reads: [image]}}", "config key systems.tfidf_logistic.reads"),
        ("systems: {late_fusion_probe: {enabled: false}}", "is called early_fusion_probe now"),
        ("systems: {mine: {like: image_onli}}", "config key systems.mine.like: image_onli is not"),
        ("systems: {nobody: null}", "config key systems: unknown nobody"),
        # Texts.
        ("text_banks: {tcga_breast: {reeder: lines}}", "tcga_breast: unknown reeder; did you mean"),
        ("text_banks: {tcga_breast: {reader: csv}}", "'class_prompts', 'entities', 'lines', 'tab"),
        ("text_banks: {tcga_breast: {keep: {organ: breast}}}", "text_banks.tcga_breast.keep.organ"),
        ("text_banks: {captions: {path: a}}", "text_banks.captions: unknown path"),
        ("text_banks: {tcga_lung: {reader: table, path: a}}", "tcga_lung: text is missing"),
        ("text_banks: {captionz: {cleaning: true}}", "unknown captionz; did you mean captions?"),
        ("pairings: {captions_owl: {rank: 2}}", "unknown captions_owl; did you mean captions_own?"),
        ("grids: null", "config key grids: None is not of type 'object' (a section in which no"),
        # What is asked of them.
        ("evaluation: {abstention: {coverage: 0}}", "config key evaluation.abstention.coverage"),
        ("evaluation: {abstention: {risk: 5}}", "config key evaluation.abstention.risk"),
        ("evaluation: {out_of_distribution_pairs: -1}", "evaluation.out_of_distribution_pairs"),
        ("leakage_price: {systems: [pairdx_clop]}", "config key leakage_price.systems"),
        ("input_probes: {systems: [nobody]}", "config key input_probes.systems: nobody"),
        ("input_probes: {image_corruptions: {jpeg: [0]}}", "input_probes.image_corruptions.jpeg"),
        ("input_probes: {image_corruptions: {melting: [1]}}", "unknown melting"),
        ("mistakes: {compare: [pairdx_clip, nobody]}", "config key mistakes.compare: nobody"),
        ("prompt_sensitivity: {templates: [a photo]}", "prompt_sensitivity.templates.0"),
        ('prompt_sensitivity: {templates: ["a {} and a {}"]}', "prompt_sensitivity.templates.0"),
        ('prompt_sensitivity: {templates: ["a {name}"]}', "prompt_sensitivity.templates.0"),
        ("learning_rate_search: {system: pairdx_klip}", "search.system: pairdx_klip is no system"),
        ("learning_rate_search: {system: clip_zero_shot}", "is not a trainable network"),
        ("learning_rate_search: {system: tfidf_logistic}", "is not a trainable network"),
        ("learning_rate_search: {split: published}", "published is not among"),
        ("learning_rate_search: {split: random}", "config key learning_rate_search.split"),
        ("learning_rate_search: {dataset: drawn}", "config key learning_rate_search.dataset"),
        ("learning_rate_search: {learning_rates: [1.0e-5, 0.00001]}", "search.learning_rates"),
        ("learning_rate_search: {learning_rates: []}", "learning_rate_search.learning_rates"),
        ("learning_rate_search: {learning_rates: [0.0]}", "search.learning_rates.0"),
        ("learning_rate_search: {learning_rates: [1e-5]}", "write 1.0e-5"),
        ("learning_rate_search: {rates: [1.0e-5]}", "unknown rates"),
    ],
)
def test_one_mistake_is_one_sentence_with_its_key(overlay: str, said: str) -> None:
    (line,) = refused(overlay)
    assert said in line


def test_contradictions_of_every_subject_are_named_at_once() -> None:
    """And none is said of the datasets that are like this one, too."""
    lines = refused(CONFLICTS)
    said = SAID.strip().splitlines()
    assert len(lines) == len(said)
    assert [line for line in said if not any(f"config key {line}" in one for one in lines)] == []


def test_whoever_uses_the_workflow_as_a_module_is_told_what_to_give_it() -> None:
    lines = refused("{mine: 1, run: demo}", as_module=True)
    assert "unknown mine" in lines[0]
    assert 'config: config["pairdx"]' in lines[1]
