"""Dense optical flow by DIS (Kroeger et al. 2016, "Dense Inverse Search") and its check.

Needs no weights. Flow convention as everywhere: ``flow[t]`` on frame t's grid, pixels (dx, dy), frame t+1 at
``x + flow[t](x)`` reproduces frame t. Flat regions carry no gradient: there DIS guesses by smoothness, so
measure motion over the character, never over an empty page.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from .warping import in_bounds, warp_backward

SMALLEST_SIDE = 12
"""DIS refuses pictures whose longer side is below this (its patches do not fit)."""


def dis_flow(frames: np.ndarray) -> np.ndarray:
    """Flow from each frame to the next.

    Args:
        frames: uint8 [T, H, W, 3 or 1], RGB or grey.
    Returns:
        float32 [T-1, 2, H, W], pixels, on frame t's grid.
    Raises:
        ValueError: not uint8, or shapes that no flow can be computed from.
    """
    if frames.ndim != 4 or len(frames) < 2:
        raise ValueError(f"dis_flow: frames are {frames.shape}, expected [T, H, W, 3 or 1] with T >= 2")
    grey = _grey(frames)
    return _dis(grey[:-1], grey[1:])


def dis_flow_backward(frames: np.ndarray) -> np.ndarray:
    """Flow from each frame back to the one before: uint8 [T, H, W, 3 or 1] -> float32 [T-1, 2, H, W].

    Entry t lives on frame t+1's grid and points into frame t: the second argument of :func:`consistent`.
    """
    return dis_flow(frames[::-1])[::-1].copy()


def dis_flow_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Flow from picture a to picture b, on a's grid; or from each picture of a stack to its partner.

    Args:
        a, b: uint8 [H, W, 3 or 1], or stacks [N, H, W, 3 or 1] of equal shape.
    Returns:
        float32 [2, H, W] (or [N, 2, H, W]), pixels: b sampled at ``x + flow(x)`` reproduces a.
    Raises:
        ValueError: not uint8, or shapes differ.
    """
    if a.shape != b.shape or a.ndim not in (3, 4):
        raise ValueError(f"dis_flow_between: a is {a.shape} and b {b.shape}, expected equal [N,] H, W, C")
    if a.ndim == 3:
        return _dis(_grey(a[None]), _grey(b[None]))[0]
    return _dis(_grey(a), _grey(b))


def consistent(flow_forward: Tensor, flow_backward: Tensor) -> Tensor:
    """Where going forward and back again returns to the start; elsewhere it is hidden or the flow wrong.

    ``|f + b(x+f)|^2 < 0.01 (|f|^2 + |b(x+f)|^2) + 0.5`` in pixels (Sundaram, Brox & Keutzer 2010, eq. 5; the
    same numbers in UnFlow, Meister et al. 2018), and ``x + f`` inside the picture. The constant is in pixels,
    so the kept
    fraction depends on the resolution: report it.

    Args:
        flow_forward: [..., 2, H, W], pixels, on frame a's grid.
        flow_backward: [..., 2, H, W], pixels, on frame b's grid.
    Returns:
        bool [..., 1, H, W], on frame a's grid.
    Raises:
        ValueError: shapes differ.
    """
    if flow_forward.shape != flow_backward.shape:
        raise ValueError(
            f"consistent: flows are {tuple(flow_forward.shape)} and {tuple(flow_backward.shape)}, "
            "expected equal shapes"
        )
    size = flow_forward.shape[-3:]
    forward = flow_forward.reshape(-1, *size)
    returned = warp_backward(flow_backward.reshape(-1, *size), forward)
    miss = (forward + returned).square().sum(dim=1, keepdim=True)
    length = forward.square().sum(dim=1, keepdim=True) + returned.square().sum(dim=1, keepdim=True)
    kept = (miss < 0.01 * length + 0.5) & in_bounds(forward)
    return kept.view(*flow_forward.shape[:-3], 1, *size[1:])


def dis_flow_checked(frames: np.ndarray) -> tuple[Tensor, Tensor]:
    """Forward DIS flow of a clip with its forward-backward check.

    Args:
        frames: uint8 [T, H, W, 3 or 1], T >= 2.
    Returns:
        flow float32 [T-1, 2, H, W] and valid bool [T-1, 1, H, W], both on frame t's grid.
    """
    forward = torch.from_numpy(dis_flow(frames))
    return forward, consistent(forward, torch.from_numpy(dis_flow_backward(frames)))


def _grey(frames: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, 3 or 1] -> uint8 [N, H, W]."""
    if frames.dtype != np.uint8:
        raise ValueError(f"optical flow: frames are {frames.dtype}, expected uint8 in [0, 255]")
    if frames.shape[-1] == 1:
        return frames[..., 0]
    if frames.shape[-1] != 3:
        raise ValueError(f"optical flow: {frames.shape[-1]} channels, expected 3 (RGB) or 1 (grey)")
    return np.stack([cv2.cvtColor(np.ascontiguousarray(f), cv2.COLOR_RGB2GRAY) for f in frames])


def _dis(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W] twice -> float32 [N, 2, H, W]."""
    height, width = a.shape[1:]
    if max(height, width) < SMALLEST_SIDE:
        raise ValueError(
            f"optical flow: frames of {width}x{height} are too small, need a side of {SMALLEST_SIDE} or more"
        )
    # A new object per call: on small pictures OpenCV lowers the finest scale inside the object and keeps
    # it so, which changed the flow of the next, larger clip by up to 8 px.
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flows = []
    for p, q in zip(np.ascontiguousarray(a), np.ascontiguousarray(b), strict=True):
        # None as OpenCV documents; its type stubs do not know. An array would be taken as a first guess.
        flows.append(dis.calc(p, q, None))  # type: ignore[call-overload]
    return np.ascontiguousarray(np.stack(flows).transpose(0, 3, 1, 2))
