"""What rules give to the jobs that build systems, beside the registry's own settings."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "workflow/rules/systems.smk"  # Python alone: it has no rules


def functions(squaring: str) -> dict[str, Any]:
    """The functions of the rules, under the configuration as shipped but for one key."""
    config = {
        **yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8")),
        **yaml.safe_load((ROOT / "config/models.yaml").read_text(encoding="utf-8")),
    }
    config["packing"]["squaring"] = squaring
    found: dict[str, Any] = {"config": config}
    exec(compile(RULES.read_text(encoding="utf-8"), RULES, "exec"), found)  # noqa: S102 - our own
    return found


@pytest.mark.parametrize("squaring", ["crop", "squash", "pad"])
def test_whoever_builds_a_clip_model_is_told_how_its_images_become_square(squaring: str) -> None:
    """Trained, untrained or frozen: a model folder may want other images."""
    rules = functions(squaring)
    registry = rules["config"]["models"]
    families = {entry["family"] for entry in registry.values()}
    assert {"clip", "probe"} < families
    for name, entry in registry.items():
        settings = rules["settings_of"](SimpleNamespace(model=name))
        built = {"clip": settings, "probe": settings.get("encoder")}.get(entry["family"])
        assert built is None or built["squaring"] == squaring, name
        assert entry["settings"].items() <= settings.items()
    for encoder in rules["config"]["feature_extractors"]:
        built = rules["encoder_settings"](SimpleNamespace(encoder=encoder))
        assert built["squaring"] == squaring
