"""How often either side learns, of clips how long, and with which kernels."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from single_steps import CPU, DOMAIN, clips, fresh, one_step, settings, slopes, weights
from small_runs import CLIP_GAN, config, puppet_store
from torch import Tensor, nn

from temporal_gan.batch import ClipBatch
from temporal_gan.distributed import World
from temporal_gan.training import run
from temporal_gan.training.guides import load_guides
from temporal_gan.training.state import TrainState, update
from temporal_gan.training.step import take_step


def test_the_generator_learns_in_every_third_step_and_the_critics_in_all() -> None:
    cfg = settings(optim__generator_every_steps=3)
    state = fresh(cfg)
    for step in range(6):
        before = weights(state.generator), weights(state.critics)
        log = take_step(state, clips(), cfg, World())
        assert torch.equal(weights(state.generator), before[0]) == (step % 3 != 2)
        assert not torch.equal(weights(state.critics), before[1])
        assert ("loss/l1" in log) == (step % 3 == 2)
        assert "loss/frame_critic" in log
    assert {float(s["step"]) for s in state.optimizer_generator.state.values()} == {2.0}


def test_the_critics_learn_in_every_second_step_and_the_generator_in_all() -> None:
    cfg = settings(optim__critics_every_steps=2)
    state = fresh(cfg)
    for step in range(4):
        before = weights(state.generator), weights(state.critics)
        log = take_step(state, clips(), cfg, World())
        assert torch.equal(weights(state.critics), before[1]) == (step % 2 == 1)
        assert not torch.equal(weights(state.generator), before[0])
        assert ("loss/frame_critic" in log) == (step % 2 == 0)
        assert "loss/frame_generator" in log


def test_single_frames_are_judged_by_whoever_can_and_the_others_rest(reader: Path) -> None:
    cfg = settings(
        losses__reader=str(reader), losses__coherence_weight=1.0, losses__temporal_difference_weight=1.0,
        losses__pose_weight=1.0,
    )  # fmt: skip
    state, guides = fresh(cfg), load_guides(cfg, DOMAIN, CPU)
    take_step(state, clips(), cfg, World(), guides)
    before = copy.deepcopy(state.critics)
    log = take_step(state, clips(1), cfg, World(), guides)
    assert not [k for k in log if "clip" in k]
    assert not {"loss/flow", "loss/temporal_difference", "loss/coherence"} & log.keys()
    assert {"loss/l1", "loss/pose", "loss/frame_critic", "loss/frame_generator"} <= log.keys()
    assert torch.equal(weights(state.critics["clip"]), weights(before["clip"]))
    assert not torch.equal(weights(state.critics["frame"]), weights(before["frame"]))


def test_windows_grow_with_the_curriculum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = puppet_store(tmp_path / "store")
    seen: list[tuple[int, int | None]] = []
    step = run.take_step

    def spy(state: TrainState, batch: ClipBatch, *rest: Any) -> dict[str, Tensor]:
        seen.append((batch.video.shape[1], None if batch.flow is None else batch.flow.shape[1]))
        return step(state, batch, *rest)

    monkeypatch.setattr(run, "take_step", spy)
    stages = [{"frames": 1, "until_step": 2}, {"frames": 2, "until_step": 3}]
    cfg = config(
        CLIP_GAN, data__curriculum=stages, data__frames=4, train__steps=5, train__preview_every_steps=9
    )
    run.train(cfg, store.path, tmp_path / "run", quiet=True)
    assert seen == [(1, None), (1, None), (2, 1), (4, 3), (4, 3)]


def test_a_fused_adam_takes_the_same_step_but_for_rounding() -> None:
    plain, fused = one_step(settings())[0], one_step(settings(optim__fused=True))[0]
    assert fused.optimizer_generator.defaults["fused"]
    assert fused.optimizer_critics is not None
    assert fused.optimizer_critics.defaults["fused"]
    torch.testing.assert_close(weights(fused.generator), weights(plain.generator), rtol=0, atol=1e-6)
    assert torch.equal(slopes(fused.critics), slopes(plain.critics))


def test_what_the_loss_does_not_reach_is_neither_averaged_nor_moved() -> None:
    """Else a critic that rests would gather Adam steps on two processes, and none on one."""
    module = nn.ModuleDict({"used": nn.Linear(2, 1), "resting": nn.Linear(2, 1)})
    adam, averaged = torch.optim.Adam(module.parameters(), 0.1), []
    before = weights(module["resting"])
    update(adam, module, module["used"](torch.ones(1, 2)).sum(), settings().optim, averaged.extend)
    assert {id(p) for p in averaged} == {id(p) for p in module["used"].parameters()}
    assert torch.equal(weights(module["resting"]), before)
