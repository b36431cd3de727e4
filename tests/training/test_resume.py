"""A run that is killed again and again ends with exactly the files of one that never was."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from small_runs import (
    CLIP_GAN,
    DCGAN,
    OtherProcess,
    changed,
    config,
    every_switch,
    picture_folder,
    puppet_store,
)
from torch.optim.optimizer import register_optimizer_step_post_hook

from temporal_gan import checkpoint
from temporal_gan.inference import weights_file
from temporal_gan.training import loop, run

STEPS = 6


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    room = tmp_path_factory.mktemp("data")
    return {"clips": puppet_store(room / "store").path, "pictures": picture_folder(room / "pictures")}


def train(values: dict[str, Any], data: Path, out: Path) -> None:
    run.train(config(values), data, out, quiet=True)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


# Ways to be killed. Each runs in the process that dies.


def during_step(step: int, values: dict[str, Any], data: Path, out: Path) -> None:
    """Between the two optimisers' updates, after ``step`` whole steps."""

    def killer(*_: object) -> None:
        calls.append(0)
        if len(calls) == 2 * (step - begun) + 1:
            die()

    begun = max([n for n, _ in checkpoint.list_checkpoints(out / "checkpoints")], default=0)
    calls: list[int] = []
    register_optimizer_step_post_hook(killer)
    train(values, data, out)


def half_saved(step: int, values: dict[str, Any], data: Path, out: Path) -> None:
    """With half of a checkpoint written."""
    save = torch.save

    def cut(content: dict[str, Any], file: Path) -> None:
        save(content, file)
        if content["step"] == step:
            os.truncate(file, file.stat().st_size // 2)
            die()

    torch.save = cut
    train(values, data, out)


def before_rename(name: str, values: dict[str, Any], data: Path, out: Path) -> None:
    """With a whole temporary file that has not got its name yet."""
    replace = os.replace

    def cut(source: Path, target: Path) -> None:
        if Path(target).name == name:
            die()
        replace(source, target)

    checkpoint.os.replace = cut
    train(values, data, out)


def after_rename(name: str, values: dict[str, Any], data: Path, out: Path) -> None:
    """At the first moment at which a file has its name."""
    replace = os.replace

    def cut(source: Path, target: Path) -> None:
        replace(source, target)
        if Path(target).name == name:
            die()

    checkpoint.os.replace = cut
    train(values, data, out)


def assert_same_tensors(a: Any, b: Any, where: str) -> None:
    assert type(a) is type(b), where
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_same_tensors(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same_tensors(x, y, f"{where}/{i}")
    elif isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype, where
        assert torch.equal(a, b), where
    else:
        assert a == b, where


def stats(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "stats.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if not k.startswith("time")} for line in lines]


def assert_same_run(broken: Path, whole: Path, weights: str) -> None:
    names = [p.name for p in sorted((whole / "checkpoints").iterdir())]
    # A kill before the older ones are removed may leave one more.
    assert set(names) <= {p.name for p in (broken / "checkpoints").iterdir()}
    for name in names:
        assert_same_tensors(
            *(checkpoint.load_checkpoint(folder / "checkpoints" / name) for folder in (broken, whole)), name
        )
    assert_same_tensors(
        *(safetensors.torch.load_file(folder / weights) for folder in (broken, whole)), weights
    )
    assert (broken / weights).read_bytes() == (whole / weights).read_bytes()
    assert [line["step"] for line in stats(broken)] == list(range(1, STEPS + 1))
    assert stats(broken) == stats(whole)
    previews = sorted(p.name for p in (whole / "previews").iterdir())
    assert sorted(p.name for p in (broken / "previews").iterdir()) == previews
    for name in previews:
        assert (broken / "previews" / name).read_bytes() == (whole / "previews" / name).read_bytes(), name
    assert not list(broken.rglob("*.tmp"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["clips", "pictures"])
def test_killed_at_many_places_ends_bit_equal(kind: str, data: dict[str, Path], tmp_path: Path) -> None:
    values, weights = (
        (CLIP_GAN, weights_file.ANIMATOR_FILE) if kind == "clips" else (DCGAN, weights_file.SAMPLER_FILE)
    )
    last = "step_00000006.pt"
    deaths = [
        (during_step, 1),
        (half_saved, 2),
        (after_rename, weights),
        (after_rename, "step_00000002.pt"),
        (during_step, 3),
        (before_rename, "step_00000004.pt"),
        (after_rename, last),
    ]
    for death, place in deaths:
        other = OtherProcess(tmp_path / "log", death, place, values, data[kind], tmp_path / "broken")
        assert other.wait() == -signal.SIGKILL, f"{death.__name__} {place}: {other.output()}"
    assert loop.list_checkpoints(tmp_path / "broken" / "checkpoints")[-1][0] == STEPS
    train(values, data[kind], tmp_path / "broken")
    train(values, data[kind], tmp_path / "whole")
    assert_same_run(tmp_path / "broken", tmp_path / "whole", weights)


@pytest.mark.slow
def test_killed_from_outside_at_any_moment_ends_bit_equal(data: dict[str, Path], tmp_path: Path) -> None:
    lines = tmp_path / "broken" / "stats.jsonl"
    for step in (1, 3, 5):
        other = OtherProcess(tmp_path / "log", train, CLIP_GAN, data["clips"], tmp_path / "broken")
        other.wait_for(lambda step=step: lines.is_file() and f'"step": {step},' in lines.read_text())
        other.send(signal.SIGKILL)
        assert other.wait() == -signal.SIGKILL
    train(CLIP_GAN, data["clips"], tmp_path / "broken")
    train(CLIP_GAN, data["clips"], tmp_path / "whole")
    ends = (tmp_path / name / "checkpoints" / "step_00000006.pt" for name in ("broken", "whole"))
    assert_same_tensors(*map(checkpoint.load_checkpoint, ends), "step 6")
    assert stats(tmp_path / "broken") == stats(tmp_path / "whole")


def test_more_steps_later_are_the_same_as_all_at_once(data: dict[str, Path], tmp_path: Path) -> None:
    run.train(
        config(CLIP_GAN, train__steps=3, train__save_every_steps=3),
        data["clips"],
        tmp_path / "two",
        quiet=True,
    )
    run.train(config(CLIP_GAN), data["clips"], tmp_path / "two", quiet=True)
    train(CLIP_GAN, data["clips"], tmp_path / "one")
    name = weights_file.ANIMATOR_FILE
    assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    assert [line["step"] for line in stats(tmp_path / "two")] == list(range(1, STEPS + 1))


def test_more_steps_later_are_the_same_with_every_switch_on(data: dict[str, Path], tmp_path: Path) -> None:
    """Stopped inside the curriculum, between two updates of the generator, while noise fades."""
    values = every_switch(tmp_path)
    first = changed(values, train__steps=3, train__save_every_steps=3)
    train(first, data["clips"], tmp_path / "two")
    train(values, data["clips"], tmp_path / "two")
    train(values, data["clips"], tmp_path / "one")
    ends = [
        checkpoint.load_checkpoint(tmp_path / n / "checkpoints" / "step_00000006.pt") for n in ("two", "one")
    ]
    assert_same_tensors(*ends, "step 6")
    assert stats(tmp_path / "two") == stats(tmp_path / "one")
    best = [(tmp_path / n / weights_file.BEST_ANIMATOR_FILE).read_bytes() for n in ("two", "one")]
    assert best[0] == best[1]
    logged = {key for line in stats(tmp_path / "one") for key in line}
    assert {"view/probability", "validation/reader_pck@0.05", "accuracy/frame_real"} <= logged
    for name in (
        "l1_foreground", "temporal_difference", "perceptual", "pose", "expression", "coherence", "frame_gp", "clip_gp",
    ):  # fmt: skip
        assert f"loss/{name}" in logged, name


def test_the_best_so_far_and_the_probability_are_part_of_a_checkpoint(
    data: dict[str, Path], tmp_path: Path
) -> None:
    """What is not in it, a resumed run begins anew."""
    values = every_switch(tmp_path)
    train(values, data["clips"], tmp_path / "run")
    content = checkpoint.load_checkpoint(tmp_path / "run" / "checkpoints" / "step_00000006.pt")
    lines = stats(tmp_path / "run")
    measured = {
        line["step"]: line["validation/foreground_psnr"]
        for line in lines
        if "validation/foreground_psnr" in line
    }
    assert list(measured) == [2, 4, 6]
    step, value = content["best"]
    assert value == measured[step] == max(measured.values())
    # 4 updates of the critics, each of 2 clips, of 20.
    assert [line["view/probability"] for line in lines] == pytest.approx([0, 0, 0, 0, 0.4, 0.4])
    assert float(content["view"]["probability"]) == pytest.approx(0.4)
