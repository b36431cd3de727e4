"""Frozen networks that losses ask: a reader, and a perceptual network. Never the ones that judge."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import UserError
from ..experiment import ExperimentConfig
from ..expressions import EXPRESSIONS
from ..features import load_lpips, load_vgg19
from ..models.conditioning import Domain
from ..models.face import face_joints
from ..models.reader import FACE_JOINTS, NECK, Reader, locate
from ..models.reader_file import find_reader, load_reader, reader_sha256
from ..skeletons import CANONICAL25, canonical_joints
from .precision import work_dtype


@dataclass(frozen=True)
class Guides:
    """What a run's losses need beside its networks. Empty where they need nothing.

    Attributes:
        reader: float32, frozen.
        perceptual: LPIPS or VGG19, frozen; None also where the reader serves.
        face: neck and nose in the clips' skeleton; None where it has not both.
        joints: places of joints that the reader knows, in the clips' skeleton and in canonical25.
        channels: places of expression channels that the reader knows, in the clips' list and in EXPRESSIONS.
    """

    reader: Reader | None = None
    perceptual: nn.Module | None = None
    face: tuple[int, int] | None = None
    joints: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    channels: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())


def load_guides(config: ExperimentConfig, domain: Domain, device: torch.device) -> Guides:
    """The networks that a configuration's losses ask.

    Raises:
        UserError: a file is missing, is the judge's, or a loss asks for what these clips have not.
    """
    losses = config.losses
    reader = load_loss_reader(losses.reader) if losses.needs_reader else None
    perceptual = None
    if losses.perceptual in ("lpips", "vgg"):
        file = None if losses.perceptual_file is None else Path(losses.perceptual_file)
        perceptual = load_lpips(file, "vgg") if losses.perceptual == "lpips" else load_vgg19(file)
        perceptual.to(device, work_dtype(config))
    shared = canonical_joints(domain.skeleton)
    if losses.pose_weight and not shared:
        raise UserError(
            f"losses.pose_weight: the skeleton {domain.skeleton.name} has no joint that readers know by name "
            f"({', '.join(CANONICAL25.joints[:4])}, ...); set it to 0"
        )
    if losses.expression_weight and not {*FACE_JOINTS, NECK} <= set(shared.values()):
        raise UserError(
            f"losses.expression_weight: the skeleton {domain.skeleton.name} has no neck, nose and eyes by name, so no "
            "face can be found; set it to 0"
        )
    face = face_joints(domain.skeleton)
    if losses.l1_face_weight and face is None:
        raise UserError(
            f"losses.l1_face_weight: the skeleton {domain.skeleton.name} has no neck and nose by name; set it to 0"
        )
    known = [i for i, name in enumerate(domain.expressions) if name in EXPRESSIONS]
    if losses.expression_weight and not known:
        has = ", ".join(domain.expressions) or "none"
        raise UserError(
            f"losses.expression_weight: none of the expressions labelled in this data ({has}) is one that readers "
            f"know ({', '.join(EXPRESSIONS)}); set it to 0"
        )
    return Guides(
        reader=None if reader is None else reader.to(device),
        perceptual=perceptual,
        face=face,
        joints=(tuple(shared), tuple(shared.values())),
        channels=(tuple(known), tuple(EXPRESSIONS.index(domain.expressions[i]) for i in known)),
    )


def load_loss_reader(name: str) -> Reader:
    """``losses.reader``, on the CPU. Raises UserError where it is the one that judges, by whatever name."""
    judge = find_reader("metrics")
    if judge.is_file() and reader_sha256(name) == reader_sha256("metrics"):
        raise UserError(
            f"losses.reader {name!r} is a copy of the reader that judges; a network that was trained against is no "
            "judge: use 'loss', or train another with `temporal-gan reader train`"
        )
    return load_reader(name)


@dataclass(frozen=True)
class ClipReading:
    """What a reader saw in B clips, as far as losses need it.

    Attributes:
        heat: [B, T, 25, 32, 32], logits of each joint's place.
        keypoints, confidence: [B, T, 25, 2] in [0, 1] and [B, T, 25].
        classes, controls: [B, T, 8] and [B, T, 6], logits; None where the face was not asked for.
    """

    heat: Tensor
    keypoints: Tensor
    confidence: Tensor
    classes: Tensor | None = None
    controls: Tensor | None = None

    @property
    def expression(self) -> Tensor:
        """[B, T, 14], classes that sum to 1, controls in [0, 1]."""
        assert self.classes is not None
        assert self.controls is not None
        return torch.cat([self.classes.softmax(-1), self.controls.sigmoid()], dim=-1)


def read_clips(reader: Reader, video: Tensor, face: bool, like: ClipReading | None = None) -> ClipReading:
    """Read clips; differentiable.

    Args:
        reader: frozen.
        video: [B, T, 3, S, S], [0, 1], on white.
        face: also its expression.
        like: the real clip's reading: the face is looked for where the real one is, so that a made clip is told what
            is wrong with its face even where none can be found yet.
    """
    b, t = video.shape[:2]
    frames = video.flatten(0, 1).float()
    pose = reader.read_pose(frames)
    keypoints, confidence = locate(pose.heat), pose.confidence.sigmoid()
    heat, places, sure = (x.unflatten(0, (b, t)) for x in (pose.heat, keypoints, confidence))
    if not face:
        return ClipReading(heat, places, sure)
    if like is not None:
        keypoints, confidence = like.keypoints.flatten(0, 1), like.confidence.flatten(0, 1)
    raw = reader.read_face(frames, keypoints.detach(), confidence.detach(), pose)
    classes, controls = (x.unflatten(0, (b, t)) for x in (raw.classes, raw.controls))
    return ClipReading(heat, places, sure, classes, controls)
