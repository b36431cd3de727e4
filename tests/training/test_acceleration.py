"""Other ways to compute a step give the same step, and what they cannot do goes around them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import CLIP_GAN, config, puppet_store
from tiny_networks import random_batch, tiny_domain
from torch import Tensor, nn

from temporal_gan.checkpoint import load_checkpoint
from temporal_gan.distributed import World
from temporal_gan.errors import UserError
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.run_config import TrainConfig
from temporal_gan.training.acceleration import accelerate
from temporal_gan.training.run import train
from temporal_gan.training.state import TrainState
from temporal_gan.training.step import build_state, take_step

CPU, FRAMES = torch.device("cpu"), 3
DOMAIN = tiny_domain(channels=4)


def settings(**changes: Any) -> ExperimentConfig:
    return config(CLIP_GAN, **{"losses__flow_weight": 0.0, **changes})


def fresh(cfg: ExperimentConfig) -> TrainState:
    return build_state(cfg, DOMAIN, FRAMES, CPU)


def step(state: TrainState, cfg: ExperimentConfig) -> dict[str, Tensor]:
    return take_step(state, random_batch(DOMAIN, 2, FRAMES, references=cfg.model.references), cfg, World())


def assert_same_but_for_rounding(a: TrainState, b: TrainState) -> None:
    for one, other in ((a.generator, b.generator), (a.critics, b.critics)):
        theirs = dict(other.named_parameters())
        for name, parameter in one.named_parameters():
            if parameter.grad is not None:
                scale = float(theirs[name].grad.abs().max())
                torch.testing.assert_close(
                    parameter.grad, theirs[name].grad, rtol=1e-3, atol=1e-4 * scale + 1e-8
                )


def test_channels_last_is_another_layout_of_the_same_step() -> None:
    cfg = settings()
    plain, turned = fresh(cfg), fresh(cfg)
    accelerate(turned, TrainConfig(channels_last=True), CPU)
    wide = [p for m in (turned.generator, turned.critics, turned.ema) for p in m.parameters() if p.ndim == 4]
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in wide)
    assert not all(p.is_contiguous() for p in wide)
    layouts: list[bool] = []
    for module in turned.generator.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
            module.register_forward_hook(
                lambda _m, _i, out: layouts.append(out.is_contiguous(memory_format=torch.channels_last))
            )
    logs = [step(state, cfg) for state in (plain, turned)]
    assert layouts
    assert all(layouts)
    assert logs[0].keys() == logs[1].keys()
    for name, value in logs[0].items():
        torch.testing.assert_close(logs[1][name], value, rtol=1e-3, atol=1e-5, msg=name)
    assert_same_but_for_rounding(turned, plain)


def test_a_channels_last_run_resumes_bit_equal(tmp_path: Path) -> None:
    data = puppet_store(tmp_path / "store", clips=3, frames=3).path
    for name, halts in (("whole", (4,)), ("broken", (2, 4))):
        for steps in halts:
            cfg = config(CLIP_GAN, train__channels_last=True, train__steps=steps)
            train(cfg, data, tmp_path / name, quiet=True)
    ends = [
        load_checkpoint(tmp_path / name / "checkpoints" / "step_00000004.pt") for name in ("whole", "broken")
    ]
    for part in ("generator", "critics"):
        assert all(torch.equal(ends[0][part][k], ends[1][part][k]) for k in ends[0][part])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "penalty", [{}, {"losses__r1_gamma": 0.0, "losses__gp_weight": 1.0}], ids=["r1", "gp"]
)
def test_what_is_differentiated_twice_goes_around_compiled_critics(penalty: dict[str, float]) -> None:
    """Compiled functions have one derivative only; with the same backend but without code generation, for speed."""
    cfg = settings(**penalty)
    plain, compiled = fresh(cfg), fresh(cfg)
    calls: list[str] = []
    for name, critic in compiled.critics.items():
        critic.compile(backend="aot_eager")
        critic._compiled_call_impl = _counted(critic._compiled_call_impl, name, calls)
    logs = [step(state, cfg) for state in (plain, compiled)]
    for name, value in logs[0].items():
        torch.testing.assert_close(logs[1][name], value, rtol=1e-3, atol=1e-5, msg=name)
    assert any(name.endswith(("_r1", "_gp")) for name in logs[0])
    assert_same_but_for_rounding(compiled, plain)
    # Of each critic: real and made, then made and real for the generator; the real ones around it where R1 is taken.
    expected = 4 if penalty else 3
    assert {name: calls.count(name) for name in compiled.critics} == dict.fromkeys(compiled.critics, expected)


def _counted(function: Any, name: str, calls: list[str]) -> Any:
    def call(*arguments: Any) -> Any:
        calls.append(name)
        return function(*arguments)

    return call


class _Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.only(x)


def tiny_state() -> TrainState:
    network = _Tiny()
    adam = torch.optim.Adam(network.parameters())
    return TrainState(0, network, nn.ModuleDict({"image": _Tiny()}), _Tiny(), adam, None)


def test_nothing_is_compiled_unasked() -> None:
    state = tiny_state()
    accelerate(state, TrainConfig(), CPU)
    assert state.generator._compiled_call_impl is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_generator_and_critics_are_compiled_and_the_average_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    state = tiny_state()
    accelerate(state, TrainConfig(compile=True), CPU)
    assert state.generator._compiled_call_impl is not None
    assert state.critics["image"]._compiled_call_impl is not None
    assert state.ema._compiled_call_impl is None
    x = torch.ones(3, 2)
    torch.testing.assert_close(state.generator(x), state.generator.forward(x))
    assert set(state.generator.state_dict()) == {"only.weight", "only.bias"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_missing_compiler_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import config as inductor

    torch._dynamo.reset()
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(inductor.cpp, "cxx", ("no-such-compiler",))
    with pytest.raises(UserError, match=r"(?s)^train.compile: .* a C\+\+ compiler") as caught:
        accelerate(tiny_state(), TrainConfig(compile=True), CPU)
    assert "\n" not in str(caught.value)
