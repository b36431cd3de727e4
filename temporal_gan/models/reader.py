"""The reader: keypoints, expression and a feature vector, read from a single picture of a character.

Trained on the puppet (:mod:`temporal_gan.training.reader`). Two independently trained copies come with the package:
one for losses, one for metrics, because a network that was trained against is no judge.
"""

from dataclasses import dataclass, fields

import torch
from einops import rearrange
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ..config import Section
from ..expressions import CLASSES, CONTROLS
from ..skeletons import CANONICAL25

FRAME_SIDE, HEAT_SIDE, FACE_SIDE = 128, 32, 64
FACE_REACH = 1.5
"""Half a face crop's side, in distances from the neck to the middle of eyes and nose."""

NOSE, NECK, RIGHT_EYE, LEFT_EYE = map(CANONICAL25.joints.index, ("nose", "neck", "right_eye", "left_eye"))
FACE_JOINTS = (NOSE, RIGHT_EYE, LEFT_EYE)
_CHUNK = 32
"""Pictures read at once: memory stays flat however long the clip is."""

_NEAR = 2
"""Cells around the hottest one that decide the place of a joint."""


class ReaderConfig(Section):
    """Size of a reader."""

    width: int = Field(
        default=48, ge=8, description="channels at 32x32; coarser levels have 2 and 8/3 times as many"
    )
    features: int = Field(default=64, ge=4, description="size of the feature vector")
    identity: int = Field(default=32, ge=4, description="size of the identity vector")


@dataclass(frozen=True)
class Reading:
    """What a reader saw in N pictures.

    Attributes:
        keypoints: [N, 25, 2], canonical25, in [0, 1] of width and height.
        confidence: [N, 25] in [0, 1]: 1 seen, about 0.5 behind something, 0 not in the picture.
        expression: [N, 14], in the order of expressions.EXPRESSIONS: classes that sum to 1, controls in [0, 1].
        face: [N] in [0, 1], how surely a face is there to be read: the least confidence of nose and eyes.
        features: [N, features], of pose and expression, trained to be the same for every character.
        identity: [N, identity], of unit length, trained to be the same for every pose of a character.
    """

    keypoints: Tensor
    confidence: Tensor
    expression: Tensor
    face: Tensor
    features: Tensor
    identity: Tensor

    def frames(self, index: Tensor) -> "Reading":
        """The reading of chosen pictures: int64 [M]."""
        return Reading(*(getattr(self, f.name)[index] for f in fields(Reading)))

    @staticmethod
    def join(parts: "list[Reading]") -> "Reading":
        """Readings of consecutive pictures as one."""
        return Reading(*(torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Reading)))


@dataclass(frozen=True)
class RawReading:
    """What the networks give before it is decoded, for the losses that train them.

    Attributes:
        heat: [N, 25, 32, 32], log-likelihood of each joint's place but for a constant.
        confidence: [N, 25], logits.
        classes, controls: [N, 8] and [N, 6], logits.
        features, identity: as in :class:`Reading`.
    """

    heat: Tensor
    confidence: Tensor
    classes: Tensor
    controls: Tensor
    features: Tensor
    identity: Tensor


class Reader(nn.Module):
    """Two small convolutional networks: one looks at the whole picture, one at the face that the first has found.

    The expression is read from the face alone: a body that acts the mood cannot give it away, so a made clip with the
    right pose and the wrong face is caught.
    """

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width
        joints = len(CANONICAL25.joints)
        deep = 8 * w // 3
        self.stem = nn.Sequential(
            _conv(3, 2 * w // 3, 2), _conv(2 * w // 3, w, 2), _Residual(w), _Residual(w)
        )
        self.middle = nn.Sequential(_conv(w, 2 * w, 2), _Residual(2 * w), _Residual(2 * w))
        self.deep = nn.Sequential(_conv(2 * w, deep, 2), _Residual(deep), _Residual(deep))
        self.everywhere = nn.Linear(deep, deep)
        self.up_middle, self.up_fine = nn.Conv2d(deep, 2 * w, 1), nn.Conv2d(2 * w, w, 1)
        self.refine_middle, self.refine_fine = _Residual(2 * w), _Residual(w)
        self.heat = nn.Conv2d(w, joints, 1)
        self.seen = nn.Linear(w, joints)
        self.look = nn.Sequential(
            _conv(3, w // 2, 2), _conv(w // 2, w, 2), _Residual(w),
            _conv(w, 2 * w, 2), _Residual(2 * w), _conv(2 * w, deep, 2),
        )  # fmt: skip
        self.face = nn.Sequential(nn.Linear(deep, deep), nn.ReLU())
        self.classes, self.controls = nn.Linear(deep, len(CLASSES)), nn.Linear(deep, len(CONTROLS))
        self.features = nn.Sequential(nn.Linear(2 * deep, deep), nn.ReLU(), nn.Linear(deep, config.features))
        self.attend, self.identity = nn.Conv2d(2 * w, 1, 1), nn.Linear(4 * w, config.identity)

    def forward(self, frames: Tensor) -> Reading:
        """Read pictures; differentiable, so that losses can use it.

        Args:
            frames: [N, 3, S, S], [0, 1], square, on white; sides of 64 to 256 pixels are what it was trained on.
        """
        pose = self.read_pose(frames)
        keypoints, confidence = locate(pose.heat), pose.confidence.sigmoid()
        raw = self.read_face(frames, keypoints.detach(), confidence.detach(), pose)
        expression = torch.cat([raw.classes.softmax(-1), raw.controls.sigmoid()], dim=-1)
        face = confidence[:, FACE_JOINTS].amin(dim=1)
        return Reading(keypoints, confidence, expression, face, raw.features, raw.identity)

    def read_pose(self, frames: Tensor) -> "PoseReading":
        """The first network: [N, 3, S, S] -> heat maps and what the second one needs of it."""
        small = _resize(frames, FRAME_SIDE)
        fine = self.stem(small - 0.5)
        middle = self.middle(fine)
        deep = self.deep(middle)
        gist = deep.mean(dim=(2, 3))
        deep = deep + self.everywhere(gist)[:, :, None, None]
        back = self.refine_middle(middle + _twice(self.up_middle(deep)))
        top = self.refine_fine(fine + _twice(self.up_fine(back)))
        heat = self.heat(top).float()
        where = heat.flatten(2).softmax(dim=-1)
        at_joints = torch.einsum("njp,ncp->njc", where, top.float().flatten(2))
        # Each joint has a weight vector of its own; the diagonal of all joints by all weights.
        confidence = (at_joints * self.seen.weight).sum(dim=-1) + self.seen.bias
        weight = self.attend(back).float().flatten(2).softmax(dim=-1)
        looks = (weight * torch.cat([middle, back], dim=1).float().flatten(2)).sum(dim=-1)
        identity = functional.normalize(self.identity(looks), dim=-1)
        return PoseReading(heat, confidence, gist.float(), identity)

    def early_features(self, frames: Tensor) -> list[Tensor]:
        """What the first network sees before it knows what it is: maps [N, w, 32, 32] and [N, 2w, 16, 16], for a
        perceptual loss on pictures [N, 3, S, S]."""
        fine = self.stem(_resize(frames, FRAME_SIDE) - 0.5)
        return [fine, self.middle(fine)]

    def read_face(
        self, frames: Tensor, keypoints: Tensor, confidence: Tensor, pose: "PoseReading"
    ) -> RawReading:
        """The second network, on the face crop that these keypoints give; and the features of both."""
        looks = self._look_at_faces(frames, keypoints, confidence)
        features = self.features(torch.cat([pose.gist, looks], dim=-1)).float()
        classes, controls = self.classes(looks).float(), self.controls(looks).float()
        return RawReading(pose.heat, pose.confidence, classes, controls, features, pose.identity)

    def read_expression(self, frames: Tensor, keypoints: Tensor, confidence: Tensor) -> tuple[Tensor, Tensor]:
        """The second network alone, where it is known where the faces are.

        Args:
            frames: [N, 3, S, S], [0, 1].
            keypoints, confidence: canonical25, [N, 25, 2] in [0, 1], [N, 25]; only neck, nose and eyes matter.
        Returns:
            logits of classes [N, 8] and controls [N, 6].
        """
        looks = self._look_at_faces(frames, keypoints, confidence)
        return self.classes(looks).float(), self.controls(looks).float()

    def _look_at_faces(self, frames: Tensor, keypoints: Tensor, confidence: Tensor) -> Tensor:
        return self.face(self.look(crop_faces(frames, keypoints, confidence) - 0.5).mean(dim=(2, 3)))


@dataclass(frozen=True)
class PoseReading:
    """The first network's output: heat and confidence as in :class:`RawReading`, its pooled features, and identity."""

    heat: Tensor
    confidence: Tensor
    gist: Tensor
    identity: Tensor


@torch.no_grad()
def read_video(reader: Reader, video: Tensor) -> Reading:
    """Read a clip of any size; it is laid centred on a white square, and keypoints are given back in its own frame.

    Args:
        reader: in eval mode.
        video: [T, 3, H, W], [0, 1], on white.
    Returns:
        on the CPU.
    """
    height, width = video.shape[-2:]
    side = max(height, width)
    left, top = (side - width) // 2, (side - height) // 2
    padding = (left, side - width - left, top, side - height - top)
    device = next(reader.parameters()).device
    parts = [
        reader(functional.pad(chunk.to(device).float(), padding, value=1.0)) for chunk in video.split(_CHUNK)
    ]
    whole = Reading.join(parts)
    extent, corner = (whole.keypoints.new_tensor(v) for v in ((width, height), (left, top)))
    values = {f.name: getattr(whole, f.name).cpu() for f in fields(Reading)}
    return Reading(**values | {"keypoints": ((whole.keypoints * side - corner) / extent).cpu()})


def locate(heat: Tensor) -> Tensor:
    """Joint places: the mean of the likelihood in the 5x5 cells around the likeliest one.

    Args:
        heat: [N, J, 32, 32], logits.
    Returns:
        [N, J, 2] in [0, 1], differentiable; the choice of the cells is not.
    """
    n, j, side, _ = heat.shape
    best = heat.flatten(2).argmax(dim=-1)
    row, column = best // side, best % side
    cell = torch.arange(side, device=heat.device)
    near_row, near_column = ((cell - at[..., None]).abs() <= _NEAR for at in (row, column))
    near = near_row[..., :, None] & near_column[..., None, :]
    weight = heat.masked_fill(~near, -torch.inf).flatten(2).softmax(dim=-1).view(n, j, side, side)
    centre = (cell + 0.5) / side
    return torch.stack([(weight.sum(dim=2) * centre).sum(-1), (weight.sum(dim=3) * centre).sum(-1)], dim=-1)


def crop_faces(frames: Tensor, keypoints: Tensor, confidence: Tensor) -> Tensor:
    """A square around each face, sampled from the picture at its own resolution; outside the picture its border.

    Args:
        frames: [N, 3, S, S].
        keypoints, confidence: [N, 25, 2] in [0, 1] and [N, 25].
    Returns:
        [N, 3, 64, 64].
    """
    # One by one: a list of places would be copied to the device with a wait.
    middle = torch.stack([keypoints[:, joint] for joint in FACE_JOINTS], dim=1).mean(dim=1)
    neck = (keypoints[:, NECK] - middle).norm(dim=-1) * (confidence[:, NECK] > 0.1)
    eyes = (keypoints[:, RIGHT_EYE] - keypoints[:, LEFT_EYE]).norm(dim=-1)
    # In a portrait without a neck, and in a face seen from the side, one of the two is no measure.
    reach = FACE_REACH * torch.maximum(neck, eyes).clamp_min(0.02)
    steps = (torch.arange(FACE_SIDE, device=frames.device, dtype=frames.dtype) + 0.5) / FACE_SIDE * 2 - 1
    offsets = rearrange([steps.expand(FACE_SIDE, -1), steps[:, None].expand(-1, FACE_SIDE)], "c h w -> h w c")
    grid = middle[:, None, None] + reach[:, None, None, None] * offsets
    return functional.grid_sample(frames, 2 * grid - 1, padding_mode="border", align_corners=False)


def _resize(frames: Tensor, side: int) -> Tensor:
    if frames.shape[-1] == side == frames.shape[-2]:
        return frames
    return functional.interpolate(frames, (side, side), mode="bilinear", align_corners=False, antialias=True)


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")


def _conv(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


class _Residual(nn.Module):
    """Two 3x3 convolutions beside the identity (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        norm = nn.BatchNorm2d(channels)
        # The block starts as the identity, so that depth costs nothing at first.
        nn.init.zeros_(norm.weight)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), norm)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))
