"""MediaPipe's landmarks -> this project's joints and face points."""

import numpy as np

from temporal_gan.skeletons import CANONICAL25, to_canonical25

from ..detection import BodyDetection, FaceDetection

# Vertices of MediaPipe's canonical face model (canonical_face_model_uv_visualization.png in its repository), in the
# order of the puppet's FACE_POINTS. The inner edge of the lips: a drawn mouth has no lips, only its opening.
FACE_MESH_POINTS = (
    (127, 58, 152, 288, 356)
    + (70, 105, 107) + (336, 334, 300)
    + (33, 160, 158, 133, 153, 144) + (362, 385, 387, 263, 373, 380)
    + (1,)
    + (78, 13, 308, 14)
)  # fmt: skip
_WRISTS = CANONICAL25.joints.index("left_wrist"), CANONICAL25.joints.index("right_wrist")
_ELBOWS = CANONICAL25.joints.index("left_elbow"), CANONICAL25.joints.index("right_elbow")


def body_from_landmarks(landmarks: np.ndarray, hands: list[np.ndarray]) -> BodyDetection:
    """33 pose landmarks, float [33, 3] x, y, visibility, and hands, each float [22, 2] with (score, 0) last -> body.

    A hand goes to the wrist it is nearest to, if that is nearer than half a forearm: which hand it is for MediaPipe
    depends on whether the picture is taken for a mirror's.
    """
    points, confidence = to_canonical25(landmarks[:, :2], landmarks[:, 2].clip(0, 1), "mediapipe33")
    found = np.zeros((2, 21, 3), np.float32)
    near = [
        (float(np.linalg.norm(hand[0] - points[wrist])), side, index)
        for index, hand in enumerate(hands)
        for side, wrist in enumerate(_WRISTS)
    ]
    taken: set[int] = set()
    for distance, side, index in sorted(near):
        reach = 0.5 * float(np.linalg.norm(points[_WRISTS[side]] - points[_ELBOWS[side]]))
        if index not in taken and not found[side].any() and distance < reach:
            taken.add(index)
            found[side, :, :2], found[side, :, 2] = hands[index][:21], hands[index][21, 0]
    return BodyDetection(points, confidence, found if hands else None)


def face_from_mesh(
    mesh: np.ndarray, confidence: float, blendshapes: np.ndarray | None = None
) -> FaceDetection:
    """A face mesh, float [468 or 478, 2], with its 28 points and the box around all of it."""
    points = np.full((28, 3), confidence, np.float32)
    points[:, :2] = mesh[list(FACE_MESH_POINTS)]
    box = np.concatenate([mesh.min(axis=0), mesh.max(axis=0)]).astype(np.float32)
    return FaceDetection(box, confidence, points, blendshapes)
