"""Labels -> a CSV table, as :mod:`preprocessing.importers.label_table` reads it: without any loss."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.skeletons import CANONICAL25, Skeleton

from ..importers.label_table import COLUMNS, HANDS
from ..label_track import LabelTrack

Cells = dict[str, object]


def write_label_table(file: Path, track: LabelTrack) -> None:
    """Write one table. Numbers have as many digits as tell them from their neighbours."""
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, COLUMNS, lineterminator="\n")
        writer.writeheader()
        if track.skeleton != CANONICAL25:
            writer.writerows(_skeleton(track.skeleton))
        for number in range(len(track.frame)):
            writer.writerows({"frame": int(track.frame[number])} | row for row in _frame(track, number))


def _skeleton(skeleton: Skeleton) -> Iterator[Cells]:
    yield {"kind": "skeleton", "name": skeleton.name}
    for joint, layer in zip(skeleton.joints, skeleton.layers, strict=True):
        yield {"kind": "skeleton_joint", "name": joint, "layer": layer}
    for kind, pairs in (("edge", skeleton.edges), ("flip_pair", skeleton.flip_pairs)):
        for a, b in pairs:
            yield {"kind": kind, "name": skeleton.joints[a], "other": skeleton.joints[b]}


def _frame(track: LabelTrack, number: int) -> Iterator[Cells]:
    yield {
        "kind": "frame",
        "time": "" if track.time is None else repr(float(track.time[number])),
        "hold": "" if track.hold is None else int(track.hold[number]),
        "origin": track.origins()[number],
    }
    for joint, name in enumerate(track.skeleton.joints):
        point = np.append(track.keypoints[number, joint], track.confidence[number, joint])
        layer = "" if track.layer is None else int(track.layer[number, joint])
        yield {"kind": "joint", "name": name, "layer": layer} | _place(point)
    if track.expression is not None and track.expression_confidence is not None:
        for name, value, sure in zip(
            EXPRESSIONS, track.expression[number], track.expression_confidence[number], strict=True
        ):
            yield {"kind": "expression", "name": name, "value": str(value), "confidence": str(sure)}
    if track.hands is not None:
        for kind, hand in zip(HANDS, track.hands[number], strict=True):
            yield from ({"kind": kind, "name": name} | _place(point) for name, point in enumerate(hand))
    if track.face_points is not None:
        face = track.face_points[number]
        yield from ({"kind": "face", "name": name} | _place(point) for name, point in enumerate(face))


def _place(point: np.ndarray) -> Cells:
    # str of a float32 has the fewest digits that give it back.
    return {"x": str(point[0]), "y": str(point[1]), "confidence": str(point[2])}
