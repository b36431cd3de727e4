"""Labels somebody else made for the frames of one source: imported or set by hand."""

from dataclasses import dataclass

import numpy as np

from temporal_gan.skeletons import Skeleton


@dataclass(frozen=True)
class LabelTrack:
    """Labels of N frames of one source; the other frames have none.

    Attributes:
        frame: int64 [N], 0-based numbers of decoded frames of the source, growing.
        keypoints: float32 [N, J, 2] in fractions of the source frame; read only where there is confidence.
        confidence: float32 [N, J]; 0 = missing.
        skeleton: of the J joints.
        layer: int64 [N, J] depth layers, or None for the skeleton's own.
        expression, expression_confidence: float32 [N, 14] in the order of EXPRESSIONS; confidence 0 = not labelled;
            None = no expression labels at all.
        hands: float32 [N, 2, 21, 3] x, y, confidence, the subject's left first, or None.
        face_points: float32 [N, F, 3] x, y, confidence in the convention of the format they come from, or None.
        origin: of ORIGINS, one for all frames or one for each.
        time: float64 [N] seconds, growing, or None where the labels do not say.
        hold: int64 [N], the drawing each frame shows, or None where the labels do not say.
    """

    frame: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray
    skeleton: Skeleton
    layer: np.ndarray | None = None
    expression: np.ndarray | None = None
    expression_confidence: np.ndarray | None = None
    hands: np.ndarray | None = None
    face_points: np.ndarray | None = None
    origin: str | tuple[str, ...] = "imported"
    time: np.ndarray | None = None
    hold: np.ndarray | None = None

    def origins(self) -> tuple[str, ...]:
        """One origin per frame."""
        return (self.origin,) * len(self.frame) if isinstance(self.origin, str) else self.origin
