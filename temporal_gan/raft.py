"""Dense optical flow by RAFT (Teed & Deng 2020, "RAFT: Recurrent All-Pairs Field Transforms", arXiv 2003.12039).

torchvision's networks with the weights that torchvision publishes; convention and check as in
:mod:`temporal_gan.optical_flow`.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.optical_flow import RAFT, raft_large, raft_small

from .optical_flow import consistent
from .weights import RAFT_LARGE, RAFT_SMALL, find_weights, load_into, read_state_dict

RaftSize = Literal["raft", "raft_small"]
"""``raft`` is the large network of the paper (5.3 M parameters), ``raft_small`` its small one (1 M)."""

PUBLISHED = {"raft": RAFT_LARGE, "raft_small": RAFT_SMALL}

_SMALLEST_SIDE, _STRIDE = 128, 8
"""Pixels: below, the coarsest of the four correlation levels has no room; and what sides must divide by."""

_PAIRS = 4
"""Pairs of pictures that pass the network at once: a pair of 256 px takes about 0.1 GB."""


def load_raft(size: RaftSize, path: Path | None, device: torch.device) -> RAFT:
    """RAFT, frozen, on a device.

    Args:
        size: which of the two networks.
        path: torchvision's weights file of it; None looks in the weights folder.
        device: where to compute.
    Raises:
        CheckpointError: no such file, or not these weights.
    """
    published = PUBLISHED[size]
    file = find_weights(published, path)
    network = raft_large(weights=None) if size == "raft" else raft_small(weights=None)
    load_into(network, read_state_dict(published, file), published, file)
    return network.eval().requires_grad_(False).to(device)


def raft_flow_checked(network: RAFT, frames: np.ndarray) -> tuple[Tensor, Tensor]:
    """Forward flow of a clip with its forward-backward check; on the network's device, the result on the CPU.

    Pictures with a side below 128 are enlarged by a whole number first and the flow made smaller again; sides that 8
    does not divide are continued by their border.

    Args:
        network: from :func:`load_raft`.
        frames: uint8 [T, H, W, 3], RGB, T >= 2.
    Returns:
        flow float32 [T-1, 2, H, W], pixels, and valid bool [T-1, 1, H, W], both on frame t's grid.
    Raises:
        ValueError: not uint8 RGB, or fewer than two frames.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or len(frames) < 2 or frames.dtype != np.uint8:
        raise ValueError(
            f"raft_flow_checked: frames are {frames.dtype} {frames.shape}, expected uint8 [T, H, W, 3] with T >= 2"
        )
    forward = _flow(network, frames[:-1], frames[1:])
    return forward, consistent(forward, _flow(network, frames[1:], frames[:-1]))


@torch.no_grad()
def _flow(network: RAFT, a: np.ndarray, b: np.ndarray) -> Tensor:
    """uint8 [N, H, W, 3] twice -> float32 [N, 2, H, W]: b sampled at ``x + flow(x)`` reproduces a."""
    device = next(network.parameters()).device
    height, width = a.shape[1:3]
    factor = -(-_SMALLEST_SIDE // min(height, width))
    flows = []
    for at in range(0, len(a), _PAIRS):
        first, second = (_prepared(x[at : at + _PAIRS], factor, device) for x in (a, b))
        flow = network(first, second)[-1][..., : factor * height, : factor * width]
        flows.append((functional.avg_pool2d(flow, factor) / factor).cpu())
    return torch.cat(flows)


def _prepared(frames: np.ndarray, factor: int, device: torch.device) -> Tensor:
    """uint8 [N, H, W, 3] -> [-1, 1], enlarged and continued to the right and below: [N, 3, H', W']."""
    pictures = (
        torch.from_numpy(np.ascontiguousarray(frames)).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    )
    if factor > 1:
        pictures = functional.interpolate(pictures, scale_factor=factor, mode="bilinear", align_corners=False)
    height, width = pictures.shape[-2:]
    return functional.pad(pictures, (0, -width % _STRIDE, 0, -height % _STRIDE), mode="replicate")
