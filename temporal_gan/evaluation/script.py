"""What a clip was told to show, in a reader's terms: canonical joints, the built-in expressions, a face in sight."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..expressions import EXPRESSIONS
from ..models.reader import FACE_JOINTS, Reading
from ..skeletons import CANONICAL25, canonical_joints
from .clip_pairs import ClipPair

MISSING = 0.25
"""Confidence below which a reader does not see a joint."""

VISIBLE = 0.75
"""Confidence above which a joint is seen and not only known to be behind something."""

FACE = 0.5
"""Confidence from which a reader sees a face."""


@dataclass(frozen=True)
class Script:
    """Of one real clip of T frames.

    Attributes:
        keypoints: [T, 25, 2], pixels, centres at whole numbers.
        known, visible: bool [T, 25]; known ones span the character's box, visible ones are scored.
        against: ``labels``, or ``reading`` where there are none and the real frames were read as well.
        expression: [T, 14] intensities, 0 where not known.
        expression_known: bool [T, 14].
        face: bool [T], the real face can be seen.
    """

    keypoints: Tensor
    known: Tensor
    visible: Tensor
    against: str
    expression: Tensor
    expression_known: Tensor
    face: Tensor


def read_script(pair: ClipPair, reading: Reading) -> Script:
    """The script of a validated pair, by its labels; where those are missing, by the reading of its real clip."""
    height, width = pair.real.shape[-2:]
    expression, expression_known = _expression(pair, len(reading.face))
    labels = _labelled_joints(pair)
    face = reading.face > FACE
    if labels is None:
        points, confidence = reading.keypoints, reading.confidence
        known, visible, against = confidence >= MISSING, confidence > VISIBLE, "reading"
    else:
        points, confidence = labels
        known, against = confidence > 0, "labels"
        # Labels of a renderer or a person say 0.5 for a joint behind something; a detector's confidence does not.
        says_hidden = bool(torch.isin(confidence, torch.tensor([0.0, 0.5, 1.0])).all())
        visible = confidence > VISIBLE if says_hidden else known
        if says_hidden and _labels_face(pair):
            face = visible[:, FACE_JOINTS].all(dim=1)
    pixels = points.float() * torch.tensor([width, height]) - 0.5
    return Script(pixels, known, visible, against, expression, expression_known, face)


def _labels_face(pair: ClipPair) -> bool:
    return pair.skeleton is not None and set(FACE_JOINTS) <= set(canonical_joints(pair.skeleton).values())


def _labelled_joints(pair: ClipPair) -> tuple[Tensor, Tensor] | None:
    """Keypoints [T, 25, 2] in [0, 1] and confidence [T, 25]; None where no joint is one that a reader knows."""
    if pair.keypoints is None or pair.skeleton is None:
        return None
    names = canonical_joints(pair.skeleton)
    frames, count = len(pair.keypoints), len(CANONICAL25.joints)
    points, confidence = torch.zeros(frames, count, 2), torch.zeros(frames, count)
    for source, target in names.items():
        there = torch.ones(frames) if pair.confidence is None else pair.confidence[:, source].float()
        points[:, target] = torch.where(there[:, None] > 0, pair.keypoints[:, source].float(), 0.0)
        confidence[:, target] = there
    return (points, confidence) if bool((confidence > 0).any()) else None


def _expression(pair: ClipPair, frames: int) -> tuple[Tensor, Tensor]:
    intensity, known = torch.zeros(frames, len(EXPRESSIONS)), torch.zeros(frames, len(EXPRESSIONS)).bool()
    if pair.expression is None:
        return intensity, known
    for source, name in enumerate(pair.expression_names):
        if name not in EXPRESSIONS:
            continue
        target = EXPRESSIONS.index(name)
        there = (
            torch.ones(frames)
            if pair.expression_confidence is None
            else pair.expression_confidence[:, source]
        )
        known[:, target] = there > 0
        intensity[:, target] = torch.where(there > 0, pair.expression[:, source].float(), 0.0)
    return intensity, known
