"""States on disk and the passport: nothing is lost, nothing from outside is executed."""

from __future__ import annotations

import errno
import os
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch

from damage import damaged
from pairdx.errors import PairDxError
from pairdx.training.passport import git_state, passport
from pairdx.training.state.checkpoint import StateFolder
from pairdx.training.state.folder import remove_state, settings_hash
from site_troubles import as_nobody
from tiny_training import KilledError, run, same_weights, stop_after

# -------------------------------------------------------------------- states on disk


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_newest_state_falls_back_to_the_one_before(tmp_path, damage):
    """Two generations are kept, so that a damaged file costs one epoch and changes no weight."""
    undisturbed, _ = run()
    state = StateFolder(tmp_path, "settings")
    with pytest.raises(KilledError):
        run(state=state, after_epoch=stop_after(3))
    older, newest = sorted(tmp_path.glob("*.pt"))
    content = bytearray(newest.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    newest.write_bytes(
        {"truncated": content[: len(content) // 2], "empty": b""}.get(damage, content)
    )
    assert len(state.load()["history"]) == 2
    resumed, rows = run(state=state)
    assert same_weights(undisturbed, resumed)
    assert len(rows) == 4
    assert not older.exists()


def small_state(epoch: int) -> dict[str, object]:
    """Tensors and plain values of every kind that a training's state holds."""
    weights = torch.arange(200, dtype=torch.float32).reshape(10, 20) + epoch
    return {"epoch": epoch, "module": {"weight": weights}, "history": [{"loss": 0.5}], "best": None}


def test_no_damaged_state_is_taken_up(tmp_path):
    """A thousand random damages: the state before serves each time, and nothing else is raised.

    A zip file's own checksums do not do: they leave out its directory, where one bit turns a
    stored part into a compressed one.
    """
    state = StateFolder(tmp_path, "settings")
    for epoch in (1, 2):
        state.save(epoch, 0, small_state(epoch))
    newest = tmp_path / "after-epoch-00002-step-0000000.pt"
    content, random = newest.read_bytes(), np.random.default_rng(7)
    for trial in range(1000):
        newest.write_bytes(damaged(content, random))
        found = state.load()
        assert found is not None, trial
        assert found["epoch"] == 1, trial
    newest.write_bytes(content)
    found = state.load()
    assert found["epoch"] == 2
    assert torch.equal(found["module"]["weight"], small_state(2)["module"]["weight"])


def test_one_bit_of_a_zip_directorys_entry_is_noticed(tmp_path):
    """How a part is packed, and its attributes: PyTorch would take up some of these, or choke."""
    state = StateFolder(tmp_path, "settings")
    state.save(1, 0, small_state(1))
    (newest,) = tmp_path.glob("*.pt")
    content = newest.read_bytes()
    entries = [found.start() for found in re.finditer(b"PK\x01\x02", content)]
    assert len(entries) > 3
    for at in (entry + offset for entry in entries for offset in (10, 11, 36, 37, 38, 39, 40, 41)):
        for bit in range(8):
            changed = bytearray(content)
            changed[at] ^= 1 << bit
            newest.write_bytes(changed)
            assert state.load() is None, (at, bit)


@pytest.mark.parametrize("name", ["00002-step-0000000", "00003-step-0000000", "00009-step-0000005"])
def test_a_folder_with_the_name_of_a_state_stands_in_nobodys_way(tmp_path, name):
    """Of the state that is written next, or of a later one: it is not read, and goes."""
    undisturbed, _ = run()
    state = StateFolder(tmp_path, "settings")
    with pytest.raises(KilledError):
        run(state=state, after_epoch=stop_after(1))
    intruder = tmp_path / f"after-epoch-{name}.pt"
    (intruder / "something").mkdir(parents=True)
    assert len(state.load()["history"]) == 1
    resumed, rows = run(state=state)
    assert same_weights(undisturbed, resumed)
    assert len(rows) == 4
    assert not intruder.is_dir()


def test_a_states_folder_that_may_not_be_read_is_not_taken_for_an_empty_one():
    """Training would begin anew, hours lost: what stands in the way is said."""
    with TemporaryDirectory() as folder:
        state = StateFolder(Path(folder), "settings")
        state.save(1, 0, {"epoch": 1})
        Path(folder).chmod(0)
        with as_nobody(), pytest.raises(PermissionError):
            state.load()
        Path(folder).chmod(0o700)


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_state_that_may_not_be_read_stops_the_training_and_is_kept(epoch):
    """Nobody knows that it is damaged: passed over, the next save would remove it."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        state, trained = StateFolder(Path(folder), "settings"), []
        for done in (1, 2):
            state.save(done, 0, {"epoch": done})
        files = sorted(Path(folder).glob("*.pt"))
        files[epoch - 1].chmod(0o000)
        if epoch == 1:  # behind one that does not serve
            files[1].write_bytes(b"half")
        contents = [file.read_bytes() for file in files] if os.geteuid() == 0 else None
        with as_nobody(), pytest.raises(PairDxError, match="may not be read") as caught:
            run(state=state, after_epoch=lambda *_: trained.append(1))
        assert str(caught.value.where) == str(files[epoch - 1])
        assert sorted(Path(folder).glob("*.pt")) == files
        assert contents is None or [file.read_bytes() for file in files] == contents
        assert not trained
        files[epoch - 1].chmod(0o600)
        assert state.load()["epoch"] == epoch


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EMFILE])
def test_a_state_that_a_failing_storage_keeps_back_stops_the_training(
    tmp_path, monkeypatch, number
):
    """As a server's handle that went stale over night: another node reads it in the morning."""
    state = StateFolder(tmp_path, "settings")
    state.save(1, 0, {"epoch": 1})

    def refuse(path, *_):
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as failing:
        failing.setattr(Path, "open", refuse)
        with pytest.raises(PairDxError, match=re.escape(os.strerror(number))) as caught:
            state.load()
    assert "after-epoch-00001" in str(caught.value.where)
    assert state.load()["epoch"] == 1


def test_two_generations_are_kept_and_removed(tmp_path):
    """The folder never grows beyond two states, and goes as a whole."""
    folder = tmp_path / "state"
    run(state=StateFolder(folder, "settings"))
    names = [path.name for path in sorted(folder.iterdir())]
    assert names == [f"after-epoch-0000{epoch}-step-0000000.pt" for epoch in (3, 4)]
    remove_state(folder)
    remove_state(folder)
    assert not folder.exists()


def test_the_newest_state_is_the_one_furthest_on(tmp_path):
    """Epochs count before steps, and a state within an epoch comes after its beginning."""
    state = StateFolder(tmp_path, "one")
    for epochs, steps in ((0, 900), (1, 0), (1, 30)):
        state.save(epochs, steps, {"at": [epochs, steps]})
    assert state.load()["at"] == [1, 30]
    assert len(list(tmp_path.glob("*.pt"))) == 2


def test_a_state_of_other_settings_is_not_used(tmp_path):
    """A state only fits the settings it was made with."""
    StateFolder(tmp_path, "one").save(1, 5, {"module": {}})
    assert StateFolder(tmp_path, "other").load() is None
    assert StateFolder(tmp_path, "one").load()["module"] == {}
    assert StateFolder(tmp_path / "nowhere", "one").load() is None


def test_a_state_that_holds_code_is_not_executed(tmp_path):
    """A pickle that would run something when loaded is left unused."""
    marker = tmp_path / "executed"
    torch.save(
        {"settings_hash": "one", "trap": Trap(marker)},
        tmp_path / "after-epoch-00001-step-0000000.pt",
    )
    assert StateFolder(tmp_path, "one").load() is None
    assert not marker.exists()


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_settings_hash_follows_content_not_order():
    """Equal settings have equal hashes whatever the order of their keys; a change shows."""
    one = settings_hash({"a": 1, "b": {"c": [1, 2], "d": None}})
    assert one == settings_hash({"b": {"d": None, "c": [1, 2]}, "a": 1})
    assert one != settings_hash({"a": 1, "b": {"c": [2, 1], "d": None}})
    assert len(one) == 16
    assert int(one, 16) >= 0


# -------------------------------------------------------------------- the passport


def test_the_passport_says_what_made_the_model():
    """Settings, seed, versions, host, device, memory and pairs are all there, as plain JSON."""
    made = passport(
        settings={"epochs": 1}, seed=3, device="cpu", threads=1, wall_seconds=1.5,
        pairs={"train": 5, "validation": 1, "test": 1}, parameters=10, trained_parameters=4,
        stand_in=True,
    )  # fmt: skip
    assert made["seed"] == 3
    assert made["stand_in"] is True
    assert made["versions"]["torch"] == torch.__version__.split("+")[0]
    assert made["device"]["kind"] == "cpu"
    assert made["device"]["name"]
    assert made["peak_memory_bytes"]["host"] > 10_000_000
    assert made["peak_memory_bytes"]["device"] is None
    assert made["energy_joules"] is None
    assert made["processes"] == 1
    assert "observed" not in made


def test_the_passport_holds_what_a_system_observed_of_itself():
    """With its warning; a system that observes nothing has no such entry."""
    seen = {"predicted_text_spread": 0.001, "warning": "the same for all images"}
    made = passport(
        settings={}, seed=1, device="cpu", threads=1, wall_seconds=1.0, pairs={}, parameters=1,
        trained_parameters=1, stand_in=False, observed=seen,
    )  # fmt: skip
    assert made["observed"] == seen


def test_git_state_of_a_checkout_and_of_none(tmp_path):
    """Revision and dirtiness of the file's own checkout; nulls outside one, and for strangers."""

    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    unknown = {"revision": None, "dirty": None}
    file = tmp_path / "code.py"
    file.write_text("1", encoding="utf-8")
    assert git_state(file) == unknown
    git("init", "-q")
    assert git_state(file) == unknown
    git("add", "code.py")
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "first")
    clean = git_state(file)
    assert len(clean["revision"]) == 40
    assert clean["dirty"] is False
    file.write_text("2", encoding="utf-8")
    assert git_state(file) == {"revision": clean["revision"], "dirty": True}
    (tmp_path / "stranger.py").write_text("3", encoding="utf-8")
    assert git_state(tmp_path / "stranger.py") == unknown
