"""The face network: repaints the face in a square of its own, where expressions are made and small errors matter most.

After the face GAN of Everybody Dance Now (Chan et al. 2019, arXiv 1808.07371, sec. 3.4), which adds a residual to the
face of a frame that is otherwise finished.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..skeletons import CANONICAL25, Skeleton, canonical_joints

REACH = 1.3
"""Half a side of the square, in distances from neck to nose: from the crown to below the chin."""

_FADE = 0.1
"""The outer part of the square over which the residual fades, so that no edge shows."""


class FaceNetwork(nn.Module):
    """An encoder-decoder of two halvings on the face's square, told the expression at every resolution.

    It sees the frame as made so far and the references as the generator's encoder does, and adds what is missing; who
    it is, it sees. A skeleton without neck and nose (by their names) has no face to repaint; the weights are the same.

    Args:
        skeleton: of every pose.
        pictures: channels of all pictures it sees, that of the made frame first.
        channels: C of a frame.
        width: features at full size.
        told: size of the vector that says the expression.
        side: pixels per side of the square.
    """

    def __init__(
        self, skeleton: Skeleton, pictures: int, channels: int, width: int, told: int, side: int
    ) -> None:
        super().__init__()
        self.side, self.joints = side, face_joints(skeleton)
        self.down = nn.ModuleList(
            [
                nn.Conv2d(pictures, width, 3, 1, 1),
                nn.Conv2d(width, 2 * width, 4, 2, 1),
                nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
            ]
        )
        self.modulate = nn.ModuleList(nn.Linear(told, 2 * w) for w in (4 * width, 2 * width, width))
        self.mix = nn.ModuleList(nn.Conv2d(w, w, 3, 1, 1) for w in (4 * width, 2 * width, width))
        self.up = nn.ModuleList(
            [nn.Conv2d(4 * width, 2 * width, 3, 1, 1), nn.Conv2d(2 * width, width, 3, 1, 1)]
        )
        self.out = nn.Conv2d(width, channels, 3, 1, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(
        self, made: Tensor, others: Tensor, keypoints: Tensor, confidence: Tensor, told: Tensor
    ) -> Tensor:
        """Frames with their faces repainted.

        Args:
            made: [N, C, S, S].
            others: [N, K, S, S], what else it may look at.
            keypoints, confidence: [N, J, 2] in [0, 1], [N, J].
            told: [N, told], the expression.
        Returns:
            [N, C, S, S]; as it was, where there is no face.
        """
        if self.joints is None:
            return made
        middle, reach, seen = face_square(keypoints, confidence, self.joints)
        crop = cut_square(torch.cat([made, others.to(made.dtype)], dim=1), middle, reach, self.side)
        residual = self.repaint(crop, told)
        residual = residual * (_window(self.side, residual) * seen[:, None, None, None].to(residual))
        return made + paste_square(residual, middle, reach, made.shape[-1]).to(made.dtype)

    def repaint(self, crop: Tensor, told: Tensor) -> Tensor:
        """What is added to the squares themselves: [N, C + K, side, side], [N, told] -> [N, C, side, side]."""
        skips = []
        x = crop
        for conv in self.down:
            x = functional.leaky_relu(conv(x), 0.2)
            skips.append(x)
        for level, (modulate, mix) in enumerate(zip(self.modulate, self.mix, strict=True)):
            if level:
                x = functional.interpolate(x, scale_factor=2, mode="nearest")
                x = functional.leaky_relu(self.up[level - 1](x), 0.2) + skips[-1 - level]
            scale, shift = modulate(told)[:, :, None, None].chunk(2, dim=1)
            x = x + functional.leaky_relu(mix(x * (1 + scale) + shift), 0.2)
        return self.out(x)


def face_square(
    keypoints: Tensor, confidence: Tensor, joints: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Where the face is.

    Args:
        keypoints, confidence: [..., J, 2] in [0, 1], [..., J].
        joints: neck and nose.
    Returns:
        its middle [..., 2], half a side [...], both in picture sizes, and bool [...], whether there is one.
    """
    neck, nose = joints
    seen = torch.minimum(confidence[..., neck], confidence[..., nose]) > 0
    a, z = (torch.where(seen[..., None], keypoints[..., j, :], 0.5) for j in (neck, nose))
    return z, (REACH * (z - a).norm(dim=-1)).clamp_min(0.02), seen


def cut_square(pictures: Tensor, middle: Tensor, reach: Tensor, side: int) -> Tensor:
    """Squares [N, K, side, side] out of pictures [N, K, S, S], with middle [N, 2] and half a side [N] in picture sizes;
    outside the picture its border goes on."""
    steps = (torch.arange(side, device=pictures.device, dtype=middle.dtype) + 0.5) / side * 2 - 1
    offsets = torch.stack([steps.expand(side, side), steps[:, None].expand(side, side)], dim=-1)
    grid = 2 * (middle[:, None, None] + reach[:, None, None, None] * offsets) - 1
    return functional.grid_sample(
        pictures, grid.to(pictures.dtype), padding_mode="border", align_corners=False
    )


def paste_square(squares: Tensor, middle: Tensor, reach: Tensor, size: int) -> Tensor:
    """Inverse of :func:`cut_square`: [N, K, side, side] -> [N, K, size, size], 0 outside the square."""
    centre = (torch.arange(size, device=squares.device, dtype=middle.dtype) + 0.5) / size
    x = (centre - middle[:, :1]) / reach[:, None]
    y = (centre - middle[:, 1:]) / reach[:, None]
    grid = torch.stack([x[:, None].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], dim=-1)
    return functional.grid_sample(squares, grid.to(squares.dtype), padding_mode="zeros", align_corners=False)


def inside_square(keypoints: Tensor, confidence: Tensor, joints: tuple[int, int], size: int) -> Tensor:
    """bool [B, T, 1, size, size]: the pixels of each frame's face square; arguments as for :func:`face_square`."""
    middle, reach, seen = face_square(keypoints, confidence, joints)
    centre = (torch.arange(size, device=keypoints.device, dtype=keypoints.dtype) + 0.5) / size
    columns, rows = ((centre - middle[..., i, None]).abs() <= reach[..., None] for i in (0, 1))
    return (rows[..., :, None] & columns[..., None, :] & seen[..., None, None])[:, :, None]


def _window(side: int, like: Tensor) -> Tensor:
    """[side, side]: 1 inside, falling to 0 at the edges."""
    at = ((torch.arange(side, device=like.device) + 0.5) / side * 2 - 1).abs()
    ramp = ((1 - at) / _FADE).clamp(0, 1).to(like.dtype)
    return ramp[:, None] * ramp


def face_joints(skeleton: Skeleton) -> tuple[int, int] | None:
    """Neck and nose, by their names; None for a skeleton that has not both."""
    index = {CANONICAL25.joints[there]: here for here, there in canonical_joints(skeleton).items()}
    return (index["neck"], index["nose"]) if {"neck", "nose"} <= set(index) else None
