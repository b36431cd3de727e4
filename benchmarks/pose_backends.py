"""How right are the poses that preprocessing finds? Against the puppet's exact joints and against hand labels.

    python benchmarks/pose_backends.py                               mediapipe-offline and reader
    python benchmarks/pose_backends.py --media ../shared/media       also real drawings and clips
    python benchmarks/pose_backends.py --bounds                      what true poses reach of the gates' measures

PCK: the share of joints (shoulders to wrists, hips to ankles, nose, neck) nearer to the truth than a tenth of the
longer side of the figure's box; joints that were not found count as wrong in ``pck_all``, not in ``pck_found``.
PCKh: nearer than half a head, twice the way from neck to nose. Puppets: a clip of every motion on twos at 24 frames
a second. ``first look`` is the first step of the ladder without gates.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageSequence
from record import own_command, record

from preprocessing.clip import Clip, Pose, Source
from preprocessing.detection import PoseBackend
from preprocessing.pose.backends import open_pose_backend
from preprocessing.pose.finding import PoseConfig, find_pose
from preprocessing.pose.gates import BODY, GateConfig, implausible
from preprocessing.pose.swap import SwapConfig, repair_swaps
from preprocessing.smooth import SmoothConfig, smooth_pose
from temporal_gan.alpha import over_white
from temporal_gan.drawings import read_charactergan
from temporal_gan.puppet import CHARACTERS, MOTIONS, PuppetSpec, motion_keypoints, render_clip
from temporal_gan.skeletons import canonical_joints

JOINTS = (0, 1, *BODY)
FPS = 24.0
OPEN_GATES = GateConfig(
    torso_min=1e-6, torso_max=1e6, shoulders_max=1e6, hips_max=1e6, arm_bone_max=1e6, leg_bone_max=1e6,
    nose_min=-1e6, nose_max=1e6, nose_aside_max=1e6, knee_max=1e6, mirror_max=1e9, jump_max=1e9, size_ratio_max=1e9,
)  # fmt: skip
NO_SWAP = SwapConfig(enabled=False)


def clip_of(frames: np.ndarray, hold: np.ndarray, fps: float = FPS) -> Clip:
    """Frames as a clip from nowhere."""
    source = Source(Path("benchmark"), "benchmark", "", "")
    return Clip("benchmark", source, 0, len(frames) / fps, fps, frames, np.arange(len(frames)), hold)


def scores(pose: Pose, truth: np.ndarray, joints: list[int]) -> dict[str, float]:
    """Of one clip: truth [T, 25, 2] in fractions of a square picture, of these joints."""
    side = np.ptp(truth[:, joints], axis=1).max(axis=-1)[:, None]
    head = 2 * np.linalg.norm(truth[:, 0] - truth[:, 1], axis=-1)[:, None]
    error = np.linalg.norm(pose.keypoints - truth, axis=-1)[:, joints]
    found = pose.confidence[:, joints] > 0
    return {
        "frames": len(truth),
        "frames_with_pose": sum(not v for v in pose.verdict),
        "joints": found.size,
        "found": int(found.sum()),
        "right": int(((error < 0.1 * side) & found).sum()),
        "right_by_head": int(((error < 0.5 * head) & found).sum()),
        "squared": float(((error / side) ** 2)[found].sum()),
    }


def summary(rows: list[dict[str, float]]) -> dict[str, float | None]:
    """Scores of all clips together."""
    total = {key: sum(row[key] for row in rows) for key in rows[0]}
    found = total["found"] or None
    return {
        "frames_with_pose": total["frames_with_pose"] / total["frames"],
        "pck_found": total["right"] / found if found else None,
        "pck_all": total["right"] / total["joints"],
        "pckh_found": total["right_by_head"] / found if found else None,
        "rmse_over_box": (total["squared"] / found) ** 0.5 if found else None,
    }


def puppets(backend: PoseBackend, config: PoseConfig, frames: int) -> dict[str, object]:
    """Every motion, each by two characters."""
    rows: dict[str, list[dict[str, float]]] = {}
    looked, seconds = 0, 0.0
    for number, motion in enumerate(MOTIONS):
        for who in (list(CHARACTERS)[number % len(CHARACTERS)], f"sample:{number}"):
            spec = PuppetSpec(who, motion, "auto:happy", number, frames, 256, FPS, hold=2)
            puppet = render_clip(spec)
            clip = clip_of(over_white(puppet.video), puppet.hold)
            once = config.model_copy(
                update={"ladder": config.ladder[:1], "gates": OPEN_GATES, "swap": NO_SWAP}
            )
            first = find_pose(clip, backend, once)
            began = time.perf_counter()
            gated = find_pose(clip, backend, config.model_copy(update={"swap": NO_SWAP}))
            seconds, looked = seconds + time.perf_counter() - began, looked + len(clip.drawings)
            repaired = repair_swaps(gated, config.swap)
            smooth = smooth_pose(repaired, SmoothConfig())
            stages = {
                "first look": first,
                "ladder and gates": gated,
                "swaps repaired": repaired,
                "smoothed": smooth,
            }
            for stage, result in stages.items():
                assert result.pose is not None
                rows.setdefault(stage, []).append(scores(result.pose, puppet.keypoints, list(JOINTS)))
    return {**{stage: summary(r) for stage, r in rows.items()}, "ms_per_drawing": 1000 * seconds / looked}


def hand_labels(backend: PoseBackend, config: PoseConfig, folder: Path) -> dict[str, object]:
    """The drawings in order of their numbers, which are frames of a film at 24 a second."""
    drawings = read_charactergan(folder)
    shared = canonical_joints(drawings.skeleton)
    truth = np.zeros((len(drawings.files), 25, 2), np.float32)
    truth[:, list(shared.values())] = drawings.keypoints[:, list(shared)]
    truth[:, 1] = (truth[:, 2] + truth[:, 5]) / 2
    number = np.array([int(file.stem) for file in drawings.files])
    shown = np.searchsorted(number, np.arange(number[0], number[-1] + 1), side="right") - 1
    clip = clip_of(np.stack([p[..., :3] for p in drawings.pixels])[shown], shown)
    found = find_pose(clip, backend, config.model_copy(update={"swap": NO_SWAP}))
    result: dict[str, object] = {}
    for name, done in (("as found", found), ("swaps repaired", repair_swaps(found, config.swap))):
        assert done.pose is not None
        first, pose = done.drawings, done.pose
        one_each = replace(
            pose, keypoints=pose.keypoints[first], confidence=pose.confidence[first],
            verdict=tuple(pose.verdict[f] for f in first),
        )  # fmt: skip
        result[name] = summary([scores(one_each, truth, list(shared.values()))])
    return result


def real_clips(backend: PoseBackend, config: PoseConfig, media: Path) -> dict[str, object]:
    """Drawings with a pose, and why the others have none."""
    sets = {
        f.stem: [_rgb(frame) for frame in ImageSequence.Iterator(Image.open(f))]
        for f in _files(media / "clips")
    }
    for file in _files(media / "portraits"):
        sets[file.stem] = [_rgb(Image.open(file))]
    sets["dino"] = [_rgb(Image.open(f)) for f in _files(media / "drawings" / "dino")]
    result: dict[str, object] = {}
    for name, frames in sets.items():
        video = np.stack(frames)
        # Clips of generated pictures show each for three frames.
        small = [cv2.resize(f, (64, 64), interpolation=cv2.INTER_AREA).astype(float) for f in video]
        new = [True] + [bool(np.abs(a - b).mean() > 0.8) for a, b in zip(small, small[1:], strict=False)]
        done = find_pose(clip_of(video, np.cumsum(new) - 1), backend, config)
        assert done.pose is not None
        words = [done.pose.verdict[f] or "kept" for f in done.drawings]
        result[name] = {word: words.count(word) for word in sorted(set(words))}
    return result


def _files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in (".gif", ".png", ".jpg", ".jpeg"))


def _rgb(picture: Image.Image) -> np.ndarray:
    page = Image.new("RGBA", picture.size, "white")
    page.alpha_composite(picture.convert("RGBA"))
    return np.asarray(page.convert("RGB"))


def bounds() -> dict[str, object]:
    """How many true poses of the puppet the gates refuse."""
    config, refused, poses = GateConfig(), {}, 0
    for who in [*CHARACTERS, *(f"sample:{seed}" for seed in range(12))]:
        for motion in MOTIONS:
            for pose in motion_keypoints(who, motion, 12, 6, 3)[0]:
                poses += 1
                word = implausible(pose, np.ones(25), 256, 256, config)
                if word:
                    refused[f"{motion}: {word}"] = refused.get(f"{motion}: {word}", 0) + 1
    return {"true_poses": poses, "refused": sum(refused.values()), "why": refused}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backends", default="mediapipe-offline,reader")
    parser.add_argument("--frames", type=int, default=24, help="of each puppet clip")
    parser.add_argument("--media", type=Path, help="folder with clips/, portraits/, drawings/")
    parser.add_argument("--bounds", action="store_true")
    parser.add_argument("--record", action="store_true", help="write the figures to benchmarks/results")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    results: dict[str, object] = {"gates on true poses": bounds()} if options.bounds else {}
    for name in [] if options.bounds else options.backends.split(","):
        config = PoseConfig(backend=name)
        backend = open_pose_backend(config)
        assert backend is not None
        found: dict[str, object] = {"puppets": puppets(backend, config, options.frames)}
        if options.media:
            found["watercolor-man"] = hand_labels(
                backend, config, options.media / "drawings" / "watercolor-man"
            )
            found["real"] = real_clips(backend, config, options.media)
        backend.close()
        results[name] = found
    for name, found in results.items():
        print(name)
        for part, figures in found.items():  # type: ignore[attr-defined]
            print(f"  {part}")
            for key, value in figures.items() if isinstance(figures, dict) else [("", figures)]:
                shown = value if not isinstance(value, dict) else "  ".join(
                    f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in value.items()
                )  # fmt: skip
                print(f"    {key:28} {shown}")
    if options.record:
        print(record("pose_backends", own_command(), results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
