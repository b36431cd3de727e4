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
        missing: bool [N, J], joints of confidence 0 that are labelled as not to be seen; the other joints of confidence
            0 are not labelled. None = none.
        hands_missing: bool [N, 2, 21], the same of ``hands``, also where those are None.
        aspect: float64 [N], width by height of the picture each frame was labelled in, NaN or None where the labels do
            not say.
        counted: the labels do not say which frames they are of, but only in which order.
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
    missing: np.ndarray | None = None
    hands_missing: np.ndarray | None = None
    aspect: np.ndarray | None = None
    counted: bool = False

    def origins(self) -> tuple[str, ...]:
        """One origin per frame."""
        return (self.origin,) * len(self.frame) if isinstance(self.origin, str) else self.origin

    def told(self) -> np.ndarray:
        """bool [N, J]: joints that are labelled, be it as missing."""
        seen = self.confidence > 0
        return seen if self.missing is None else seen | self.missing

    def told_hands(self) -> tuple[np.ndarray, np.ndarray]:
        """float32 [N, 42, 3], both hands' points, and bool [N, 42], those that are labelled, be it as missing."""
        count = len(self.frame)
        points = np.zeros((count, 42, 3), np.float32) if self.hands is None else self.hands.reshape(-1, 42, 3)
        seen = points[..., 2] > 0
        return points, seen if self.hands_missing is None else seen | self.hands_missing.reshape(-1, 42)
