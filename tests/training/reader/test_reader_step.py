"""The reader's losses against closed forms, and a run that learns, stops and goes on."""

import json
import math
from pathlib import Path

import pytest
import torch

from temporal_gan.config import load_config, parse_config
from temporal_gan.errors import CheckpointError, UserError
from temporal_gan.models.reader import RawReading, Reader
from temporal_gan.models.reader_file import READER_FILE, load_reader, save_reader
from temporal_gan.puppet import random_specs
from temporal_gan.puppet.dataset import write_puppet_store
from temporal_gan.training.reader.frames import FrameBatch, PuppetFrames
from temporal_gan.training.reader.recipe import ReaderOptimConfig, ReaderRecipe
from temporal_gan.training.reader.run import train_reader
from temporal_gan.training.reader.step import (
    build_reader_state,
    contrast,
    learning_rate,
    reader_losses,
    take_reader_step,
)

TINY = {
    "model": {"width": 8, "features": 8, "identity": 8},
    "frames": {
        "size": 64, "characters": 2, "scripts": 2, "moments": 2, "scenes_a_batch": 2, "scenes_kept": 2,
        "first_scenes": 2,
    },
    "train": {
        "steps": 4, "seed": 5, "device": "cpu", "log_every_steps": 1, "preview_every_steps": 4,
        "save_every_steps": 2,
    },
}  # fmt: skip


def recipe(**train: object) -> ReaderRecipe:
    return parse_config({**TINY, "train": {**TINY["train"], **train}}, ReaderRecipe, "here")


def blank_batch(count: int = 4) -> FrameBatch:
    expression = torch.zeros(count, 14)
    expression[:, 2] = 1.0
    return FrameBatch(
        frames=torch.rand(count, 3, 64, 64),
        keypoints=torch.full((count, 25, 2), 0.5),
        confidence=torch.ones(count, 25),
        joints_known=torch.ones(count, 25, dtype=torch.bool),
        expression=expression,
        expression_known=torch.ones(count, 14, dtype=torch.bool),
        script=torch.arange(count) // 2,
        character=torch.arange(count) % 2,
    )


def uniform_reading(count: int = 4) -> RawReading:
    return RawReading(
        heat=torch.zeros(count, 25, 32, 32),
        confidence=torch.zeros(count, 25),
        classes=torch.zeros(count, 8),
        controls=torch.zeros(count, 6),
        features=torch.ones(count, 8),
        identity=torch.nn.functional.normalize(torch.ones(count, 8), dim=-1),
    )


def test_a_reader_that_knows_nothing_pays_the_entropy_of_a_guess() -> None:
    losses = reader_losses(uniform_reading(), blank_batch())
    assert float(losses["keypoints"]) == pytest.approx(math.log(32 * 32), rel=1e-5)
    assert float(losses["classes"]) == pytest.approx(math.log(8), rel=1e-5)
    assert float(losses["confidence"]) == pytest.approx(math.log(2), rel=1e-5)
    # All vectors equal: each of the three others is as likely the partner.
    assert float(losses["features"]) == pytest.approx(math.log(3), rel=1e-5)


def test_what_nobody_knows_costs_nothing() -> None:
    batch = blank_batch()
    nobody = torch.full((4,), -1)
    unknown = FrameBatch(
        batch.frames, batch.keypoints, batch.confidence, torch.zeros(4, 25, dtype=torch.bool), batch.expression,
        torch.zeros(4, 14, dtype=torch.bool), nobody, nobody,
    )  # fmt: skip
    assert all(float(v) == 0 for v in reader_losses(uniform_reading(), unknown).values())


def test_unlabelled_classes_are_left_out_of_the_guess() -> None:
    batch = blank_batch()
    known = torch.zeros(4, 14, dtype=torch.bool)
    known[:, :4] = True
    partly = FrameBatch(
        batch.frames, batch.keypoints, batch.confidence, batch.joints_known, batch.expression, known,
        batch.script, batch.character,
    )  # fmt: skip
    assert float(reader_losses(uniform_reading(), partly)["classes"]) == pytest.approx(math.log(4), rel=1e-5)


def test_contrast_by_hand() -> None:
    # Two pairs along two axes: own partner at cosine 1, the two others at 0, temperature 0.1.
    vectors = torch.eye(2).repeat_interleave(2, dim=0)
    expected = -math.log(math.exp(10) / (math.exp(10) + 2))
    assert float(contrast(vectors, torch.tensor([0, 0, 1, 1]))) == pytest.approx(expected, abs=2e-6)
    crossed = -math.log(1 / (math.exp(10) + 2))
    assert float(contrast(vectors, torch.tensor([0, 1, 0, 1]))) == pytest.approx(crossed, rel=1e-4)
    assert float(contrast(vectors, torch.tensor([-1, -1, -1, -1]))) == 0.0


def test_the_rate_rises_then_falls_to_nothing() -> None:
    config = ReaderOptimConfig(lr=1.0, warmup_steps=9)
    rates = [learning_rate(config, step, 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.1, rel=0.01)
    assert max(rates) == pytest.approx(rates[9], rel=1e-6) == pytest.approx(0.98, abs=0.01)
    assert rates[100] == pytest.approx(0, abs=1e-9)


def test_a_run_goes_on_bit_by_bit_where_it_was_stopped(tmp_path: Path) -> None:
    train_reader(recipe(), tmp_path, quiet=True)
    lines = [json.loads(x) for x in (tmp_path / "stats.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert all(math.isfinite(line["loss/keypoints"]) for line in lines)
    assert (tmp_path / "previews" / "step_00000004.png").is_file()
    whole = load_reader(tmp_path).state_dict()
    # As if it had been killed after step 3.
    (tmp_path / READER_FILE).unlink()
    (tmp_path / "checkpoints" / "step_00000004.pt").unlink()
    train_reader(recipe(), tmp_path, quiet=True)
    again = load_reader(tmp_path).state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)


@pytest.mark.slow
def test_it_learns_a_batch_by_heart() -> None:
    plan = recipe(steps=80).model_copy(update={"optim": ReaderOptimConfig(lr=1e-2, warmup_steps=3)})
    state = build_reader_state(plan, None, torch.device("cpu"))
    batch = PuppetFrames(plan.frames, 0).batch(0)
    log = [take_reader_step(state, batch, plan) for _ in range(40)]
    assert float(log[0]["loss/keypoints"]) == pytest.approx(math.log(32 * 32), abs=0.3)
    for name, least in (("keypoints", 1.0), ("classes", 0.7), ("identity", 0.5), ("features", 0.5)):
        assert float(log[-1][f"loss/{name}"]) < float(log[0][f"loss/{name}"]) - least, name
    assert float(log[-1]["read/class_accuracy"]) > 0.9


def test_tuning_starts_from_a_reader_and_leaves_its_statistics_alone(tmp_path: Path) -> None:
    specs = random_specs(3, 0, characters=["hana"], frames=2, size=48)
    store = write_puppet_store(tmp_path / "store", specs, 0, quiet=True)
    torch.manual_seed(0)
    begun = Reader(recipe().model).eval()
    save_reader(tmp_path / "begun.safetensors", begun, {})
    train_reader(recipe(steps=2), tmp_path / "run", store.path, tmp_path / "begun.safetensors", quiet=True)
    before, after = (
        dict(load_reader(p).named_buffers()) for p in (tmp_path / "begun.safetensors", tmp_path / "run")
    )
    assert all(torch.equal(before[name], after[name]) for name in before)
    weights = [
        dict(load_reader(p).named_parameters()) for p in (tmp_path / "begun.safetensors", tmp_path / "run")
    ]
    assert any(not torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_run_is_not_continued_with_another_recipe_or_start(tmp_path: Path) -> None:
    train_reader(recipe(steps=2), tmp_path / "run", quiet=True)
    with pytest.raises(CheckpointError, match="train.seed"):
        train_reader(recipe(steps=2, seed=6), tmp_path / "run", quiet=True)
    save_reader(tmp_path / "begun.safetensors", Reader(recipe().model), {})
    with pytest.raises(CheckpointError, match="other data"):
        train_reader(recipe(steps=2), tmp_path / "run", None, tmp_path / "begun.safetensors", quiet=True)
    with pytest.raises(UserError, match="neither a file"):
        train_reader(recipe(), tmp_path / "other", None, "nobody", quiet=True)


@pytest.mark.parametrize("name", ["reader", "reader_tune"])
def test_the_shipped_recipes_load(name: str) -> None:
    assert load_config(name, [], ReaderRecipe).train.steps >= 100
