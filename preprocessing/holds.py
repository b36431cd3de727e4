"""Which frames show the same drawing: animation is drawn on twos and threes, and codecs change a held picture."""

from dataclasses import replace

import cv2
import numpy as np
from pydantic import Field, model_validator

from temporal_gan.alpha import over_white
from temporal_gan.config import Section

from .clip import Clip

_GRID, _BLOCK = 64, 16
"""The picture is compared as a grey square of 64 x 64 cells, in 4 x 4 blocks of 16 x 16 cells."""


class HoldsConfig(Section):
    """How much a held drawing may change, in grey levels of 255: the root mean square over the block that changes most.

    A fixed threshold is wrong for most clips: what a codec does to a held drawing (up to 2.4 in VP9 at 160 px) is more
    than a slow motion does. Within one clip the two are far apart, so the threshold is put into the widest gap, as a
    ratio, between the clip's own changes. Measured on 14 puppets on twos and threes, 160 and 320 px, h264 at crf 18 to
    28 and VP9 at 31: exact in 86 of 96 clips; eight of the others are of one bow, whose slow phases no threshold can
    tell from holds, and the other two lie near to one. On ones 22 of 1968 frames, the stillest, count as held.

    Attributes:
        least: changes below are no motion; 0.25 is rounding and resampling.
        most: changes above are always a new drawing. A gap that reaches beyond counts up to twice as far.
    """

    least: float = Field(default=0.25, gt=0)
    most: float = Field(default=4.0, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> "HoldsConfig":
        if self.least >= self.most:
            raise ValueError(f"least {self.least:g} must be below most {self.most:g}")
        return self


def mark_holds(clip: Clip, config: HoldsConfig) -> Clip:
    """Number the drawings.

    A frame is compared with the first frame of the drawing before it, so that slow motion adds up to a new drawing.
    Frames that show one frame of the source are one drawing. Where the camera moves, every frame is a drawing.

    Args:
        clip: T frames.
        config: see there.
    Returns:
        the same with ``hold``, and the facts ``drawings`` (their number), ``hold_threshold`` and ``hold_margin``: the
        width of the gap that the threshold lies in, as a ratio; below 1.5 it is a guess.
    """
    cells = np.stack([_cells(frame) for frame in clip.frames_u8])
    changes = np.array([_change(a, b) for a, b in zip(cells, cells[1:], strict=False)])
    fresh = np.diff(clip.source_frame) != 0
    threshold, margin = _threshold(changes[fresh], config)
    hold = np.zeros(len(cells), np.int64)
    shown = 0
    for index in range(1, len(cells)):
        new = bool(fresh[index - 1]) and _change(cells[shown], cells[index]) > threshold
        shown = index if new else shown
        hold[index] = hold[index - 1] + new
    marked = replace(clip, hold=hold)
    return marked.with_facts(drawings=float(hold[-1] + 1), hold_threshold=threshold, hold_margin=margin)


def _cells(frame: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(over_white(frame), cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (_GRID, _GRID), interpolation=cv2.INTER_AREA).astype(np.float32)


def _change(a: np.ndarray, b: np.ndarray) -> float:
    blocks = np.square(a - b).reshape(_GRID // _BLOCK, _BLOCK, _GRID // _BLOCK, _BLOCK)
    return float(np.sqrt(blocks.mean((1, 3)).max()))


def _threshold(changes: np.ndarray, config: HoldsConfig) -> tuple[float, float]:
    """The middle of the widest gap, and its width, both as ratios."""
    end = 2 * config.most
    inner = changes[(changes > config.least) & (changes < end)]
    edges = np.sort(np.concatenate([[config.least], inner, [end]]))
    ratios = np.where(edges[:-1] < config.most, edges[1:] / edges[:-1], 0.0)
    widest = int(ratios.argmax())
    middle = float(np.sqrt(edges[widest] * edges[widest + 1]))
    return min(middle, config.most), float(ratios[widest])
