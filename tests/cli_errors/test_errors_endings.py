"""How commands end: places that cannot be written, devices that are not there, Ctrl-C, and our own faults."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from command_lines import generating, training, unwritable
from small_runs import OtherProcess, call, environment

from temporal_gan import cli, cli_generate


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    words = "device cuda is not available here; this machine has: "
    assert words in mistake(*training(room, "train.device=cuda"))
    assert words in mistake(*generating(room, tmp_path, device="cuda"))
    arguments = ("evaluate", room / "run", room / "store", "--out", tmp_path / "out", "--device", "cuda")
    assert words in mistake(*arguments)


@pytest.mark.parametrize("below", ["", "deeper"])
def test_nothing_can_be_written_there(
    room: Path, tmp_path: Path, mistake: Callable[..., str], below: str
) -> None:
    out = unwritable(tmp_path) / below
    assert str(out) in mistake(*training(room, out=out))
    assert str(out) in mistake("puppet", "--out", out, "--clips", 1, "--frames", 2, "--size", 32, "--quiet")
    assert str(out) in mistake("evaluate", room / "store", room / "store", "--out", out, "--quiet")
    assert "is where a folder should be" in mistake(*training(room, out=out))
    assert (tmp_path / "file").read_text() == "no folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert str(locked) in mistake(*training(room, out=locked / "run"))
    assert str(locked) in mistake(*generating(room, tmp_path, out=locked / "a.gif"))


def test_our_own_fault_keeps_its_traceback(
    room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr(cli_generate, "load_animator", broken)
    with pytest.raises(RuntimeError, match="a defect of ours"):
        call(*generating(room, tmp_path))


def test_ctrl_c_keeps_what_is_rendered_and_says_so(tmp_path: Path) -> None:
    arguments = ("puppet", "--out", tmp_path / "s", "--clips", 2000, "--size", 128, "--quiet")
    other = OtherProcess(tmp_path / "log", call, *arguments)
    other.wait_for((tmp_path / "s" / "video" / "puppet_000000.mkv").exists)
    other.send(signal.SIGINT)
    assert other.wait() == 130, other.output()
    assert other.output() == "stopped; repeat the same command to go on\n"


@pytest.mark.parametrize(
    ("command", "part", "line"),
    [
        (("demo",), "run_demo", "stopped; repeat the same command to go on\n"),
        (("evaluate", "a", "b"), "run_evaluation", "stopped; repeat the same command to go on\n"),
        (("sample", "run"), "load_sampler", "stopped\n"),
    ],
)
def test_ctrl_c_says_whether_repeating_goes_on(
    command: tuple[str, ...],
    part: str,
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, part, interrupted)
    assert call(*command, "--out", tmp_path / "out", "--quiet") == 130
    assert capfd.readouterr() == ("", line)


@pytest.mark.slow
def test_in_a_fresh_interpreter(tmp_path: Path) -> None:
    """As a user's shell sees it; the tests above run in this process."""
    code = "from temporal_gan.cli import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "train",
        "tiny",
        "--data",
        str(tmp_path),
        "--out",
        str(tmp_path / "run"),
    ]
    run = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert (run.stdout, run.stderr) == ("", f"error: {tmp_path}: is no clip store (no store.json in it)\n")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("train", "tiny", "--foo"), "--foo"),
        (("walk",), "walk"),
        (("puppet", "--out", "x", "--clips", "many"), "--clips"),
        (("train", "tiny"), "--data"),
    ],
)
def test_a_mistake_in_the_command_itself(
    arguments: tuple[str, ...], what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert what in err
    assert err.count("\n") == 1
    assert "--help" in err
