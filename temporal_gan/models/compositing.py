"""How a frame is put together: references moved and blended, the frame before carried on, fine lines at the end."""

import torch
from torch import Tensor, nn

from ..warping import warp_backward

BLEND_RANGE = 1.0
"""Largest learned blend logit: enough to choose among near references, not to overrule their distance in pose."""

FLOW_RANGE = 20 / 256
"""A flow head's output of 1, in picture sides: vid2vid multiplies by 20 pixels at 256 or more."""

MASK_START = 4.0
"""First bias of the flow head's mask: sigmoid(4) = 0.98 of the frame is its own, as without the head."""


def moved(warped: Tensor, head: Tensor, reach: float) -> Tensor:
    """Sample each warped reference once more, at x + reach * tanh(head(x)): a learned move added to the place that
    geometry gave, which begins at 0 (deformable sampling, Dai et al. 2017, arXiv 1703.06211, eq. 2).

    Args:
        warped: [B, T, R, C, S, S], any range.
        head: [B, T, 2R, S, S], (dx, dy) of the first reference, then of the next ones; any range.
        reach: the largest move along either axis, in picture sides.
    Returns:
        [B, T, R, C, S, S], bilinear; beyond the picture its border goes on. Where ``head`` is 0, ``warped`` but for
        rounding.
    """
    b, t, r = warped.shape[:3]
    offset = torch.tanh(head.unflatten(2, (r, 2))) * (reach * warped.shape[-1])
    return warp_backward(warped.flatten(0, 2), offset.flatten(0, 2)).unflatten(0, (b, t, r))


def blend(warped: Tensor, logits: Tensor, preference: Tensor) -> Tensor:
    """The warped references mixed pixel by pixel, by pose and by what was learned.

    Args:
        warped: [B, T, R, C, S, S].
        logits: learned, [B, T, R, S, S], any range; held within BLEND_RANGE.
        preference: [B, T, R], log weight of each reference; -inf for a missing one.
    Returns:
        [B, T, C, S, S]; 0 where every reference is missing.
    """
    preference = preference[..., None, None]
    # Bounded, since a softmax that has become certain no longer learns.
    learned = BLEND_RANGE * torch.tanh(logits / BLEND_RANGE)
    # Not -inf: a softmax over references that are all missing would not be a number, nor would its gradient.
    weight = (learned + preference.clamp_min(-1e4)).softmax(dim=2) * preference.isfinite()
    return (weight[:, :, :, None] * warped).sum(2)


def carry_on(made: Tensor, head: Tensor, last: Tensor | None) -> Tensor:
    """Mix each frame with the one before, carried along a flow: x_t = (1 - m) warp(x_{t-1}, w) + m h_t (vid2vid,
    Wang et al. 2018, arXiv 1808.06601, eq. 4).

    Args:
        made: h, [B, T, C, S, S].
        head: [B, T, 3, S, S], the flow from a frame's grid into the one before (dx, dy, in FLOW_RANGE of the
            picture's side), and the logit of m.
        last: the frame before the first, [B, C, S, S]; None: there is none, and the first frame is h.
    Returns:
        [B, T, C, S, S].
    """
    frames = []
    for fresh, guess in zip(made.unbind(1), head.unbind(1), strict=True):
        if last is None:
            last = fresh
        else:
            mask = torch.sigmoid(guess[:, 2:])
            carried = warp_backward(last, guess[:, :2] * (FLOW_RANGE * fresh.shape[-1]))
            last = (1 - mask) * carried.to(fresh.dtype) + mask * fresh
        frames.append(last)
    return torch.stack(frames, dim=1)


def enlarged(maps: Tensor, size: int) -> Tensor:
    """[N, K, s, s] -> [N, K, size, size], bilinearly; as they are, where they have that size."""
    if maps.shape[-1] == size:
        return maps
    return nn.functional.interpolate(maps, (size, size), mode="bilinear", align_corners=False)


class Finish(nn.Module):
    """Two convolutions at the frame's own size, added to it: fine lines that a smaller network cannot draw."""

    def __init__(self, features: int, channels: int, width: int) -> None:
        super().__init__()
        self.shrink = nn.Conv2d(features, width, 1)
        self.mix = nn.Conv2d(width + channels, width, 3, 1, 1)
        self.out = nn.Conv2d(width, channels, 3, 1, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor, made: Tensor) -> Tensor:
        """Features [N, F, s, s] of the network and frames [N, C, S, S] -> frames."""
        guide = enlarged(self.shrink(features), made.shape[-1])
        hidden = nn.functional.leaky_relu(self.mix(torch.cat([guide, made.to(guide.dtype)], dim=1)), 0.2)
        return made + self.out(hidden)
