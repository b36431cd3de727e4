"""The benchmarks of speed compare what they say, and their files say what was measured."""

import json
import sys
from pathlib import Path

import clip_steps
import gpu_training
import numpy as np
import pytest
import record
import torch
from plain_dcgan import FlatImageFolder, networks, plain_steps
from small_runs import picture_folder
from throughput import Turns

from temporal_gan.models.dcgan import DCGANConfig, DCGANDiscriminator, DCGANGenerator

CPU = torch.device("cpu")


def test_the_plain_script_trains_the_very_same_networks() -> None:
    for theirs, ours in zip(
        networks(),
        (DCGANGenerator(DCGANConfig(), 0).main, DCGANDiscriminator(DCGANConfig(), 0).main),
        strict=True,
    ):
        theirs.load_state_dict(ours.state_dict())
        assert [type(layer) for layer in theirs] == [type(layer) for layer in ours]
        x = (
            torch.randn(2, 100, 1, 1)
            if isinstance(theirs[0], torch.nn.ConvTranspose2d)
            else torch.randn(2, 3, 64, 64)
        )
        assert torch.equal(theirs(x), ours(x))


def test_the_plain_script_learns_from_its_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = picture_folder(tmp_path, ("red",), 4) / "red"
    picture = FlatImageFolder(folder)[0]
    assert picture.shape == (3, 64, 64)
    assert -1 <= float(picture.min()) < float(picture.max()) <= 1
    steps = plain_steps(folder, 2, CPU)
    next(steps)
    assert capsys.readouterr().out.startswith("[0] ")


def test_both_sides_take_turns() -> None:
    told: list[str] = []

    def theirs() -> None:
        while True:
            told.append("theirs")
            yield

    def ours() -> None:
        while True:
            told.append("ours")
            yield torch.zeros(1), torch.zeros(1)

    turns = Turns(theirs(), CPU, block=2)
    batches = turns.between(ours())
    for _ in range(5):
        next(batches)
    assert told == ["theirs", "theirs", "ours", "ours"] * 2 + ["theirs", "theirs", "ours"]
    assert (len(turns.ours), len(turns.theirs)) == (2, 3)
    torch.set_flush_denormal(False)


def test_the_ratio_is_of_medians_and_lies_in_its_interval() -> None:
    draw = np.random.default_rng(0)
    noise = draw.uniform(1, 3, 40)
    theirs = (2 * noise).tolist()
    ours = (noise * draw.uniform(0.99, 1.01, 40)).tolist()
    found = record.ratio_interval(ours, theirs)
    assert found["ratio"] == np.median(ours) / np.median(theirs)
    assert found["low"] <= found["ratio"] <= found["high"]
    # Pairs are kept together: what slows both down does not widen the interval.
    assert found["high"] - found["low"] < 0.02
    apart = record.ratio_interval(draw.permutation(ours).tolist(), theirs)
    assert apart["high"] - apart["low"] > 0.05


def test_a_record_says_what_was_measured_where_and_keeps_those_beside_it(tmp_path: Path) -> None:
    first = record.record("a", "python a.py", {"x": 1.0, "y": None}, tmp_path)
    second = record.record("b", "python b.py", [2], tmp_path)
    assert first == second
    content = json.loads(first.read_text())
    assert {name: entry["results"] for name, entry in content.items()} == {
        "a": {"x": 1.0, "y": None},
        "b": [2],
    }
    about = content["a"]["metadata"]
    assert about["command"] == "python a.py"
    assert first.name.startswith(about["utc"][:10])
    assert first.name.endswith(f"_{about['commit']}.json")


@pytest.mark.slow
def test_a_recipes_steps_are_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_steps, "CLIPS", 3)
    monkeypatch.setattr(clip_steps, "FRAMES", 4)
    small = [
        "model.width=4",
        "model.max_width=8",
        "critics.frame.width=4",
        "critics.clip.width=4",
        "data.batch=2",
    ]
    found = clip_steps.time_recipe("base", small, tmp_path, CPU, 2)
    assert 0 < found["step_sec"] < 60
    assert found["frames_per_sec"] == pytest.approx(2 * 4 / found["step_sec"])
    assert 0 < found["waiting_share"] < 1
    assert found["peak_gib"] is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_without_a_card_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu_training.py"])
    with pytest.raises(SystemExit, match="^gpu_training: this machine has no CUDA device"):
        gpu_training.main()
