"""What is kept of a long clip so that face and body can be compared over all clips together."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..expressions import EXPRESSIONS
from ..metrics.coherence import FEWEST_FRAMES, motion_energy
from ..metrics.pose import keypoint_box_side
from ..models.reader import Reading
from .script import MISSING, Script

_DIGITS = 6


@dataclass(frozen=True)
class ClipCurves:
    """Of one clip as it was read, rounded to six digits: a journal of many clips stays small.

    Attributes:
        intensity: float64 [T, 14], in the order of EXPRESSIONS.
        motion: float64 [T-1], box sides a second.
    """

    intensity: np.ndarray
    motion: np.ndarray

    def to_row(self) -> dict[str, object]:
        """Plain types for the journal."""
        return {"intensity": self.intensity.tolist(), "motion": self.motion.tolist()}

    @staticmethod
    def from_row(row: dict) -> "ClipCurves":
        """Inverse of :meth:`to_row`. Raises ValueError, KeyError, TypeError."""
        return ClipCurves(np.array(row["intensity"], np.float64), np.array(row["motion"], np.float64))


@dataclass(frozen=True)
class ScriptCurves:
    """What a long clip was told, and how its real clip was read.

    Attributes:
        commanded: channel -> float64 [T], for those known on every frame.
        real: of the real clip.
    """

    commanded: dict[str, np.ndarray]
    real: ClipCurves

    def to_row(self) -> dict[str, object]:
        """Plain types for the journal."""
        commanded = {name: curve.tolist() for name, curve in self.commanded.items()}
        return {"commanded": commanded, "real": self.real.to_row()}

    @staticmethod
    def from_row(row: dict) -> "ScriptCurves":
        """Inverse of :meth:`to_row`. Raises ValueError, KeyError, TypeError."""
        commanded = {str(name): np.array(curve, np.float64) for name, curve in row["commanded"].items()}
        return ScriptCurves(commanded, ClipCurves.from_row(row["real"]))


def read_curves(reading: Reading, script: Script, fps: float, height: int, width: int) -> ClipCurves | None:
    """Curves of a clip of 64 frames or more whose face can always be seen; None of any other.

    Args:
        reading: of the clip, made or real.
        script: of its real clip, whose box is the unit of motion on both sides.
        fps: frames a second.
        height, width: pixels of the real clip.
    """
    if len(reading.face) < FEWEST_FRAMES or not bool(script.face.all()):
        return None
    points = reading.keypoints * torch.tensor([width, height])
    present = reading.confidence >= MISSING
    side = keypoint_box_side(script.keypoints[None], script.known[None].float())
    return ClipCurves(
        _rounded(reading.expression), _rounded(motion_energy(points[None], present[None], side, fps)[0])
    )


def script_curves(script: Script, real: ClipCurves | None) -> ScriptCurves | None:
    """Commanded curves beside those of the real clip; None where there are none."""
    if real is None:
        return None
    known = script.expression_known.all(dim=0)
    commanded = {
        name: _rounded(script.expression[:, e]) for e, name in enumerate(EXPRESSIONS) if bool(known[e])
    }
    return ScriptCurves(commanded, real)


def _rounded(curve: Tensor) -> np.ndarray:
    return curve.double().numpy().round(_DIGITS)
