"""Checkpoints: no kill, full disk or damaged file costs the last good one, and no file can run code."""

import errno
import os
import pickle
import resource
from pathlib import Path
from typing import Any

import pytest
import torch

from temporal_gan.checkpoint import (
    checkpoint_path,
    clear_temporaries,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
    write_atomically,
)
from temporal_gan.errors import CheckpointError


def content(step: int) -> dict[str, Any]:
    weights = {"w": torch.arange(3000.0) + step, "half": torch.ones(3, dtype=torch.float16)}
    return {"step": step, "generator": weights, "config": {"a": [1, 2.5, "x", None, True]}}


def save(folder: Path, step: int, keep: int = 2) -> Path:
    return save_checkpoint(folder, step, content(step), keep)


def test_what_is_saved_loads_bit_equal(tmp_path: Path) -> None:
    path = save(tmp_path / "deep" / "checkpoints", 12)
    assert path.name == "step_00000012.pt"
    loaded = load_checkpoint(path)
    expected = content(12)
    assert loaded.keys() == expected.keys()
    assert loaded["config"] == expected["config"]
    for name, value in expected["generator"].items():
        assert torch.equal(loaded["generator"][name], value)
        assert loaded["generator"][name].dtype == value.dtype


def test_only_the_newest_are_kept_and_listed_in_order(tmp_path: Path) -> None:
    for step in (5, 100, 20, 3):
        save(tmp_path, step, keep=10)
    (tmp_path / "step_00000007.pt.tmp").write_bytes(b"unfinished")
    (tmp_path / "notes.txt").write_text("mine")
    assert [step for step, _ in list_checkpoints(tmp_path)] == [3, 5, 20, 100]
    save(tmp_path, 101, keep=2)
    assert [step for step, _ in list_checkpoints(tmp_path)] == [100, 101]
    assert (tmp_path / "notes.txt").is_file()
    assert list_checkpoints(tmp_path / "gone") == []


def test_saving_a_step_again_replaces_it(tmp_path: Path) -> None:
    save(tmp_path, 5)
    save_checkpoint(tmp_path, 5, {"step": 5, "generator": {}}, 2)
    assert load_checkpoint(checkpoint_path(tmp_path, 5)) == {"step": 5, "generator": {}}


def test_leftovers_of_an_interrupted_save_are_cleared(tmp_path: Path) -> None:
    kept = save(tmp_path, 5)
    (tmp_path / "step_00000006.pt.tmp").write_bytes(b"unfinished")
    clear_temporaries(tmp_path)
    clear_temporaries(tmp_path / "gone")
    assert list(tmp_path.iterdir()) == [kept]


def test_a_full_disk_costs_nothing_that_was_saved(tmp_path: Path) -> None:
    good = save(tmp_path, 1, keep=1)
    before = good.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (4096, hard)
    )  # the kernel refuses to write on, as on a full disk
    try:
        with pytest.raises(CheckpointError) as caught:
            save(tmp_path, 2, keep=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "step_00000002.pt: could not be written" in str(caught.value)
    assert "free some space" in str(caught.value)
    assert list(tmp_path.iterdir()) == [good]
    assert good.read_bytes() == before


def test_a_disk_that_fills_at_the_last_moment_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems report a full disk only when asked to flush."""
    good = save(tmp_path, 1, keep=1)

    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(CheckpointError, match="No space left on device"):
        save(tmp_path, 2, keep=1)
    with pytest.raises(CheckpointError, match="No space left on device"):
        save(tmp_path, 1, keep=1)
    assert list(tmp_path.iterdir()) == [good]
    assert torch.equal(load_checkpoint(good)["generator"]["w"], content(1)["generator"]["w"])


def test_data_is_on_the_disk_before_the_file_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    fsync, move = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("fsync"), fsync(fd))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("replace"), move(a, b))[1])
    save(tmp_path, 1)
    assert order == ["fsync", "replace"]


def test_an_interrupted_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def interrupted(temporary: Path) -> None:
        temporary.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, interrupted)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "old")]


def test_a_folder_that_is_a_file_is_reported_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(CheckpointError, match="could not be written"):
        save(tmp_path / "out", 1)


def test_a_truncated_file_is_named_and_the_one_before_it_pointed_to(tmp_path: Path) -> None:
    path = save(tmp_path, 3)
    data = path.read_bytes()
    for length in (0, 1, 2, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match="step_00000003.pt"):
            load_checkpoint(path)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointError, match="damaged .*resume from the one before it"):
        load_checkpoint(path)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_any_other_bytes_are_refused_in_our_words(tmp_path: Path) -> None:
    path, draw = tmp_path / "step_00000003.pt", torch.Generator().manual_seed(0)
    for length in range(1, 120):
        path.write_bytes(bytes(torch.randint(0, 256, (length,), generator=draw).tolist()))
        with pytest.raises(CheckpointError):
            load_checkpoint(path)
    # Opcodes that trip the reader in other ways than random bytes do: an empty stack, an empty list of marks.
    for data in (b".", b"0", b"a", b"\x80\x02.", b"(l.", b"]R.", b"e", b"t"):
        path.write_bytes(data)
        with pytest.raises(CheckpointError):
            load_checkpoint(path)


class Trap:
    """Creates a folder when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_checkpoint_is_never_run(tmp_path: Path, zipped: bool) -> None:
    sprung, path = tmp_path / "sprung", tmp_path / "step_00000001.pt"
    data = {"step": 1, "generator": Trap(sprung)}
    if zipped:
        torch.save(data, path)
    else:
        path.write_bytes(pickle.dumps(data, protocol=2))
    with pytest.raises(CheckpointError, match="refused: .*nothing in it was run"):
        load_checkpoint(path)
    assert not sprung.exists()
    if zipped:
        torch.load(path, weights_only=False)
    else:
        pickle.loads(path.read_bytes())
    assert sprung.exists(), "the trap itself is broken"


def test_a_missing_file_and_another_programs_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        load_checkpoint(tmp_path / "gone.pt")
    torch.save({"weights": torch.ones(2)}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="no 'step' in it"):
        load_checkpoint(tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(CheckpointError, match="not a checkpoint of this program"):
        load_checkpoint(tmp_path / "list.pt")
