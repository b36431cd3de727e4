"""One step of a tiny clip GAN on random clips, to be compared with the same step under another switch."""

from dataclasses import replace
from typing import Any

import torch
from small_runs import CLIP_GAN, config
from tiny_networks import random_batch, tiny_domain
from torch import Tensor, nn

from temporal_gan import rng
from temporal_gan.batch import ClipBatch
from temporal_gan.distributed import World
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.models.conditioning import Condition, make_condition
from temporal_gan.training.guides import load_guides
from temporal_gan.training.state import TrainState
from temporal_gan.training.step import build_state, take_step

CPU = torch.device("cpu")
FRAMES = 5
DOMAIN = tiny_domain(channels=4)


def settings(**changes: Any) -> ExperimentConfig:
    changes = {"model__references": 0, "data__frames": FRAMES, "optim__max_grad_norm": 1e12, **changes}
    return config(CLIP_GAN, **changes)


def clips(frames: int = FRAMES) -> ClipBatch:
    batch = random_batch(DOMAIN, 2, frames)
    # Half of it is empty page, premultiplied.
    video = batch.video.clone()
    video[..., :16] = -1
    flow = rng.uniform((2, frames - 1, 2, 32, 32), 0, "flow") if frames > 1 else None
    valid = None if flow is None else torch.ones(2, frames - 1, 1, 32, 32, dtype=torch.bool)
    return replace(batch, video=video, flow=flow, flow_valid=valid)


def fresh(cfg: ExperimentConfig, step: int = 0) -> TrainState:
    state = build_state(cfg, DOMAIN, FRAMES, CPU)
    for name, parameter in state.generator.named_parameters():
        if not parameter.any():
            parameter.data.copy_(0.1 * rng.normal(tuple(parameter.shape), 0, name))
    state.step = step
    return state


def one_step(cfg: ExperimentConfig, step: int = 0, batch: ClipBatch | None = None) -> tuple[TrainState, dict]:
    state = fresh(cfg, step)
    log = take_step(state, batch or clips(), cfg, World(), load_guides(cfg, DOMAIN, CPU))
    return state, {name: float(value) for name, value in log.items()}


def slopes(module: nn.Module) -> Tensor:
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in module.parameters()]
    return torch.cat([g.flatten() for g in grads])


def weights(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])


def made_by(state: TrainState, batch: ClipBatch, cfg: ExperimentConfig) -> tuple[Tensor, Condition]:
    """What this step makes, and of what."""
    model = cfg.model
    condition = make_condition(batch, DOMAIN, model.size, model.depth_groups)  # type: ignore[union-attr]
    noise = rng.normal((2, model.nz), cfg.train.seed, state.step, "noise")
    return state.generator(condition, noise)[0].detach(), condition
