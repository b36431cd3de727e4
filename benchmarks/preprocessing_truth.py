"""What does preprocessing find in clips of which everything is known?

    python benchmarks/preprocessing_truth.py --out DIR [--files 7] [--backends reader,mediapipe-offline] [--crf 20]

Puppet clips on ones, twos and threes are written as H.264 files of three shots each and run through
``temporal-gan-preprocess run`` as strangers, whole frame, with each pose backend, with and without smoothing. Against
the exact truth it tells: cuts, held drawings, joints, faces' expressions, and flow.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from record import own_command, record
from strangers import FPS, Stranger, figure, stranger_specs, truth_of, write_strangers

from temporal_gan.data.store import Store
from temporal_gan.expressions import CLASSES, CONTROLS
from temporal_gan.puppet import PuppetClip
from temporal_gan.skeletons import CANONICAL25

_HEAD = ("nose", "neck", "left_ear", "right_ear", "left_eye", "right_eye")


def make_store(inputs: Path, out: Path, backend: str, smooth: bool, size: int) -> Store:
    """Run the command as a user would."""
    command = [
        sys.executable,
        "-c",
        "from preprocessing.cli import main; main()",
        "run",
        str(inputs),
        "--out",
        str(out),
    ]
    settings = ["crop.mode=whole", f"crop.size={size}", "crop.alpha=opaque", "dedupe.threshold=0"]
    settings += [f"smooth.enabled={str(smooth).lower()}", "shots.max_seconds=60"]
    command += [
        "--allow-unlicensed",
        "--pose-backend",
        backend,
        "--work",
        str(out.parent / "work"),
        "--quiet",
    ]
    for setting in settings:
        command += ["--set", setting]
    subprocess.run(command, check=True)
    return Store.open(out)


class Tally:
    """Counts over all clips, and the figures that follow."""

    def __init__(self) -> None:
        self.values: dict[str, list[np.ndarray]] = {}

    def add(self, **values: np.ndarray) -> None:
        """Append numbers to named lists."""
        for name, value in values.items():
            self.values.setdefault(name, []).append(np.asarray(value, np.float64).reshape(-1))

    def mean(self, name: str) -> float | None:
        """Of all that was added under a name; None where nothing was."""
        found = np.concatenate(self.values.get(name, [np.zeros(0)]))
        return float(found.mean()) if found.size else None


def score_cuts(store: Store, strangers: list[Stranger]) -> dict[str, int]:
    """Cuts found at the very frame, missed, and false."""
    found = missed = false = 0
    for stranger in strangers:
        want = set(stranger.first_frames())
        got = {round(row.start * FPS) for row in store.clips if row.source == stranger.file.name}
        found, missed, false = found + len(want & got), missed + len(want - got), false + len(got - want)
    return {"found": found, "missed": missed, "false": false}


def score_clip(store: Store, clip: str, truth: PuppetClip, tally: Tally) -> None:
    """Add what one shot's labels say against the truth."""
    labels = store.labels(clip)
    changes = np.diff(labels.hold) > 0
    # Two drawings in a row may be the same: a held pose between two moves.
    moved = (np.diff(truth.hold) > 0) & (
        np.abs(np.diff(truth.video.astype(np.int16), axis=0)).max(axis=(1, 2, 3)) > 8
    )
    tally.add(drawing_found=changes[moved], drawing_false=changes[np.diff(truth.hold) == 0])
    heads = [CANONICAL25.joints.index(name) for name in _HEAD]
    place = truth.keypoints[:, heads]
    head = np.linalg.norm(place.max(axis=1) - place.min(axis=1), axis=-1)
    visible = truth.confidence == 1
    known = labels.confidence > 0
    distance = np.linalg.norm(labels.keypoints - truth.keypoints, axis=-1)
    right = known & (distance < 0.1 * head[:, None])
    box = truth.keypoints.max(axis=1) - truth.keypoints.min(axis=1)
    wide = known & (distance < 0.05 * box.max(axis=-1)[:, None])
    tally.add(
        pck_head=right[visible],
        pck_box=wide[visible],
        joints_known=known[visible],
        pck_head_of_known=right[visible & known],
        error_px=store.info.width * distance[visible & known],
        frames_with_pose=known.any(axis=1),
    )
    jumps = np.linalg.norm(np.diff(labels.keypoints - truth.keypoints, n=2, axis=0), axis=-1)
    steady = known[2:] & known[1:-1] & known[:-2] & visible[2:] & visible[1:-1] & visible[:-2]
    tally.add(jitter_px=store.info.width * jumps[steady])
    classes, read = truth.expression[:, : len(CLASSES)], labels.expression[:, : len(CLASSES)]
    told = (labels.expression_confidence[:, : len(CLASSES)] > 0).any(axis=1)
    strong = classes.max(axis=1) >= 0.5
    agree = classes.argmax(axis=1) == read.argmax(axis=1)
    tally.add(expression=agree[strong & told], faces_read=told)
    for number, name in enumerate(CONTROLS, len(CLASSES)):
        there = labels.expression_confidence[:, number] > 0
        tally.add(
            **{f"error of {name}": np.abs(labels.expression[:, number] - truth.expression[:, number])[there]}
        )
    measured = store.truth(clip)
    if measured is not None and "flow" in measured:
        _score_flow(measured, truth, tally)


def _score_flow(measured: dict[str, np.ndarray], truth: PuppetClip, tally: Tally) -> None:
    held = np.diff(truth.hold) == 0
    own = truth.flow_valid[:, 0] & figure(truth)[:-1]
    own[held] = False
    error = np.linalg.norm(measured["flow"].astype(np.float32) - truth.flow, axis=1)
    kept = own & measured["flow_valid"][:, 0]
    tally.add(
        flow_error_px=error[own], flow_error_kept_px=error[kept], flow_kept=measured["flow_valid"][:, 0][own]
    )
    tally.add(flow_marked_on_holds=measured["flow_valid"][held])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--files", type=int, default=7)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--backends", default="reader,mediapipe-offline")
    parser.add_argument("--background", default="random")
    parser.add_argument("--crf", type=int, default=20)
    options = parser.parse_args()
    specs = stranger_specs(options.files, 3, options.frames, options.size, options.background)
    strangers = write_strangers(options.out / "inputs", specs, options.crf)
    results: dict[str, object] = {}
    for backend in options.backends.split(","):
        for smooth in (False, True):
            place = options.out / f"{backend}{'_smooth' if smooth else ''}"
            store = make_store(options.out / "inputs", place, backend, smooth, options.size)
            tally = Tally()
            for stranger in strangers:
                first = dict(zip(stranger.first_frames(), stranger.specs, strict=True))
                for row in store.clips:
                    if row.source == stranger.file.name and round(row.start * FPS) in first:
                        spec = first[round(row.start * FPS)]
                        if row.frames == spec.frames:
                            score_clip(store, row.id, truth_of(spec), tally)
            figures = {name: tally.mean(name) for name in tally.values}
            results[place.name] = {"cuts": score_cuts(store, strangers), **figures}
            print(place.name, json.dumps(results[place.name], indent=1))
    print("written to", record("preprocessing_truth", own_command(), results))


if __name__ == "__main__":
    main()
