"""A small store as ``run`` leaves it, with everything that can go wrong in it, for the tests of the report."""

import csv
from pathlib import Path

import numpy as np

from preprocessing.outcome import Outcome, write_outcomes
from preprocessing.sources_file import SOURCES_FILE
from temporal_gan.data.manifest import ORIGINS, ClipLabels, ClipRow
from temporal_gan.data.store import Store
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.skeletons import CANONICAL25

FRAMES = 8
EVIL = '<script>alert("x")</script>|`**walk**`, (1).mp4'
LICENCE = "[free](javascript:alert(1)) <b>CC</b>"

# A standing figure, in the order of canonical25, in fractions of the frame.
FIGURE = np.float32(
    "50 22  50 32  42 32  38 44  36 55  58 32  62 44  64 55  45 58  44 74  44 90  55 58  56 74  56 90 "
    "47 19  53 19  43 20  57 20  50 58  59 93  61 92  55 92  41 93  39 92  45 92".split()
).reshape(25, 2) / np.float32(100)


def figure_clip(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints float32 [T, 25, 2] of a figure that sways, held on twos, and uint8 [T, size, size, 3] of it."""
    generator = np.random.default_rng(seed)
    points = np.stack([FIGURE + [0.04 * np.sin(t // 2 + seed), 0.0] for t in range(FRAMES)]).astype(
        np.float32
    )
    points[:, [4, 7]] += generator.uniform(-0.1, 0.1, (1, 2, 2)).astype(np.float32)
    y, x = (np.indices((size, size)) + 0.5) / size
    video = np.full((FRAMES, size, size, 3), 250, np.uint8)
    colours = generator.integers(0, 200, (25, 3))
    for t in range(FRAMES):
        for joint, colour in zip(points[t], colours, strict=True):
            video[t][np.hypot(x - joint[0], y - joint[1]) < 0.05] = colour
    return points, video


def run_store(folder: Path, size: int = 32) -> Store:
    """Clips ``good_001`` (train), ``half_001`` (val; no pose in half of the frames, the rest filled in), ``none_001``
    (test; nothing found, source and licence full of markup, no licence in one), ``copy_001`` (test; the video and the
    source of ``good_001``)."""
    with StoreWriter(folder, CANONICAL25, EXPRESSIONS, 24, (size, size), 3) as writer:
        for seed, (name, split, source, licence) in enumerate(
            [
                ("good_001", "train", "good.mp4", "CC-BY-4.0"),
                ("half_001", "val", "日本 half.webm", LICENCE),
                ("none_001", "test", EVIL, ""),
                ("copy_001", "test", "good.mp4", "CC-BY-4.0"),
            ]
        ):
            points, video = figure_clip(size, 0 if name == "copy_001" else seed)
            row = ClipRow(
                name, "mika" if seed else "<i>aoi</i>", split, source, licence, sha256=source.encode().hex()
            )
            labels, truth = _labels(name, points)
            writer.add_clip(row, video, labels, truth)
    write_outcomes(folder, _outcomes())
    with (folder / SOURCES_FILE).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow("file url page author licence licence_evidence character sha256".split())
        table.writerow(
            ["good.mp4", "", "https://example.org/a", "Ann", "CC-BY-4.0", "page footer", "aoi", "ab"]
        )
        table.writerow([EVIL, "javascript:alert(2)", "", "<img src=x>", "", "", "mika", "cd"])
    return Store.open(folder)


def _labels(name: str, points: np.ndarray) -> tuple[ClipLabels, dict[str, np.ndarray]]:
    confidence = np.full((FRAMES, 25), 0.9, np.float32)
    origin = np.zeros((FRAMES, 25), np.uint8)
    expression = np.zeros((FRAMES, 14), np.float32)
    expression[:, EXPRESSIONS.index("happy")] = 0.8
    expression[:, EXPRESSIONS.index("jawOpen")] = 0.4
    known = np.ones((FRAMES, 14), np.float32)
    if name == "half_001":
        confidence[:4] = 0
        confidence[4:] = 0.4
        origin[4:] = ORIGINS.index("interpolated")
        known[:6] = 0
    if name == "none_001":
        confidence[:], known[:] = 0, 0
    hands = np.zeros((FRAMES, 2, 21, 3), np.float32)
    hands[:, :, :, :2] = points[:, [7, 4], None] + np.linspace(0, 0.06, 21)[:, None]
    hands[..., 2] = confidence[:, None, None, 0]
    face = np.zeros((FRAMES, 28, 3), np.float32)
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    face[..., :2] = points[:, :1] + 0.06 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    face[..., 2] = confidence[:, :1]
    labels = ClipLabels(
        keypoints=points,
        confidence=confidence,
        layer=np.ones((FRAMES, 25), np.int64),
        expression=expression,
        expression_confidence=known,
        time=np.arange(FRAMES) / 24,
        hold=np.arange(FRAMES) // 2,
        origin=tuple("interpolated" if o else "detected" for o in origin[:, 0]),
    )
    return labels, {"hands": hands, "face_points": face, "joint_origin": origin}


def _outcomes() -> list[Outcome]:
    facts = {"crop_scale": 0.625, "joints_filled": 3.0, "frames_with_face": 6.0}
    return [
        Outcome("good.mp4", "good_001", "kept", "", FRAMES, facts | {"crop_scale": 2.0}, {"": FRAMES}, "blendshapes"),
        Outcome(
            "日本 half.webm", "half_001", "kept", "", FRAMES, facts, {"": 4, "not detected": 3, "two necks": 1},
            "geometry",
        ),
        Outcome(EVIL, "none_001", "kept", "", FRAMES, {}, {"not detected": FRAMES}),
        Outcome("good.mp4", "copy_001", "kept", "", FRAMES, facts, {"": FRAMES}, "blendshapes"),
        Outcome("again.mp4", "again_001", "left out", "near-duplicate of good_001 (distance 2)", 40),
        Outcome("again.mp4", "again_002", "left out", "near-duplicate of half_001 (distance 3)", 40),
        Outcome("<b>bomb</b>.gif", "", "failed", "too many pixels: 8000x8000"),
    ]  # fmt: skip
