"""The numbers of one clip that a reader gives: pose, expression, identity."""

import math

import torch
from torch import Tensor

from ..errors import UserError
from ..expressions import CLASSES
from ..metrics import expression, identity, pose
from ..models.reader import Reading
from .measurement_values import Measurement
from .reader_metrics import EXPRESSION_METRICS, IDENTITY_METRICS, POOLED_METRICS, POSE_METRICS
from .script import MISSING, Script

PUBLISHED_SIDE = 256
"""Keypoint distances are published for frames of this many pixels."""

_OVER_TIME = (
    "expression_intensity_correlation",
    "expression_concordance",
    "expression_transition_ratio",
    "expression_flip_rate",
)
CLIP_METRICS = tuple(
    metric.name
    for metric in (*POSE_METRICS, *EXPRESSION_METRICS, *IDENTITY_METRICS)
    if metric.name not in POOLED_METRICS
)
"""What :func:`measure_reading` gives."""

_NO_LABELS = "the real clip carries no expression labels"


def measure_reading(
    result: Measurement,
    reading: Reading,
    script: Script,
    height: int,
    width: int,
    fps: float,
    thresholds: tuple[float, ...],
    why_not_temporal: str | None,
    first: int,
) -> None:
    """Add what was read from one candidate.

    Args:
        result: gets values and reasons.
        reading: of the candidate's T frames.
        script: what the clip was told to show.
        height, width: pixels of the real clip.
        fps: frames a second.
        thresholds: of PCK.
        why_not_temporal: why frames are not held against each other, or None.
        first: what has a wanted value frame by frame begins here.
    """
    result.against = script.against
    _measure_pose(result, reading, script, height, width, thresholds, first)
    _measure_expression(result, reading, script, first)
    if why_not_temporal is not None:
        result.skip((*_OVER_TIME, "subject_consistency"), why_not_temporal)
        return
    _measure_over_time(result, reading, script, fps)
    result.put(
        "subject_consistency", identity.subject_consistency(reading.identity[None]), "the clip has one frame"
    )


def measure_identity(result: Measurement, reading: Reading, reference: Tensor | None) -> None:
    """Add the row of identity: against vectors [R, D] of the character in other real clips, or None."""
    if reference is None:
        result.skip(
            ("identity_consistency",), "the reference has no other clip of the same character to compare with"
        )
        return
    value = identity.identity_consistency(reading.identity[None], reference[None])
    result.put("identity_consistency", value, "no frame")


def _measure_pose(
    result: Measurement,
    reading: Reading,
    script: Script,
    height: int,
    width: int,
    thresholds: tuple[float, ...],
    first: int,
) -> None:
    points = reading.keypoints * torch.tensor([width, height]) - 0.5
    seen = (reading.confidence >= MISSING)[..., None]
    predicted = torch.where(seen, points, torch.nan)[None, first:]
    target, visible = script.keypoints[None, first:], script.visible[None, first:].float()
    side = pose.keypoint_box_side(target, script.known[None, first:].float())
    for threshold in thresholds:
        value = pose.pck(predicted, target, visible, side, threshold)
        result.put(f"reader_pck@{threshold:g}", value, "fewer than two joints are known in every frame")
    distance, missing = pose.keypoint_distance(predicted, target, visible)
    scale = PUBLISHED_SIDE / max(height, width)
    result.put("reader_keypoint_distance", distance * scale, "no joint was read")
    result.put("reader_missing_rate", missing, "no joint is visible")


def _measure_expression(result: Measurement, reading: Reading, script: Script, first: int) -> None:
    classes = slice(0, len(CLASSES))
    known = script.expression_known[:, classes].any(dim=1)
    if not bool(known.any()):
        result.skip(("expression_accuracy",), _NO_LABELS)
        return
    read, commanded = reading.expression[None, first:, classes], script.expression[None, first:, classes]
    try:
        found = expression.expression_accuracy(read, commanded, (script.face & known)[None, first:])
    except UserError:
        result.skip(("expression_accuracy",), "no frame has a visible face and a command of 0.5 or more")
        return
    result.put("expression_accuracy", found.per_clip, "no frame")
    result.confusion = [
        (int(row), int(column), int(found.confusion[row, column]))
        for row, column in found.confusion.nonzero()
    ]


def _measure_over_time(result: Measurement, reading: Reading, script: Script, fps: float) -> None:
    if not bool(script.expression_known.any()):
        result.skip(_OVER_TIME, _NO_LABELS)
        return
    classes = slice(0, len(CLASSES))
    seen = script.face[:, None] & script.expression_known
    correlation, concordance = expression.intensity_correlation(
        reading.expression[None], script.expression[None], seen[None]
    )
    steady = "no commanded intensity changes by 0.1 or more while the face can be seen"
    result.put("expression_intensity_correlation", correlation, steady)
    result.put("expression_concordance", concordance, steady)
    labels = reading.expression[:, classes].argmax(dim=1)
    labels = torch.where(seen[:, classes].any(dim=1), labels, -1)
    flips = expression.flip_rate(labels[None], script.expression[None, :, classes])
    result.put("expression_flip_rate", flips, "the command is never held while the face can be seen")
    _measure_transition(result, reading, script, fps)


def _measure_transition(result: Measurement, reading: Reading, script: Script, fps: float) -> None:
    name = "expression_transition_ratio"
    count = len(CLASSES)
    ranges = script.expression[:, :count].amax(dim=0) - script.expression[:, :count].amin(dim=0)
    ranges = torch.where(script.expression_known[:, :count].all(dim=0), ranges, 0.0)
    # What is left for neutral mirrors the others: it is asked last.
    order = torch.arange(count).roll(-1)
    chosen = int(order[ranges[order].argmax()])
    commanded = float(expression.transition_time(script.expression[None, :, chosen], fps))
    if not math.isfinite(commanded):
        result.skip((name,), "the command holds one expression")
    elif not bool(script.face.all()):
        result.skip((name,), "the face is hidden for a while")
    else:
        made = expression.transition_time(reading.expression[None, :, chosen], fps)
        result.put(name, made / commanded, "the made face does not change")
