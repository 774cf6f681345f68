"""Features of frozen encoders: one job per encoder that an enabled probe names, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .conftest import DEMO, REPOSITORY, Workflow

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

MODELS = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text(encoding="utf-8"))["models"]
PROBES = {name: entry for name, entry in MODELS.items() if entry["family"] == "probe"}


def test_probes_of_one_encoder_share_one_job(fresh: Workflow) -> None:
    """Not one per probe, split or seed; and pretrained weights stand among its inputs."""
    output = fresh.snakemake("trained", "-n")
    extracted = re.findall(r"output: results/pairdx/features/(\w+)\.safetensors", output)
    encoders = {entry["settings"]["features"] for entry in PROBES.values() if entry["enabled"]}
    assert sorted(extracted) == sorted(encoders)
    assert len(encoders) < len(PROBES)
    assert "rule extract_features_on_gpu" in output
    inputs = re.search(r"rule extract_features_on_gpu:\n\s+input: (.*)", output)
    assert inputs
    assert "resources/weights/" in inputs[1]


def test_the_device_decides_and_the_demo_extracts_on_the_cpu(
    fresh: Workflow, tmp_path: Path
) -> None:
    overlay = tmp_path / "probe.yaml"
    overlay.write_text("models: {early_fusion_probe: {enabled: true}}", encoding="utf-8")
    plan = fresh.plan("trained", *DEMO, str(overlay))
    assert plan["extract_features_on_cpu"] == 1
    assert "extract_features_on_gpu" not in plan


def test_without_probes_nothing_is_extracted(fresh: Workflow, tmp_path: Path) -> None:
    overlay = tmp_path / "none.yaml"
    overlay.write_text(
        yaml.safe_dump({"models": {name: {"enabled": False} for name in PROBES}}), encoding="utf-8"
    )
    plan = fresh.plan("all", "--configfile", str(overlay))
    assert not [rule for rule in plan if rule.startswith("extract_features")]


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("models={late_fusion_probe: {enabled: false}}", "models"),
        ("errors={compare: [late_fusion_probe, pairdx_clip]}", "errors.compare"),
        ("leakage_price={systems: [late_fusion_probe]}", "leakage_price.systems"),
        ("learning_rate_search={model: late_fusion_probe}", "learning_rate_search.model"),
    ],
)
def test_a_system_that_has_another_name_now_is_told_by_it(
    fresh: Workflow, setting: str, key: str
) -> None:
    """And nothing is said of the keys that an entry of the old name lacks."""
    said = f"config key {key}: late_fusion_probe is called early_fusion_probe now"
    fresh.refuses(said, "--config", setting)
    output = fresh.snakemake("all", "-n", "--config", setting, check=False)
    assert output.count("config key") == 1


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("models={clip_linear_probe: {settings: {inverse_regularisation: []}}}", "regularisation"),
        (
            "models={tfidf_logistic: {settings: {inverse_regularisation: [1, 0]}}}",
            "regularisation.1",
        ),
        ("models={clip_linear_probe: {settings: {features: nowhere}}}", "settings.features"),
        ("models={clip_linear_probe: {settings: {inputs: [caption]}}}", "settings.inputs"),
        ("models={clip_linear_probe: {settings: {inputs: [audio]}}}", "settings.inputs"),
        ("models={clip_linear_probe: {settings: {encoder: x}}}", "unknown encoder"),
        ("feature_extractors={clip_vit_b32: {weights: nowhere}}", "clip_vit_b32.weights"),
    ],
)
def test_a_wrong_probe_stops_before_the_dag_and_names_the_key(
    fresh: Workflow, setting: str, named: str
) -> None:
    fresh.refuses(named, "--config", setting)
