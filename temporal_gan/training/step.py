"""THE algorithm of the clip GAN: one critic update and one generator update on one batch."""

import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from .. import rng
from ..batch import ClipBatch
from ..distributed import World, average_gradients
from ..experiment import ExperimentConfig
from ..losses import adversarial
from ..losses.auxiliary import auxiliary_expression
from ..losses.critic_view import draw_view
from ..losses.growing import grown
from ..losses.penalties import mix, r1, wgan_gp
from ..losses.precision import at_least_float32
from ..losses.reconstruction import feature_matching
from ..models.clip_discriminator import ClipDiscriminator
from ..models.conditioning import Condition, Domain, map_channels
from ..models.frame_discriminator import FrameDiscriminator
from ..models.generator import Generator, GeneratorConfig
from ..models.region_discriminator import RegionDiscriminator
from ..models.spectral_norm import normalise_spectra
from .adaptive_view import AdaptiveView
from .clip_losses import Terms, clip_terms
from .guides import Guides
from .precision import autocast, work_dtype
from .state import TrainState, make_adam, update, update_ema

SMOOTH_FEATURES = 1e-3
"""Differences of critics' features below it (a tenth of what they differ by) have no kink: most of a page is equal but
for rounding, where the slope of |x| is noise."""


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
            shortest = config.critics.clip.span(min(config.critics.clip.strides))
            if config.critics.clip.weight > 0 and window >= shortest:
                critics["clip"] = ClipDiscriminator(config.critics.clip, domain, maps)
            if config.critics.region.weight > 0:
                critics["region"] = RegionDiscriminator(config.critics.region, domain)
        if config.critics.spectral_norm:
            normalise_spectra(critics)
    dtype = work_dtype(config)
    generator.to(device, dtype)
    critics.to(device, dtype)
    optim, batch = config.optim, config.data.batch
    optimizer = make_adam(generator, optim.lr_generator, optim.beta1, optim, batch)
    assert optimizer is not None
    view = config.losses.critic_view
    adapts = view.adaptive_target is not None and len(critics) > 0
    return TrainState(
        step=0,
        generator=generator,
        critics=critics,
        ema=copy.deepcopy(generator).requires_grad_(False),
        optimizer_generator=optimizer,
        optimizer_critics=make_adam(critics, optim.lr_critic, optim.beta1_critic, optim, batch),
        view=AdaptiveView(view, batch).to(device) if adapts else None,
    )


def clip_model(config: ExperimentConfig) -> GeneratorConfig:
    """The generator's configuration; a programmer's error to ask a DCGAN run for it."""
    assert isinstance(config.model, GeneratorConfig)
    return config.model


def take_step(
    state: TrainState, batch: ClipBatch, config: ExperimentConfig, world: World, guides: Guides | None = None
) -> dict[str, Tensor]:
    """One update of the critics, then of the generator, on this rank's part of the global batch.

    The clip is made once and serves both: the critics see it detached, the generator's loss with its graph. Either
    side may learn in fewer steps (``optim.*_every_steps``); the generator then follows that many critic updates.

    Args:
        state: changed in place; ``state.step`` grows by one.
        batch: already augmented, on the networks' device.
        guides: the frozen networks that the losses ask; None where they ask none.
    Returns:
        scalars for the log, still on the device.
    """
    model, optim = clip_model(config), config.optim
    assert isinstance(state.generator, Generator)
    condition = state.generator.tell(batch, model.size if state.critics else None)
    part = world.local_slice(config.data.batch)
    noise = rng.normal((config.data.batch, model.nz), config.train.seed, state.step, "noise")[part]
    with_generator = (state.step + 1) % optim.generator_every_steps == 0
    with torch.set_grad_enabled(with_generator), autocast(config, batch.video.device):
        made, _ = state.generator(condition, noise.to(batch.video, non_blocking=True))
    stages, step = config.data.growing, state.step
    made = grown(at_least_float32(made), stages, step)
    batch = replace(batch, video=grown(batch.video, stages, step))

    probability = None if state.view is None else state.view.probability
    view = draw_view(
        config.losses.critic_view, batch.video, config.data.batch, part, config.train.seed, step, probability
    )
    maps = {size: view.maps(m, model.size) for size, m in condition.maps.items()}
    keypoints = view.keypoints(condition.keypoints, model.size)
    told = replace(condition, maps=maps, keypoints=keypoints)
    show = Show(view.video(batch.video), view.video(made), told)
    log: dict[str, Tensor] = {}
    if state.critics and state.step % optim.critics_every_steps == 0:
        log |= _update_critics(state, show, config, world)
    if with_generator:
        terms = _critics_terms(state, show, config) | clip_terms(made, batch, config, guides or Guides())
        log |= _update_generator(state, terms, config, world)
    state.step += 1
    assert state.ema is not None
    update_ema(state.ema, state.generator, state.step, config.optim.ema_halflife_steps)
    return log


@dataclass(frozen=True)
class Show:
    """What the critics are shown in a step: real clips, made clips with their graph, and what was commanded."""

    real: Tensor
    made: Tensor
    condition: Condition


def audience(state: TrainState, frames: int) -> list[tuple[str, nn.Module]]:
    """Critics that can say something of clips of so many frames."""
    return [
        (name, critic)
        for name, critic in state.critics.items()
        if not (isinstance(critic, ClipDiscriminator) and critic.fewest_frames > frames)
    ]


def _update_critics(
    state: TrainState, show: Show, config: ExperimentConfig, world: World
) -> dict[str, Tensor]:
    losses, condition, made = config.losses, show.condition, show.made.detach()
    with_r1 = losses.r1_gamma > 0 and state.step % losses.r1_every_steps == 0
    state.critics.requires_grad_(True)
    real = show.real.detach().requires_grad_(with_r1)
    log: dict[str, Tensor] = {}
    total, signs, verdicts = made.new_zeros(()), made.new_zeros(()), made.new_zeros(())
    for name, critic in audience(state, made.shape[1]):
        # R1 differentiates twice: never in bfloat16, and in the adversarial loss's own backward pass.
        with autocast(config, made.device, enabled=not with_r1):
            # Nor by a compiled network, which can be differentiated once only.
            look = critic.forward if with_r1 else critic
            logits_real, features_real = look(real, condition)
        with autocast(config, made.device):
            logits_made, features_made = critic(made, condition)
        loss = adversarial.critic_loss(
            losses.adversarial, logits_real, logits_made, losses.label_smoothing
        ).mean()
        log[f"loss/{name}_critic"] = loss.detach()
        log[f"logit/{name}_real"] = logits_real.detach().float().mean()
        log[f"logit/{name}_made"] = logits_made.detach().float().mean()
        if losses.adversarial in adversarial.BOUNDARY:
            for whose, logits, right in (("real", logits_real, 1), ("made", logits_made, -1)):
                sign, count = adversarial.sides(losses.adversarial, logits.detach())
                log[f"accuracy/{name}_{whose}"] = (1 + right * sign / count.clamp_min(1)) / 2
                if whose == "real":
                    signs, verdicts = signs + sign, verdicts + count
        total = total + loss
        for whose, features in (("real", features_real), ("made", features_made)):
            for term, (weight, reading) in _expression_term(critic, features, condition, config).items():
                log[f"loss/{term}_{whose}"] = reading.detach().mean()
                total = total + weight * reading.mean()
        if with_r1:
            penalty = r1(logits_real, real).mean()
            log[f"loss/{name}_r1"] = penalty.detach()
            total = total + losses.r1_every_steps * losses.r1_gamma / 2 * penalty
        if losses.gp_weight:
            share = rng.uniform((config.data.batch,), config.train.seed, state.step, "gradient penalty")
            between = mix(real, made, share[world.local_slice(config.data.batch)].to(made, non_blocking=True))
            penalty = wgan_gp(critic.forward(between, condition)[0], between).mean()
            log[f"loss/{name}_gp"] = penalty.detach()
            total = total + losses.gp_weight * penalty
    if not log:
        return log
    if state.view is not None:
        log["view/probability"] = state.view.probability.clone()
        log["view/sign"] = state.view.hear(signs, verdicts, world)
    assert state.optimizer_critics is not None
    log["grad/critics_norm"] = update(
        state.optimizer_critics, state.critics, total, config.optim, lambda p: average_gradients(p, world)
    )
    return log


def _critics_terms(state: TrainState, show: Show, config: ExperimentConfig) -> Terms:
    """What the critics say of the made clips, as they are after their update."""
    losses, weights = config.losses, config.critics.weights
    state.critics.requires_grad_(False)
    terms: Terms = {}
    for name, critic in audience(state, show.made.shape[1]):
        with autocast(config, show.made.device):
            logits_made, features_made = critic(show.made, show.condition)
        weight = losses.adversarial_weight * weights[name]
        terms[f"{name}_generator"] = (weight, adversarial.generator_loss(losses.adversarial, logits_made))
        terms |= _expression_term(critic, features_made, show.condition, config)
        if losses.feature_matching_weight:
            with torch.no_grad(), autocast(config, show.made.device):
                _, features_real = critic(show.real, show.condition)
            matching = feature_matching(features_made, features_real, SMOOTH_FEATURES)
            terms[f"{name}_feature_matching"] = (losses.feature_matching_weight * weights[name], matching)
    return terms


def _expression_term(
    critic: nn.Module, features: list[Tensor], condition: Condition, config: ExperimentConfig
) -> Terms:
    """How well a critic with an expression head reads the commanded one; nothing for another."""
    if not isinstance(critic, FrameDiscriminator) or critic.expression is None:
        return {}
    frames = condition.face.shape[1]
    with autocast(config, features[0].device):
        logits = critic.read_expression(features, frames)
    shown, known = condition.face.chunk(2, dim=-1)
    return {
        "frame_expression": (
            config.critics.frame.expression_weight,
            auxiliary_expression(logits, shown, known),
        )
    }


def _update_generator(
    state: TrainState, terms: Terms, config: ExperimentConfig, world: World
) -> dict[str, Tensor]:
    total = torch.stack([weight * term.mean() for weight, term in terms.values()]).sum()
    log = {f"loss/{name}": term.detach().mean() for name, (_, term) in terms.items()}
    log["grad/generator_norm"] = update(
        state.optimizer_generator, state.generator, total, config.optim, lambda p: average_gradients(p, world)
    )
    return log
