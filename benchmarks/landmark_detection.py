"""Does MediaPipe find people in the puppet's drawings? A fact about drawings, not a pass mark.

    python benchmarks/landmark_detection.py --pose pose_landmarker.task --face face_landmarker.task

Runs the pose and the face landmarker on one clip of every human character and prints in how many frames each found one,
and how far MediaPipe's joints are from the true ones, as a fraction of the picture. The weights are MediaPipe's own
.task bundles; one that is not there is named and left out. Exit code 1 where neither is there.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from temporal_gan.alpha import over_white
from temporal_gan.puppet import CHARACTERS, PuppetClip, PuppetSpec, render_clip
from temporal_gan.skeletons import CANONICAL25

# MediaPipe's 33 landmarks: where the joints that both skeletons have are.
SHARED = {
    "nose": 0, "left_shoulder": 11, "right_shoulder": 12, "left_elbow": 13, "right_elbow": 14, "left_wrist": 15,
    "right_wrist": 16, "left_hip": 23, "right_hip": 24, "left_knee": 25, "right_knee": 26, "left_ankle": 27,
    "right_ankle": 28,
}  # fmt: skip


def pose_found(clip: PuppetClip, weights: Path) -> tuple[int, float]:
    """Frames with a pose, and the mean distance of its joints from the truth, fractions of the picture."""
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.PoseLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(weights)))
    joints = [CANONICAL25.joints.index(name) for name in SHARED]
    distances = []
    with vision.PoseLandmarker.create_from_options(options) as landmarker:
        for picture, truth in zip(over_white(clip.video), clip.keypoints, strict=True):
            poses = landmarker.detect(_image(picture)).pose_landmarks
            if poses:
                points = np.array([(poses[0][i].x, poses[0][i].y) for i in SHARED.values()])
                distances.append(np.linalg.norm(points - truth[joints], axis=-1).mean())
    return len(distances), float(np.mean(distances)) if distances else float("nan")


def faces_found(clip: PuppetClip, weights: Path) -> int:
    """Frames with a face."""
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(weights)))
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        return sum(
            bool(landmarker.detect(_image(picture)).face_landmarks) for picture in over_white(clip.video)
        )


def _image(picture: np.ndarray) -> object:
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pose", type=Path, default=Path("pose_landmarker.task"))
    parser.add_argument("--face", type=Path, default=Path("face_landmarker.task"))
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--frames", type=int, default=24)
    options = parser.parse_args()
    there = {what: path for what, path in (("pose", options.pose), ("face", options.face)) if path.is_file()}
    for what, path in (("pose", options.pose), ("face", options.face)):
        if what not in there:
            print(f"{what}: weights not present: {path}")
    for name, character in CHARACTERS.items():
        if character.face.muzzle or not there:
            continue
        clip = render_clip(PuppetSpec(name, "wave", "auto:happy", 0, options.frames, options.size))
        said = []
        if "pose" in there:
            found, distance = pose_found(clip, there["pose"])
            said.append(f"pose in {found} of {options.frames} frames, joints off by {distance:.3f}")
        if "face" in there:
            said.append(f"face in {faces_found(clip, there['face'])} of {options.frames} frames")
        print(f"{name:12}", "; ".join(said))
    return 0 if there else 1


if __name__ == "__main__":
    sys.exit(main())
