"""Tiny generators and the batches they are told about: the real classes, small enough for a test."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from temporal_gan.batch import ClipBatch
from temporal_gan.models.conditioning import Condition, Domain
from temporal_gan.models.generator import Generator, GeneratorConfig
from temporal_gan.skeletons import CANONICAL25, Skeleton

EXPRESSIONS = ("neutral", "happy", "sad")
CHARACTERS = ("mika", "sora")
# Fourteen joints in a chain, two of them a tail: any skeleton will do.
CHAIN14 = Skeleton(
    "chain14",
    tuple(f"joint_{j}" for j in range(14)),
    tuple((j, j + 1) for j in range(13)),
    ((1, 2), (3, 4)),
    (1,) * 12 + (2,) * 2,
)


def tiny_domain(**changes: Any) -> Domain:
    values = {
        "channels": 3,
        "skeleton": CANONICAL25,
        "expressions": EXPRESSIONS,
        "characters": CHARACTERS,
        "fps": 12.0,
    }
    return Domain(**{**values, **changes})


def tiny_config(**changes: Any) -> GeneratorConfig:
    values = {"size": 32, "width": 4, "max_width": 16, "nz": 4, "style_width": 8, "references": 0}
    return GeneratorConfig(**{**values, **changes})


def tiny_generator(
    domain: Domain | None = None, seed: int = 0, awake: bool = True, **changes: Any
) -> Generator:
    """A generator with fixed weights.

    Args:
        awake: also give weights to the layers that start at 0 (the frame's and the temporal module's last), which
            would hide everything before them.
        changes: of :func:`tiny_config`.
    """
    torch.manual_seed(seed)
    generator = Generator(tiny_config(**changes), domain or tiny_domain()).eval().requires_grad_(False)
    if awake:
        for name, parameter in generator.named_parameters():
            if name.endswith("weight") and not parameter.any():
                torch.nn.init.normal_(parameter, 0, 0.2)
    return generator


def random_batch(
    domain: Domain, clips: int, frames: int, size: int = 32, seed: int = 0, references: int = 0
) -> ClipBatch:
    """Random poses, expressions and pictures; characters in turn."""
    draw = torch.Generator().manual_seed(seed)
    joints, faces = len(domain.skeleton.joints), len(domain.expressions)

    def rand(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=draw)

    batch = ClipBatch(
        video=rand(clips, frames, domain.channels, size, size) * 2 - 1,
        keypoints=rand(clips, frames, joints, 2) * 0.8 + 0.1,
        confidence=rand(clips, frames, joints) * 0.5 + 0.5,
        layer=torch.randint(0, 3, (clips, frames, joints), generator=draw),
        expression=rand(clips, frames, faces),
        expression_confidence=torch.ones(clips, frames, faces),
        character=torch.arange(clips) % len(domain.characters),
        time=(torch.arange(frames) / domain.fps).repeat(clips, 1),
        hold=torch.arange(frames).repeat(clips, 1),
        clip_id=tuple(f"clip_{i}" for i in range(clips)),
    )
    if not references:
        return batch.validate()
    return replace(
        batch,
        reference_video=rand(clips, references, domain.channels, size, size) * 2 - 1,
        reference_keypoints=rand(clips, references, joints, 2) * 0.8 + 0.1,
        reference_confidence=torch.ones(clips, references, joints),
        reference_layer=torch.ones(clips, references, joints, dtype=torch.int64),
    ).validate()


def told(generator: Generator, batch: ClipBatch) -> Condition:
    return generator.tell(batch)


def reference_frames(
    domain: Domain, frames: int = 3, size: int = 32, seed: int = 0
) -> dict[str, dict[str, np.ndarray]]:
    """Random reference frames of every character, as an animator carries them."""
    draw, joints = np.random.default_rng(seed), len(domain.skeleton.joints)
    return {
        name: {
            "video": draw.integers(0, 256, (frames, domain.channels, size, size), dtype=np.uint8),
            "keypoints": draw.random((frames, joints, 2), dtype=np.float32),
            "confidence": np.ones((frames, joints), np.float32),
            "layer": np.ones((frames, joints), np.int64),
        }
        for name in domain.characters
    }
