"""How every pixel moves from one drawing to the next, with the pixels of which that is known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from pydantic import Field

from temporal_gan.alpha import over_white
from temporal_gan.config import Section
from temporal_gan.optical_flow import SMALLEST_SIDE

from .clip import Clip

_PRESETS = {
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
}

_STEPS = np.float32(32)
"""Of a pixel."""

_ROOM = 16
"""Pixels around a figure: twice DIS' patches, and more than its ``SMALLEST_SIDE``, however small the figure."""

FlowNetwork = Callable[[np.ndarray], tuple[torch.Tensor, torch.Tensor]]
"""uint8 [T, H, W, 3] -> flow float32 [T-1, 2, H, W] and whether it is valid, bool [T-1, 1, H, W]."""


class FlowConfig(Section):
    """How flow is measured.

    On puppet clips of 256 px against the exact flow, one thread: ``medium`` 0.23 px in 12 ms a pair (both ways),
    ``fast`` 0.27 px in 4 ms, ``ultrafast`` 0.26 px in 1.2 ms but more wrong pixels that pass the check (7.0 % of the
    kept ones are off by more than 1 px, 5.0 % with ``medium``). Drawings that are held cost nothing.
    """

    method: Literal["dis", "raft", "raft_small", "none"] = Field(
        default="dis", description="dis needs no weights; raft is for a GPU; none leaves it to training"
    )
    preset: Literal["medium", "fast", "ultrafast"] = Field(default="medium", description="of dis")
    raft_weights: Path | None = Field(default=None, description="file; null looks in the weights folder")
    device: str = Field(default="cuda", description="where raft computes")


def open_flow_network(config: FlowConfig) -> FlowNetwork | None:
    """Load what the method needs, once per process; None where it needs nothing.

    Raises:
        CheckpointError: no weights for RAFT, or not these.
    """
    if config.method in ("raft", "raft_small"):
        # torchvision takes two seconds to import, which every process of a run by DIS would wait for.
        from temporal_gan.raft import load_raft, raft_flow_checked

        network = load_raft(config.method, config.raft_weights, torch.device(config.device))
        return lambda pictures: raft_flow_checked(network, pictures)
    return None


def measure_flow(clip: Clip, config: FlowConfig, network: FlowNetwork | None) -> Clip:
    """Flow from each frame to the next, checked by going back.

    Measured where the drawing changes; where a drawing is held, zero and not valid: a held drawing says nothing
    about motion. RGBA is looked at on white, DIS no further around the figure than its window: beyond, an empty page
    stays an empty page, flow zero and valid. Nothing is measured in a clip of one frame, or below 12 px, where DIS has
    no room.

    Args:
        clip: as it will be stored, T frames.
        config: which method.
        network: from :func:`open_flow_network` with the same settings.
    Returns:
        with ``flow`` float16 [T-1, 2, H, W], rounded to 1/32 px, ``flow_valid`` bool [T-1, 1, H, W], and fact
        ``flow_valid_share``, of the pixels between different drawings.
    Raises:
        ValueError: the method needs RAFT, and it was not opened.
    """
    if (network is None) == config.method.startswith("raft"):
        raise ValueError(f"measure_flow: method {config.method} needs what open_flow_network returns for it")
    frames, (height, width) = len(clip.frames_u8), clip.frames_u8.shape[1:3]
    if config.method == "none" or frames < 2 or max(height, width) < SMALLEST_SIDE:
        return replace(clip, flow=None, flow_valid=None)
    flow = np.zeros((frames - 1, 2, height, width), np.float16)
    valid = np.zeros((frames - 1, 1, height, width), bool)
    window = _figure_window(clip.frames_u8)
    # One object for all pairs: they are of one size, so what it keeps of a size does no harm.
    dis = cv2.DISOpticalFlow.create(_PRESETS[config.preset])
    changes = np.flatnonzero(clip.hold[1:] != clip.hold[:-1])
    for t in changes:
        pictures = over_white(clip.frames_u8[t : t + 2])
        if network is not None:
            there, good = (x[0].numpy() for x in network(pictures))
        else:
            there, good = np.zeros((2, height, width), np.float32), np.ones((height, width), bool)
            there[:, *window], good[window] = _dis_checked(dis, pictures[:, *window])
        # Digits that mean nothing do not compress: rounded to a tenth of the method's error, a sixth of the bytes.
        flow[t], valid[t] = np.rint(there * _STEPS) / _STEPS, good
    share = float(valid[changes].mean()) if len(changes) else 0.0
    return replace(clip, flow=flow, flow_valid=valid).with_facts(flow_valid_share=share)


def _figure_window(frames_u8: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns in which a transparent clip ever shows anything, and some room; all of an opaque one."""
    height, width = frames_u8.shape[1:3]
    if frames_u8.shape[-1] != 4:
        return slice(0, height), slice(0, width)
    left, top, wide, high = cv2.boundingRect(np.asarray(frames_u8[..., 3].any(axis=0), np.uint8))
    return _with_room(top, high, height), _with_room(left, wide, width)


def _with_room(start: int, length: int, side: int) -> slice:
    return slice(max(start - _ROOM, 0), min(start + length + _ROOM, side))


def _dis_checked(dis: cv2.DISOpticalFlow, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures uint8 [2, H, W, 3] -> flow float32 [2, H, W] and valid bool [H, W] on the first one's grid."""
    a, b = (cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY) for picture in pictures)
    there = dis.calc(a, b, None)  # type: ignore[call-overload]
    back = dis.calc(b, a, None)  # type: ignore[call-overload]
    return there.transpose(2, 0, 1), _returns(there, back)


def _returns(there: np.ndarray, back: np.ndarray) -> np.ndarray:
    """``optical_flow.consistent`` without torch, in a third of the time: float32 [H, W, 2] twice -> bool [H, W]."""
    height, width = there.shape[:2]
    # Plane by plane: numpy is several times as fast on numbers that lie in a row.
    right, down = cv2.split(there)
    x = right + np.arange(width, dtype=np.float32)
    y = down + np.arange(height, dtype=np.float32)[:, None]
    returned = cv2.remap(back, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    left, up = cv2.split(returned)
    miss = (right + left) ** 2 + (down + up) ** 2
    length = (right**2 + left**2) + (down**2 + up**2)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return np.asarray((miss < 0.01 * length + 0.5) & inside)
