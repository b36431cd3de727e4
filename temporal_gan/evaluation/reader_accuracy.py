"""How well does a reader read? Its errors on labelled clips are the ceiling of every number it is used for."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from ..batch import composite_on_white
from ..data.manifest import ClipRow
from ..data.store import Store
from ..errors import StoreError
from ..expressions import CLASSES, CONTROLS, EXPRESSIONS
from ..metrics.expression import SHOWN, expression_accuracy
from ..metrics.pose import keypoint_box_side
from ..models.reader import FACE_JOINTS, Reader, Reading, read_video
from ..skeletons import CANONICAL25, canonical_joints
from .clip_pairs import frames_to_tensor

ALL = "all"
VISIBLE = 0.75
"""Labels of at least this confidence are joints that can be seen; puppets mark hidden ones with 0.5."""


@dataclass(frozen=True)
class ReaderAccuracy:
    """Errors of a reader on the labelled clips of a split; None where the store has no such labels.

    Attributes:
        clips, frames: that were read.
        pck_05, pck_10: part of the visible joints nearer than 5 % and 10 % of the character's box.
        pck_05_hidden: the same of joints behind something.
        pck_05_by_joint: canonical25 name -> pck_05.
        expression_accuracy, macro_f1: over frames with a visible face and a class at 0.5 or more.
        recall_by_class: class name -> part of its frames that were read as it.
        control_error: control name -> mean absolute error over frames with a visible face.
        faces_found: part of the visible faces that the reader calls readable.
        identity_auc: how often two frames of one character, in different clips, are nearer than two of different ones.
    """

    clips: int
    frames: int
    pck_05: float | None
    pck_10: float | None
    pck_05_hidden: float | None
    pck_05_by_joint: dict[str, float]
    expression_accuracy: float | None
    macro_f1: float | None
    recall_by_class: dict[str, float]
    control_error: dict[str, float]
    faces_found: float | None
    identity_auc: float | None

    def to_dict(self) -> dict[str, object]:
        """Plain types."""
        return asdict(self)


def chosen_clips(store: Store, split: str) -> list[ClipRow]:
    """The clips of a split, or ``all``. Raises StoreError where there are none."""
    rows = list(store.clips) if split == ALL else store.split(split)
    if not rows:
        raise StoreError(f"{store.path}: no clips in split {split!r}")
    return rows


@torch.no_grad()
def measure_reader(
    reader: Reader, store: Store, split: str = "test", progress: Callable[[int], None] | None = None
) -> ReaderAccuracy:
    """Read every clip of a split and hold it against the labels.

    Args:
        reader: in eval mode.
        store: labelled; joints are matched by name, expressions too.
        split: one of manifest.SPLITS, or ``all``.
        progress: called after each clip with the number done.
    Raises:
        StoreError: the split is empty, or has no label that a reader reads.
    """
    rows = chosen_clips(store, split)
    clips = []
    for done, row in enumerate(rows, 1):
        video = composite_on_white(frames_to_tensor(store.frames(row.id)))
        extent = video.new_tensor([row.width, row.height])
        clips.append((row.character, _labels(store, row.id), read_video(reader, video), extent))
        if progress is not None:
            progress(done)
    truths = [labels for _, labels, _, _ in clips]
    found: dict[str, object] = {"clips": len(rows), "frames": sum(len(t.points) for t in truths)}
    found |= _joints([(t, r.keypoints, extent) for _, t, r, extent in clips])
    found |= _faces([(t, r) for _, t, r, _ in clips])
    found["identity_auc"] = _identity_auc([(who, r.identity) for who, _, r, _ in clips])
    accuracy = ReaderAccuracy(**found)  # type: ignore[arg-type]
    if accuracy.pck_05 is None and accuracy.expression_accuracy is None:
        raise StoreError(
            f"{store.path}: split {split!r} has neither joints nor expressions that a reader reads"
        )
    return accuracy


@dataclass(frozen=True)
class _Labels:
    """Of one clip: points [T, 25, 2] in [0, 1], seen [T, 25] (0 unknown), face [T, 14], face_known [T, 14]."""

    points: Tensor
    seen: Tensor
    face: Tensor
    face_known: Tensor


def _labels(store: Store, clip: str) -> _Labels:
    labels = store.labels(clip)
    frames = len(labels.time)
    points, seen = np.zeros((frames, 25, 2), np.float32), np.zeros((frames, 25), np.float32)
    for source, target in canonical_joints(store.info.skeleton).items():
        points[:, target], seen[:, target] = labels.keypoints[:, source], labels.confidence[:, source]
    face, known = np.zeros((frames, len(EXPRESSIONS)), np.float32), np.zeros((frames, len(EXPRESSIONS)), bool)
    for source, name in enumerate(store.info.expressions):
        if name in EXPRESSIONS:
            target = EXPRESSIONS.index(name)
            face[:, target] = labels.expression[:, source]
            known[:, target] = labels.expression_confidence[:, source] > 0
    return _Labels(*(torch.from_numpy(a) for a in (points, seen, face, known)))


def _joints(clips: list[tuple[_Labels, Tensor, Tensor]]) -> dict[str, object]:
    """Pooled over joints, so that a clip whose joints are hidden weighs little."""
    within: dict[str, list[Tensor]] = {"near": [], "wide": [], "visible": [], "hidden": []}
    for labels, read, extent in clips:
        points, seen = labels.points * extent, labels.seen
        side = keypoint_box_side(points[None], seen[None])[0]
        off = (read * extent - points).norm(dim=-1) / side.clamp_min(1e-6)[:, None]
        scored = (side > 0)[:, None]
        for name, value in (
            ("near", off < 0.05), ("wide", off < 0.1),
            ("visible", scored & (seen >= VISIBLE)), ("hidden", scored & (seen > 0) & (seen < VISIBLE)),
        ):  # fmt: skip
            within[name].append(value)
    near, wide, visible, hidden = (torch.cat(within[name]) for name in within)
    by_joint = {
        name: float(near[:, j][visible[:, j]].double().mean())
        for j, name in enumerate(CANONICAL25.joints)
        if bool(visible[:, j].any())
    }
    return {
        "pck_05": _share(near, visible),
        "pck_10": _share(wide, visible),
        "pck_05_hidden": _share(near, hidden),
        "pck_05_by_joint": by_joint,
    }


def _faces(clips: list[tuple[_Labels, Reading]]) -> dict[str, object]:
    count = len(CLASSES)
    meant = torch.cat([t.face for t, _ in clips])
    known = torch.cat([t.face_known for t, _ in clips])
    visible = torch.cat([t.seen[:, FACE_JOINTS].amin(dim=1) >= VISIBLE for t, _ in clips])
    read = torch.cat([r.expression for _, r in clips])
    ready = torch.cat([r.face for _, r in clips])
    # A store without joints does not say where faces are; every labelled one is to be read then.
    if not bool(torch.cat([t.seen for t, _ in clips]).any()):
        visible = known[:, :count].any(dim=-1)
    counted = visible & known[:, :count].any(dim=-1)
    nothing: dict[str, object] = {
        "expression_accuracy": None, "macro_f1": None, "recall_by_class": {}, "control_error": {},
        "faces_found": _share(ready > 0.5, visible),
    }  # fmt: skip
    if not bool((counted & (meant[:, :count].amax(dim=-1) >= SHOWN)).any()):
        return nothing
    result = expression_accuracy(read[None, :, :count], meant[None, :, :count], counted[None])
    rows = result.confusion.sum(dim=1)
    errors = (read - meant).abs()[:, count:]
    return nothing | {
        "expression_accuracy": result.accuracy,
        "macro_f1": result.macro_f1,
        "recall_by_class": {
            name: float(result.confusion[i, i] / rows[i]) for i, name in enumerate(CLASSES) if rows[i]
        },
        "control_error": {
            name: float(errors[:, i][visible & known[:, count + i]].mean())
            for i, name in enumerate(CONTROLS)
            if bool((visible & known[:, count + i]).any())
        },
    }


def _identity_auc(clips: list[tuple[str, Tensor]]) -> float | None:
    """Of the middle frame of each clip against all others."""
    who = np.array([name for name, _ in clips])
    vectors = torch.stack([identity[len(identity) // 2] for _, identity in clips])
    likeness = (vectors @ vectors.T).numpy()
    pair = np.triu(np.ones(likeness.shape, bool), 1)
    same = pair & (who[:, None] == who[None])
    if not same.any() or same.sum() == pair.sum():
        return None
    alike, unlike = likeness[same], np.sort(likeness[pair & ~same])
    # Mann and Whitney: ties count half.
    below = np.searchsorted(unlike, alike, "left") + np.searchsorted(unlike, alike, "right")
    return float((below / 2 / len(unlike)).mean())


def _share(hits: Tensor, counted: Tensor) -> float | None:
    return float(hits[counted].double().mean()) if bool(counted.any()) else None
