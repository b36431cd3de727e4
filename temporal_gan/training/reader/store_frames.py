"""Pictures of a labelled clip store for a reader, in place of the puppet's."""

from pathlib import Path

import numpy as np
import torch

from ...alpha import over_white
from ...data.letterbox import Letterbox
from ...data.store import Store
from ...errors import StoreError
from ...expressions import EXPRESSIONS
from ...models.reader import FACE_JOINTS
from ...rng import numpy_generator
from ...skeletons import canonical_joints
from .appearance import FLIPPED_FACE, FLIPPED_JOINTS, alter_colours, change_view, spoil
from .frames import FrameBatch, readable_faces
from .recipe import FramesConfig


class StoreFrames:
    """Batches of a store's labelled frames; nobody knows which of them show the same pose.

    Args:
        path: a clip store; its train split is drawn from.
        config: the batch has as many frames as one of puppets, of the same size.
        seed: of the choice, and of every change of view, colours and flaws.
    Raises:
        StoreError: no train split, or no joint and no expression that a reader knows.
    """

    def __init__(self, path: Path, config: FramesConfig, seed: int) -> None:
        self.store, self.seed = Store.open(path), seed
        self.count = config.batch
        self.side = config.size
        info = self.store.info
        self.joints = canonical_joints(info.skeleton)
        self.channels = {e: EXPRESSIONS.index(n) for e, n in enumerate(info.expressions) if n in EXPRESSIONS}
        self.rows = self.store.split("train")
        if not self.rows:
            raise StoreError(f"{path}: no clips in split 'train' to learn from")
        if not self.joints and not self.channels:
            raise StoreError(
                f"{path}: neither a joint ({', '.join(info.skeleton.joints)}) nor an expression "
                f"({', '.join(info.expressions) or 'none'}) that a reader knows"
            )
        self._frames: dict[str, np.ndarray] = {}

    def batch(self, step: int) -> FrameBatch:
        """The batch of a step; a function of the seed, the store and the step."""
        random = numpy_generator(self.seed, "store batch", step)
        samples = [self._sample(random) for _ in range(self.count)]
        frames, points, seen, known, face, face_known = (
            np.stack(part) for part in zip(*samples, strict=True)
        )
        readable = readable_faces(points, seen, frames) if self._has_face() else True
        nobody = torch.full((self.count,), -1, dtype=torch.int64)
        return FrameBatch(
            frames=torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2))).float() / 255,
            keypoints=torch.from_numpy(points),
            confidence=torch.from_numpy(seen),
            joints_known=torch.from_numpy(known),
            expression=torch.from_numpy(face),
            expression_known=torch.from_numpy(face_known & readable),
            script=nobody,
            character=nobody,
        )

    def _sample(self, random: np.random.Generator) -> tuple[np.ndarray, ...]:
        row = self.rows[int(random.integers(len(self.rows)))]
        at = int(random.integers(row.frames))
        points, seen, known, face, face_known = self._labels(row.id, at)
        mirrored = bool(random.random() < 0.5)
        if mirrored:
            # change_view renames left and right in what is seen; what is known turns with it.
            known, face_known = known[FLIPPED_JOINTS], face_known[FLIPPED_FACE]
        picture = self._picture(row.id, at)
        frame, points, seen, face = change_view(picture, points, seen, face, mirrored, random)
        frame, seen = spoil(alter_colours(random)(frame), points, seen, random)
        return frame, points, seen, known, face, face_known

    def _has_face(self) -> bool:
        return set(FACE_JOINTS) <= set(self.joints.values())

    def _labels(self, clip: str, at: int) -> tuple[np.ndarray, ...]:
        labels, row = self.store.labels(clip), self.store.row(clip)
        square = Letterbox(row.width, row.height, self.side)
        points, seen = np.full((25, 2), 0.5, np.float32), np.zeros(25, np.float32)
        known = np.zeros(25, bool)
        moved = square.points(labels.keypoints[at])
        for source, target in self.joints.items():
            points[target], seen[target] = moved[source], labels.confidence[at, source]
            # Missing: out of the picture, or merely not labelled.
            known[target] = labels.confidence[at, source] > 0
        face, face_known = np.zeros(len(EXPRESSIONS), np.float32), np.zeros(len(EXPRESSIONS), bool)
        for source, target in self.channels.items():
            face[target] = labels.expression[at, source]
            face_known[target] = labels.expression_confidence[at, source] > 0
        return points, seen, known, face, face_known

    def _picture(self, clip: str, at: int) -> np.ndarray:
        if clip not in self._frames:
            if len(self._frames) >= 256:
                self._frames.pop(next(iter(self._frames)))
            row = self.store.row(clip)
            frames = Letterbox(row.width, row.height, self.side).frames(self.store.frames(clip))
            pictures = frames.transpose(0, 2, 3, 1)
            self._frames[clip] = over_white(pictures) if pictures.shape[-1] == 4 else pictures
        return self._frames[clip][at]
