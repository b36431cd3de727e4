"""THE algorithm of the clip GAN: one critic update and one generator update on one batch."""

import copy
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from .. import rng
from ..batch import ClipBatch
from ..distributed import World, average_gradients
from ..experiment import ExperimentConfig
from ..losses import adversarial
from ..losses.flow import flow_consistency
from ..losses.penalties import r1
from ..losses.precision import at_least_float32
from ..losses.reconstruction import feature_matching, l1
from ..models.clip_discriminator import ClipDiscriminator
from ..models.conditioning import Condition, Domain, make_condition, map_channels
from ..models.frame_discriminator import FrameDiscriminator
from ..models.generator import Generator, GeneratorConfig
from .state import TrainState, make_adam, update, update_ema

SMOOTH_PIXELS, SMOOTH_FEATURES = 2 / 255, 1e-3
"""Differences below these have no kink (one 8-bit level of [-1, 1]; a tenth of what features differ by): most of a page
is equal but for rounding, where the slope of |x| is noise."""


def build_state(config: ExperimentConfig, domain: Domain, window: int, device: torch.device) -> TrainState:
    """Fresh networks and optimisers, a function of the configuration, the domain and the window length alone.

    Critics of weight 0 are not built, nor a clip critic that needs more frames than the window has.
    """
    model = clip_model(config)
    maps = map_channels(domain, model.depth_groups, model.joint_maps)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.mix_seed(config.train.seed, "init"))
        generator = Generator(model, domain)
        critics = nn.ModuleDict()
        if config.losses.adversarial_weight > 0:
            if config.critics.frame.weight > 0:
                critics["frame"] = FrameDiscriminator(config.critics.frame, domain, maps)
            if config.critics.clip.weight > 0 and window >= config.critics.clip.frames:
                critics["clip"] = ClipDiscriminator(config.critics.clip, domain, maps)
    dtype = work_dtype(config)
    generator.to(device, dtype)
    critics.to(device, dtype)
    optim, batch = config.optim, config.data.batch
    optimizer = make_adam(generator, optim.lr_generator, optim, batch)
    assert optimizer is not None
    return TrainState(
        step=0,
        generator=generator,
        critics=critics,
        ema=copy.deepcopy(generator).requires_grad_(False),
        optimizer_generator=optimizer,
        optimizer_critics=make_adam(critics, optim.lr_critic, optim, batch),
    )


def clip_model(config: ExperimentConfig) -> GeneratorConfig:
    """The generator's configuration; a programmer's error to ask a DCGAN run for it."""
    assert isinstance(config.model, GeneratorConfig)
    return config.model


def take_step(
    state: TrainState, batch: ClipBatch, config: ExperimentConfig, world: World
) -> dict[str, Tensor]:
    """One update of the critics, then of the generator, on this rank's part of the global batch.

    The clip is made once and serves both: the critics see it detached, the generator's loss with its graph.

    Args:
        state: changed in place; ``state.step`` grows by one.
        batch: already augmented, on the networks' device.
    Returns:
        scalars for the log, still on the device.
    """
    model = clip_model(config)
    assert isinstance(state.generator, Generator)
    condition = make_condition(
        batch, state.generator.domain, model.size, model.depth_groups, model.joint_maps
    )
    noise = rng.normal((config.data.batch, model.nz), config.train.seed, state.step, "noise")
    noise = noise[world.local_slice(config.data.batch)].to(batch.video)
    with autocast(config, batch.video.device):
        made, _ = state.generator(condition, noise)
    made = at_least_float32(made)

    log: dict[str, Tensor] = {}
    if state.critics:
        log |= _update_critics(state, batch, made.detach(), condition, config, world)
    log |= _update_generator(state, batch, made, condition, config, world)
    state.step += 1
    assert state.ema is not None
    update_ema(state.ema, state.generator, state.step, config.optim.ema_halflife_steps)
    return log


def _update_critics(
    state: TrainState,
    batch: ClipBatch,
    made: Tensor,
    condition: Condition,
    config: ExperimentConfig,
    world: World,
) -> dict[str, Tensor]:
    losses = config.losses
    with_r1 = losses.r1_gamma > 0 and state.step % losses.r1_every_steps == 0
    state.critics.requires_grad_(True)
    real = batch.video.detach().requires_grad_(with_r1)
    log: dict[str, Tensor] = {}
    total = made.new_zeros(())
    for name, critic in state.critics.items():
        # R1 differentiates twice: never in bfloat16, and in the adversarial loss's own backward pass.
        with autocast(config, made.device, enabled=not with_r1):
            logits_real, _ = critic(real, condition)
        with autocast(config, made.device):
            logits_made, _ = critic(made, condition)
        loss = adversarial.critic_loss(losses.adversarial, logits_real, logits_made).mean()
        log[f"loss/{name}_critic"] = loss.detach()
        log[f"logit/{name}_real"] = logits_real.detach().float().mean()
        log[f"logit/{name}_made"] = logits_made.detach().float().mean()
        total = total + loss
        if with_r1:
            penalty = r1(logits_real, real).mean()
            log[f"loss/{name}_r1"] = penalty.detach()
            total = total + losses.r1_every_steps * losses.r1_gamma / 2 * penalty
    assert state.optimizer_critics is not None
    log["grad/critics_norm"] = update(
        state.optimizer_critics, state.critics, total, config.optim, lambda p: average_gradients(p, world)
    )
    return log


def _update_generator(
    state: TrainState,
    batch: ClipBatch,
    made: Tensor,
    condition: Condition,
    config: ExperimentConfig,
    world: World,
) -> dict[str, Tensor]:
    losses, weights = (
        config.losses,
        {"frame": config.critics.frame.weight, "clip": config.critics.clip.weight},
    )
    state.critics.requires_grad_(False)
    terms: dict[str, tuple[float, Tensor]] = {}
    for name, critic in state.critics.items():
        with autocast(config, made.device):
            logits_made, features_made = critic(made, condition)
        weight = losses.adversarial_weight * weights[name]
        terms[f"{name}_generator"] = (weight, adversarial.generator_loss(losses.adversarial, logits_made))
        if losses.feature_matching_weight:
            with torch.no_grad(), autocast(config, made.device):
                _, features_real = critic(batch.video, condition)
            matching = feature_matching(features_made, features_real, SMOOTH_FEATURES)
            terms[f"{name}_feature_matching"] = (losses.feature_matching_weight * weights[name], matching)
    if losses.l1_weight:
        terms["l1"] = (losses.l1_weight, l1(made, batch.video, SMOOTH_PIXELS))
    if losses.flow_weight and batch.flow is not None and batch.flow_valid is not None:
        terms["flow"] = (
            losses.flow_weight,
            flow_consistency(made, batch.flow, batch.flow_valid, SMOOTH_PIXELS),
        )
    total = torch.stack([weight * term.mean() for weight, term in terms.values()]).sum()
    log = {f"loss/{name}": term.detach().mean() for name, (_, term) in terms.items()}
    log["grad/generator_norm"] = update(
        state.optimizer_generator, state.generator, total, config.optim, lambda p: average_gradients(p, world)
    )
    return log


def work_dtype(config: ExperimentConfig) -> torch.dtype:
    """Of weights, batches and losses; bfloat16 only ever serves single forward passes."""
    return torch.float64 if config.train.precision == "float64" else torch.float32


def autocast(
    config: ExperimentConfig, device: torch.device, enabled: bool = True
) -> AbstractContextManager[None]:
    """bfloat16 for one forward pass; never around a whole step, where weights cached before an update stay in use."""
    wanted = config.train.precision
    on = enabled and (wanted == "bfloat16" or (wanted == "auto" and device.type == "cuda"))
    return torch.autocast(device.type, torch.bfloat16, enabled=on)
