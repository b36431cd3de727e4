"""Mistakes in a configuration."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_lines import training
from small_runs import CLIP_GAN, config_file


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("losses.l1_wieght=3", "unknown key 'losses.l1_wieght'; did you mean 'l1_weight'?"),
        ("train.stpes=3", "unknown key 'train.stpes'; did you mean 'steps'?"),
        ("train.steps=many", "train.steps: Input should be a valid integer"),
        ("train.steps=0", "train.steps: "),
        ("train.steps", "override 'train.steps': expected key=value"),
        ("model.size=48", "model.size: Input should be 32"),
        ("losses.adversarial=wasserstein", "losses.adversarial: "),
        ("critics.frame.layers=5", "too many layers and scales for model.size 32"),
    ],
)
def test_configuration(room: Path, mistake: Callable[..., str], override: str, words: str) -> None:
    line = mistake(*training(room, override))
    assert line.startswith((str(room / "c.yaml"), "override"))
    assert words in line
    assert not (room / "never").exists()


def test_an_unknown_key_in_a_file(tmp_path: Path, room: Path, mistake: Callable[..., str]) -> None:
    file = config_file(tmp_path / "bad.yaml", CLIP_GAN, data__batchsize=3)
    line = mistake("train", file, "--data", room / "store", "--out", tmp_path / "run")
    assert line == f"{file}: unknown key 'data.batchsize'; did you mean 'batch'?"


def test_an_unknown_recipe(room: Path, mistake: Callable[..., str]) -> None:
    assert "recipes: base, " in mistake("train", "tinny", "--data", room / "store", "--out", room / "never")


def test_weights_to_start_from(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    missing = tmp_path / "missing.safetensors"
    assert mistake(*training(room, "--start", missing)) == f"{missing}: no such weights file"
    line = mistake(*training(room, "model.width=8", "--start", room / "run"))
    assert "another architecture: model.width is 4 there and 8 here; make that the same" in line
    assert not (room / "never").exists()
