"""Does one command leave alone what another one controls? A run's clips, generated again with one thing changed."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..batch import composite_on_white
from ..errors import UserError
from ..expressions import CLASSES, expression_vector
from ..inference.pose_source import store_pose
from ..metrics.identity import edit_leakage
from ..models.reader import Reading
from .measurement_values import Measurement
from .pairing import RunPairs, animate_row
from .reader_metrics import EDIT_METRICS
from .reader_tool import ReaderTool
from .script import FACE, MISSING

EDITED_CLIPS = 32
"""At most so many clips of a run, evenly spaced, are generated again."""

_OF_EXPRESSION = ("expression_edit_moves_pose", "expression_edit_moves_identity")
_OF_POSE = ("pose_edit_moves_expression",)
NAMES = tuple(metric.name for metric in EDIT_METRICS)
NEEDS_RUN = "needs a run: clips that are made already cannot be made again with another command"


@dataclass(frozen=True)
class Edits:
    """Which clips of a run are edited.

    Attributes:
        pairs: the run.
        clips: their indices.
    """

    pairs: RunPairs
    clips: tuple[int, ...]

    def ids(self) -> tuple[str, ...]:
        """Names of the edited clips; their real frames are the unit of every edit."""
        return tuple(self.pairs.clip_ids[index] for index in self.clips)

    def measure(self, result: Measurement, made: Reading, index: int, tool: ReaderTool) -> None:
        """Add the rows of clip ``index``.

        Args:
            result: gets values and reasons.
            made: reading of the clip as commanded.
            index: of the clip.
            tool: the reader.
        """
        if index not in self.clips:
            result.skip(NAMES, f"only {len(self.clips)} clips, evenly spaced, are generated again")
            return
        real = tool.real_frames(self.pairs.store, self.ids())
        self._edit_expression(result, made, index, tool, real)
        self._edit_pose(result, made, index, tool, real)

    def _edit_expression(
        self, result: Measurement, made: Reading, index: int, tool: ReaderTool, real: Reading
    ) -> None:
        run, row = self.pairs, self.pairs.rows[index]
        other = other_expression(run, row.id)
        if other is None:
            result.skip(_OF_EXPRESSION, "needs a run that knows two or more expressions")
            return
        edited = tool.read(composite_on_white(animate_row(run.animator, run.store, row, expression=other)))
        # A joint that neither picture shows is nowhere in particular.
        unseen = (torch.maximum(made.confidence, edited.confidence) < MISSING)[..., None]
        moved = torch.where(unseen, made.keypoints, edited.keypoints)
        _put(
            result, _OF_EXPRESSION[0], made.keypoints.flatten(1), moved.flatten(1), real.keypoints.flatten(1)
        )
        _put(result, _OF_EXPRESSION[1], made.identity, edited.identity, real.identity)

    def _edit_pose(
        self, result: Measurement, made: Reading, index: int, tool: ReaderTool, real: Reading
    ) -> None:
        run = self.pairs
        row, following = run.rows[index], run.rows[(index + 1) % len(run)]
        if following is row:
            result.skip(_OF_POSE, "needs a second clip, whose pose is lent")
            return
        pose = store_pose(run.store, following.id).resampled(row.frames)
        edited = tool.read(composite_on_white(animate_row(run.animator, run.store, row, pose=pose)))
        shown = (made.face > FACE) & (edited.face > FACE)
        if not bool(shown.any()):
            result.skip(_OF_POSE, "no frame shows a face in both poses")
            return
        faces = real.expression[real.face > FACE]
        _put(result, _OF_POSE[0], made.expression[shown], edited.expression[shown], faces)


def _put(result: Measurement, name: str, before: Tensor, after: Tensor, real: Tensor) -> None:
    try:
        result.put(name, edit_leakage(before, after, real).mean(), "no frame")
    except UserError as error:
        result.skip((name,), str(error))


def other_expression(run: RunPairs, clip_id: str) -> np.ndarray | None:
    """[T, E]: the class that follows the clip's own, at full strength; None where there is no second class."""
    names = run.animator.expressions
    classes = [name for name in names if name in CLASSES]
    if len(classes) < 2:
        return None
    labels = run.store.labels(clip_id)
    known = np.where(labels.expression_confidence > 0, labels.expression, 0.0)
    own = known[:, [names.index(name) for name in classes]].sum(axis=0)
    other = classes[(int(own.argmax()) + 1) % len(classes)]
    return np.tile(expression_vector({other: 1.0}, names), (len(known), 1))
