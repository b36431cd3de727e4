"""The body in every drawing of a clip: look, look again with more room around, and keep only what can be a body."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from temporal_gan.alpha import over_white
from temporal_gan.config import Section
from temporal_gan.data.manifest import ORIGINS

from ..clip import Clip, Pose
from ..detection import BodyDetection, PoseBackend
from .gates import FLIP, GateConfig, implausible, mirror_disagreement, out_of_line
from .swap import SwapConfig, repair_swaps

BackendName = Literal["mediapipe", "mediapipe-offline", "rtmlib", "labels", "reader", "none"]


class LookConfig(Section):
    """One step of the ladder."""

    padding: float = Field(ge=0, le=1, description="added on each side, in widths and heights of the picture")
    threshold: float = Field(gt=0, le=1, description="least confidence of the detector")


class PoseConfig(Section):
    """How poses are found."""

    backend: BackendName = Field(
        default="mediapipe-offline",
        description="who looks; labels = only what was imported or set by hand; none = nobody",
    )
    ladder: tuple[LookConfig, ...] = Field(
        default=(
            LookConfig(padding=0, threshold=0.5),
            LookConfig(padding=0.25, threshold=0.5),
            LookConfig(padding=0, threshold=0.3),
            LookConfig(padding=0.25, threshold=0.3),
            LookConfig(padding=0.5, threshold=0.3),
        ),
        min_length=1,
        description="tried in this order until a pose passes the gates; with the two of low threshold 49 instead of 38 "
        "of 224 puppet drawings got a right pose from MediaPipe, at 84 instead of 88 % right ones among the kept",
    )
    gates: GateConfig = GateConfig()
    swap: SwapConfig = SwapConfig()
    confidence_min: float = Field(
        default=0.3,
        ge=0,
        lt=1,
        description="a joint below it is missing: of those that MediaPipe called less visible 3 to 17 % were right on "
        "puppets, of the others 46 to 68 %",
    )
    hands: bool = Field(default=False, description="also look for hands: about 10 ms a drawing more")
    accept_mediapipe_telemetry: bool = Field(
        default=False, description="needed by backend mediapipe, which reports its use to Google"
    )
    pose_model: Path | None = Field(
        default=None,
        description="pose_landmarker .task (mediapipe) or .onnx (rtmlib); None: the weights folder",
    )
    face_model: Path | None = Field(default=None, description="face_landmarker.task (mediapipe)")
    hand_model: Path | None = Field(default=None, description="hand_landmarker.task (mediapipe, with hands)")
    pose_model_sha256: str = Field(default="", description="of another pose_model than the published ones")
    face_model_sha256: str = Field(default="", description="of another face_model than the published one")
    offline_folder: Path | None = Field(
        default=None, description="environment of mediapipe-offline; None: the usual place"
    )
    reader: str = Field(
        default="loss",
        description="reader: loss, metrics, or a file; labels by the copy that judges would flatter whoever learns",
    )


@dataclass(frozen=True)
class _Found:
    """One drawing's pose and the step that found it, or why there is none."""

    body: BodyDetection | None
    step: int
    verdict: str


def find_pose(clip: Clip, backend: PoseBackend, config: PoseConfig) -> Clip:
    """Look for the body once per drawing, and give its pose to all frames that show the drawing.

    Each step of the ladder looks at the picture with some of its edge repeated around it; its answer is taken if it
    passes the gates and a look at the mirror image agrees. Then poses that do not fit their neighbours go, and
    exchanged sides are put back.

    Args:
        clip: any; frames with alpha are looked at over white.
        backend: who looks.
        config: how.
    Returns:
        the clip with ``pose`` and the facts ``frames_with_pose``, ``pose_step_1`` and on (drawings by the step that
        found their pose), ``poses_implausible`` (drawings where all that was found was rejected), and
        ``swaps_repaired``. Joints outside the picture are missing (confidence 0), their places kept within half a
        picture of it.
    Raises:
        UserError: the backend cannot work.
    """
    first = clip.drawings
    pictures = over_white(clip.frames_u8[first]) if clip.frames_u8.shape[-1] == 4 else clip.frames_u8[first]
    found = [_look(picture, backend, config) for picture in pictures]
    found = _fitting(found, clip.frames_u8.shape[2], clip.frames_u8.shape[1], config)
    drawing = np.searchsorted(clip.hold[first], clip.hold)
    pose = _spread(found, drawing)
    steps = {
        f"pose_step_{number}": float(sum(f.body is not None and f.step == number for f in found))
        for number in range(1, len(config.ladder) + 1)
    }
    clip = replace(clip, pose=pose).with_facts(
        frames_with_pose=float(sum(not v for v in pose.verdict)),
        poses_implausible=float(sum(f.verdict.startswith("implausible") for f in found)),
        **steps,
    )
    return repair_swaps(clip, config.swap)


def _look(picture: np.ndarray, backend: PoseBackend, config: PoseConfig) -> _Found:
    height, width = picture.shape[:2]
    verdict = "not detected"
    for number, look in enumerate(config.ladder, 1):
        padded = _padded(picture, look.padding)
        body = backend.detect_body(padded, look.threshold)
        if body is None:
            continue
        body = _confident(_unpadded(body, look.padding), config.confidence_min)
        reason = implausible(body.keypoints, body.confidence, width, height, config.gates)
        if not reason and not _confirmed(body, padded, look, backend, config):
            reason = "mirror image disagrees"
        if not reason:
            return _Found(_within(body), number, "")
        verdict = f"implausible: {reason}"
    return _Found(None, 0, verdict)


def _confirmed(
    body: BodyDetection, padded: np.ndarray, look: LookConfig, backend: PoseBackend, config: PoseConfig
) -> bool:
    """Whether a second look, at the mirror image, sees the same figure."""
    # Nothing is invented to confirm something: here the detector may be less sure.
    threshold = min(look.threshold, 0.3)
    mirrored = backend.detect_body(np.ascontiguousarray(padded[:, ::-1]), threshold)
    if mirrored is None:
        return False
    mirrored = _unpadded(mirrored, look.padding)
    back = mirrored.keypoints[FLIP] * (-1, 1) + (1, 0)
    height, width = padded.shape[:2]
    again = BodyDetection(back, mirrored.confidence[FLIP])
    return mirror_disagreement(body, again, width, height) <= config.gates.mirror_max


def _padded(picture: np.ndarray, share: float) -> np.ndarray:
    height, width = picture.shape[:2]
    y, x = round(share * height), round(share * width)
    if not (x or y):
        return np.ascontiguousarray(picture)
    # Repeated edges: with a quarter added 79 of 141 real drawings got a pose, with the edges' median colour 68.
    return cv2.copyMakeBorder(picture, y, y, x, x, cv2.BORDER_REPLICATE)


def _unpadded(body: BodyDetection, share: float) -> BodyDetection:
    hands = None
    if body.hands is not None:
        hands = body.hands.copy()
        hands[..., :2] = hands[..., :2] * (1 + 2 * share) - share
    return BodyDetection(body.keypoints * (1 + 2 * share) - share, body.confidence, hands)


def _confident(body: BodyDetection, least: float) -> BodyDetection:
    return replace(body, confidence=np.where(body.confidence < least, 0, body.confidence))


def _within(body: BodyDetection) -> BodyDetection:
    """What is outside the picture is missing."""

    def seen(points: np.ndarray) -> np.ndarray:
        return np.all((points >= 0) & (points <= 1), axis=-1)

    confidence = np.where(seen(body.keypoints), body.confidence, 0)
    hands = body.hands
    if hands is not None:
        hands = hands.copy()
        hands[..., 2] *= seen(hands[..., :2])
        hands[..., :2] = hands[..., :2].clip(-0.5, 1.5)
    return BodyDetection(body.keypoints.clip(-0.5, 1.5), confidence.astype(np.float32), hands)


def _fitting(found: list[_Found], width: int, height: int, config: PoseConfig) -> list[_Found]:
    bodies = [(index, f.body) for index, f in enumerate(found) if f.body is not None]
    if not bodies:
        return found
    places = np.stack([body.keypoints * (width, height) for _, body in bodies])
    confidence = np.stack([body.confidence for _, body in bodies])
    found = list(found)
    for (index, _), word in zip(bodies, out_of_line(places, confidence, config.gates), strict=True):
        if word:
            found[index] = _Found(None, 0, f"implausible: {word}")
    return found


def _spread(found: list[_Found], drawing: np.ndarray) -> Pose:
    """Drawings' poses -> frames' poses."""
    keypoints = np.full((len(found), 25, 2), 0.5, np.float32)
    confidence = np.zeros((len(found), 25), np.float32)
    hands = np.zeros((len(found), 2, 21, 3), np.float32)
    for index, body in ((i, f.body) for i, f in enumerate(found) if f.body is not None):
        keypoints[index], confidence[index] = body.keypoints, body.confidence
        if body.hands is not None:
            hands[index] = body.hands
    looked = any(f.body is not None and f.body.hands is not None for f in found)
    return Pose(
        keypoints[drawing],
        confidence[drawing],
        np.full((len(drawing), 25), ORIGINS.index("detected"), np.uint8),
        hands[drawing] if looked else None,
        tuple(found[d].verdict for d in drawing),
    )
