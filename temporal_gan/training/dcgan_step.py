"""The DCGAN's algorithm: discriminator on real, then on made pictures; generator against the updated discriminator."""

from typing import cast

import torch
from torch import Tensor, nn

from .. import rng
from ..distributed import World, average_gradients
from ..experiment import ExperimentConfig
from ..losses.adversarial import critic_loss, generator_loss, sides
from ..models.dcgan import DCGANConfig, DCGANDiscriminator, DCGANGenerator
from .precision import autocast, work_dtype
from .state import TrainState, make_adam, update


def build_dcgan_state(config: ExperimentConfig, classes: int, device: torch.device) -> TrainState:
    """Fresh networks and optimisers, a function of the configuration and the number of classes alone."""
    assert isinstance(config.model, DCGANConfig)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.mix_seed(config.train.seed, "init"))
        generator = DCGANGenerator(config.model, classes).to(device, work_dtype(config))
        critics = nn.ModuleDict({"image": DCGANDiscriminator(config.model, classes)}).to(
            device, work_dtype(config)
        )
    optim, batch = config.optim, config.data.batch
    optimizers = (
        make_adam(generator, optim.lr_generator, optim.beta1, optim, batch),
        make_adam(critics, optim.lr_critic, optim.beta1_critic, optim, batch),
    )
    return TrainState(0, generator, critics, None, cast(torch.optim.Optimizer, optimizers[0]), optimizers[1])


def take_dcgan_step(
    state: TrainState, batch: tuple[Tensor, Tensor], config: ExperimentConfig, world: World
) -> dict[str, Tensor]:
    """One update of the discriminator and one of the generator.

    Args:
        batch: pictures [N, 3, 64, 64] in [-1, 1] and labels int64 [N], this rank's part, on the networks' device.
    Returns:
        scalars for the log, still on the device.
    """
    assert isinstance(config.model, DCGANConfig)
    real, label = batch
    noise = rng.normal((config.data.batch, config.model.nz), config.train.seed, state.step, "noise")
    noise = noise[world.local_slice(config.data.batch)].to(real, non_blocking=True)
    kind, critic = config.losses.adversarial, state.critics["image"]

    def average(parameters: list[Tensor]) -> None:
        average_gradients(parameters, world)

    state.critics.requires_grad_(True)
    with autocast(config, real.device):
        made = state.generator(noise, label)
        logits_real = critic(real, label)
        logits_made = critic(made.detach(), label)
    smoothing = config.losses.label_smoothing
    loss_critic = critic_loss(kind, logits_real[:, None], logits_made[:, None], smoothing).mean()
    assert state.optimizer_critics is not None
    norm_critic = update(state.optimizer_critics, state.critics, loss_critic, config.optim, average)

    state.critics.requires_grad_(False)
    with autocast(config, real.device):
        logits = critic(made, label)
    loss_generator = generator_loss(kind, logits[:, None]).mean()
    norm_generator = update(state.optimizer_generator, state.generator, loss_generator, config.optim, average)
    state.step += 1
    (real_sign, real_count), (made_sign, made_count) = (
        sides(kind, x.detach()) for x in (logits_real, logits_made)
    )
    return {
        "accuracy/image_real": (1 + real_sign / real_count.clamp_min(1)) / 2,
        "accuracy/image_made": (1 - made_sign / made_count.clamp_min(1)) / 2,
        "loss/image_critic": loss_critic.detach(),
        "loss/image_generator": loss_generator.detach(),
        "logit/image_real": logits_real.detach().float().mean(),
        "logit/image_made": logits_made.detach().float().mean(),
        "grad/critics_norm": norm_critic,
        "grad/generator_norm": norm_generator,
    }
