"""A clip on its way from a file to the store: what every stage takes, and returns with something added.

A stage is a plain function ``(clip, its settings) -> clip``. Places are fractions of the width and height of
``frames_u8`` as they are at that moment: whoever cuts the frames moves the labels too.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from temporal_gan.data.manifest import ORIGINS


@dataclass(frozen=True)
class Source:
    """Where pictures come from.

    Attributes:
        file: to be read: a video, an animated picture, a still, or a folder of pictures.
        name: of the file within the inputs, with ``/``; one in a run.
        sha256: of its bytes (of a folder: of its files' names and bytes).
        character: whom it shows.
        url, page: of the file itself, and of the page that shows it; "" = unknown.
        author, licence: "" = unknown.
        licence_evidence: where or how the licence is stated.
    """

    file: Path
    name: str
    sha256: str
    character: str
    url: str = ""
    page: str = ""
    author: str = ""
    licence: str = ""
    licence_evidence: str = ""


@dataclass(frozen=True)
class Pose:
    """Where the body is.

    Attributes:
        keypoints: float32 [T, 25, 2], joints of canonical25.
        confidence: float32 [T, 25]; 0 = missing.
        origin: uint8 [T, 25], index into ORIGINS; of a missing joint ``detected``, or who labelled it as missing.
        hands: float32 [T, 2, 21, 3] x, y, confidence, the subject's left hand first, points as MediaPipe numbers
            them; None where nothing looked for hands.
        verdict: T words: "" = a pose was found and is plausible, else why it was not kept, such as "not detected".
        hands_origin: uint8 [T, 2, 21], as ``origin``; None where all of ``hands`` was detected.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    origin: np.ndarray
    hands: np.ndarray | None
    verdict: tuple[str, ...]
    hands_origin: np.ndarray | None = None

    @staticmethod
    def nothing(frames: int, verdict: str) -> "Pose":
        """No joint known in any frame."""
        return Pose(
            keypoints=np.full((frames, 25, 2), 0.5, np.float32),
            confidence=np.zeros((frames, 25), np.float32),
            origin=np.full((frames, 25), ORIGINS.index("detected"), np.uint8),
            hands=None,
            verdict=(verdict,) * frames,
        )


@dataclass(frozen=True)
class Face:
    """What was seen of the face.

    Attributes:
        box: float32 [T, 4] x0, y0, x1, y1; read only where ``confidence`` is above 0.
        confidence: float32 [T]; 0 = no face found.
        points: float32 [T, 28, 3] x, y, confidence, in the order of the puppet's ``FACE_POINTS``; None where the
            backend gives no points.
        blendshapes: float32 [T, 52] in [0, 1] in MediaPipe's order; None where the backend gives none.
    """

    box: np.ndarray
    confidence: np.ndarray
    points: np.ndarray | None = None
    blendshapes: np.ndarray | None = None


@dataclass(frozen=True)
class Expression:
    """What the face says, in the order of ``temporal_gan.expressions.EXPRESSIONS``.

    Attributes:
        intensity: float32 [T, 14] in [0, 1], classes and then controls.
        confidence: float32 [T, 14]; 0 = not known.
        origin: uint8 [T], index into ORIGINS; read only where there is confidence.
        method: how it was read: ``blendshapes``, ``geometry``, ``tags``, ``reader``, ``labels``; "" = not at all.
    """

    intensity: np.ndarray
    confidence: np.ndarray
    origin: np.ndarray
    method: str

    @staticmethod
    def unknown(frames: int) -> "Expression":
        """Nothing known of any frame."""
        return Expression(
            intensity=np.zeros((frames, 14), np.float32),
            confidence=np.zeros((frames, 14), np.float32),
            origin=np.full(frames, ORIGINS.index("detected"), np.uint8),
            method="",
        )


@dataclass(frozen=True)
class Clip:
    """One shot.

    Attributes:
        id: as :class:`temporal_gan.data.manifest.ClipRow` wants it; made from the source's name and the shot's first
            frame.
        source: whence.
        start, end: seconds within the source; ``end`` is when the last frame stops being shown.
        fps: of the frames, which are evenly spaced.
        frames_u8: uint8 [T, H, W, C], C = 3 RGB, or 4 RGBA premultiplied.
        source_frame: int64 [T], number of the decoded frame of the source that each frame shows.
        hold: int64 [T], the drawing each frame shows, numbered from 0 in order of appearance.
        pose, face, expression: once they were looked for.
        flow: float16 [T-1, 2, H, W], pixels, on frame t's grid; zero across holds.
        flow_valid: bool [T-1, 1, H, W]; False across holds.
        flags: quality marks, for ``ClipRow.flags``.
        facts: named figures for the report, such as ``crop_scale``.
    """

    id: str
    source: Source
    start: float
    end: float
    fps: float
    frames_u8: np.ndarray
    source_frame: np.ndarray
    hold: np.ndarray
    pose: Pose | None = None
    face: Face | None = None
    expression: Expression | None = None
    flow: np.ndarray | None = None
    flow_valid: np.ndarray | None = None
    flags: tuple[str, ...] = ()
    facts: tuple[tuple[str, float], ...] = ()

    @property
    def time(self) -> np.ndarray:
        """float64 [T] seconds, the first 0."""
        return np.arange(len(self.hold)) / self.fps

    @property
    def drawings(self) -> np.ndarray:
        """int64 [D]: the first frame of each drawing, in order."""
        return np.unique(self.hold, return_index=True)[1]

    def with_facts(self, **facts: float) -> "Clip":
        """The same with figures added or replaced."""
        return replace(self, facts=tuple(sorted((dict(self.facts) | facts).items())))

    def with_flags(self, *flags: str) -> "Clip":
        """The same with marks added."""
        return replace(self, flags=tuple(dict.fromkeys((*self.flags, *flags))))
