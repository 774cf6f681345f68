"""How tests are shared among workers (pytest-xdist, ``--dist loadgroup``)."""

from __future__ import annotations

import pytest

# Tests that share one long run, or one cluster, stay on one worker; others go where there is room.
GROUPS = {
    "test_demo.py": "demo",
    "test_readme.py": "demo",
    "test_real_corpus.py": "real corpus",
    "test_plan.py": "plan",
    # one worker loads PyTorch, torchvision and open_clip, the other need not
    "test_augmentation.py": "networks",
    "test_checkpoint.py": "networks",
    "test_models_clip.py": "networks",
    "test_models_clip_loading.py": "networks",
    "test_models_fusion.py": "networks",
    "test_packing.py": "networks",
    "test_training.py": "networks",
}


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its group, if it has one."""
    for item in items:
        group = "slurm" if item.path.parent.name == "slurm" else GROUPS.get(item.path.name)
        if group:
            item.add_marker(pytest.mark.xdist_group(group))
