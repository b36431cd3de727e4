"""How long a training step takes on this machine, measured on clips that show nothing: no data is needed."""

import time
from collections.abc import Callable

import torch

from .. import rng
from ..batch import ClipBatch
from ..distributed import World, choose_device
from ..experiment import ExperimentConfig
from ..models.conditioning import Domain
from ..models.dcgan import DCGANConfig, DCGANGenerator
from ..models.generator import Generator, GeneratorConfig
from ..training.dcgan_step import build_dcgan_state, take_dcgan_step
from ..training.guides import load_guides
from ..training.precision import work_dtype
from ..training.step import build_state, take_step

STEPS = 2


def generator_parameters(config: ExperimentConfig, domain: Domain) -> int:
    """Weights of an arm's generator; none are made."""
    with torch.device("meta"):
        if isinstance(config.model, DCGANConfig):
            network: torch.nn.Module = DCGANGenerator(config.model, len(domain.characters))
        else:
            network = Generator(config.model, domain)
    return sum(weight.numel() for weight in network.parameters())


def probe_step(config: ExperimentConfig, domain: Domain) -> float:
    """Seconds a training step takes: the mean of two, after one that is not timed.

    Reading and augmenting of clips, and penalties that are taken every few steps, are not in it.

    Args:
        config: of an arm.
        domain: of the clips that it will train on.
    Raises:
        UserError: a network that its losses ask is missing.
    """
    device = choose_device(config.train.device)
    if device.type == "cpu":
        torch.set_flush_denormal(True)
    try:
        take = (
            _dcgan_step(config, domain, device)
            if isinstance(config.model, DCGANConfig)
            else _clip_step(config, domain, device)
        )
        take()
        began = time.monotonic()
        for _ in range(STEPS):
            # The log's numbers are read, so that a graphics card has really done the step.
            sum(float(value) for value in take().values())
        return (time.monotonic() - began) / STEPS
    finally:
        torch.set_flush_denormal(False)


def _clip_step(
    config: ExperimentConfig, domain: Domain, device: torch.device
) -> Callable[[], dict[str, torch.Tensor]]:
    state = build_state(config, domain, config.data.frames, device)
    guides, batch = (
        load_guides(config, domain, device),
        _random_clips(config, domain).to(device, work_dtype(config)),
    )
    return lambda: take_step(state, batch, config, World(), guides)


def _dcgan_step(
    config: ExperimentConfig, domain: Domain, device: torch.device
) -> Callable[[], dict[str, torch.Tensor]]:
    state = build_dcgan_state(config, len(domain.characters), device)
    pictures = rng.uniform((config.data.batch, 3, config.model.size, config.model.size), 0, "probe") * 2 - 1
    labels = torch.zeros(config.data.batch, dtype=torch.int64, device=device)
    batch = pictures.to(device, work_dtype(config)), labels
    return lambda: take_dcgan_step(state, batch, config, World())


def _random_clips(config: ExperimentConfig, domain: Domain) -> ClipBatch:
    model = config.model
    assert isinstance(model, GeneratorConfig)
    b, t, r, j, size = (
        config.data.batch, config.data.frames, model.references, len(domain.skeleton.joints), model.size,
    )  # fmt: skip
    faces = len(domain.expressions)

    def drawn(*shape: int) -> torch.Tensor:
        return rng.uniform(shape, 0, "probe", len(shape))

    return ClipBatch(
        video=drawn(b, t, domain.channels, size, size) * 2 - 1,
        keypoints=drawn(b, t, j, 2),
        confidence=torch.ones(b, t, j),
        layer=torch.ones(b, t, j, dtype=torch.int64),
        expression=drawn(b, t, faces),
        expression_confidence=torch.ones(b, t, faces),
        character=torch.zeros(b, dtype=torch.int64),
        time=torch.arange(t)[None].expand(b, -1) / domain.fps,
        hold=torch.arange(t)[None].expand(b, -1),
        clip_id=tuple(f"probe {i}" for i in range(b)),
        flow=torch.zeros(b, t - 1, 2, size, size) if t > 1 else None,
        flow_valid=torch.ones(b, t - 1, 1, size, size, dtype=torch.bool) if t > 1 else None,
        reference_video=drawn(b, r, domain.channels, size, size) * 2 - 1 if r else None,
        reference_keypoints=drawn(b, r, j, 2) if r else None,
        reference_confidence=torch.ones(b, r, j) if r else None,
        reference_layer=torch.ones(b, r, j, dtype=torch.int64) if r else None,
    )
