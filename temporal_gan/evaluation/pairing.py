"""What is compared with what: made clips found for the real ones they should have been."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..data.letterbox import Letterbox
from ..data.manifest import ClipRow
from ..data.store import Store
from ..data.truth import exact_flow
from ..errors import StoreError, UserError
from ..inference.animator import Animator
from ..inference.pose_source import store_pose
from ..pose_files import PoseSequence
from ..puppet.dataset import exact_flow_source
from ..video_io import FOLDER_FPS
from .character_clips import CharacterClips
from .clip_pairs import ClipPair, frames_to_tensor
from .clip_sources import ClipSource, find_clips, is_store, read_clip, source_key
from .frame_rates import on_one_clock


class RunPairs:
    """The clips of a split, each animated from its own pose and expression when it is asked for.

    Attributes:
        clip_ids: names, in the store's order.
        missing: names of real clips that have no made one: none here.
    """

    def __init__(self, animator: Animator, store: Store, split: str = "test", animator_key: str = "") -> None:
        """Choose the clips.

        Args:
            animator: trained on other clips of a store with the same skeleton.
            store: where the real clips are.
            split: which of them.
            animator_key: names the weights, so that an interrupted evaluation knows its own rows again.
        Raises:
            StoreError: the split is empty.
        """
        self.animator, self.store, self._key = animator, store, animator_key
        self.rows = store.split(split)
        if not self.rows:
            raise StoreError(f"{store.path}: no clips in split {split!r} to animate")
        self.clip_ids = [row.id for row in self.rows]
        self.missing: list[str] = []
        self._others = _others([(store, row.id) for row in self.rows], self.clip_ids)
        self._characters = CharacterClips(store)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[ClipPair]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> ClipPair:
        """Animate and pair one clip. Raises UserError where the animator does not know its character or joints."""
        row, other = self.rows[index], self._others[index]
        return _pair_store_clip(
            self.store,
            row,
            animate_row(self.animator, self.store, row),
            self.store.frames(row.id),
            None if other is None else _other(other),
            self._characters,
        )

    def key(self, index: int) -> str:
        """Names everything that decides the numbers of one pair."""
        sources = (self.store, self.clip_ids[index]), self._others[index]
        return "/".join([self._key, *(source_key(source) for source in sources if source)])


class FilePairs:
    """Clips made by any tool with the reference's of the same name (two single clips: with each other).

    Attributes:
        clip_ids: names, in the reference's order.
        missing: names of reference clips for which there is no made one.
    """

    def __init__(self, generated: Path, reference: Path, split: str | None = None) -> None:
        """Find the clips; none is read yet.

        Args:
            generated, reference: each a clip store, a folder of clips, or one clip (a video, or a folder of pictures).
            split: of stores; None: the test split, or all clips of a store that has none.
        Raises:
            UserError: nothing to pair, or a made clip that belongs to no reference clip.
        """
        made, real = find_clips(generated, split), find_clips(reference, split)
        if len(made) == len(real) == 1 and not (is_store(generated) and is_store(reference)):
            self.clip_ids, self._made = list(real), dict(zip(real, made.values(), strict=True))
        else:
            # Clips of the store's other splits may lie beside those that are asked for.
            known = {row.id for row in Store.open(reference).clips} if is_store(reference) else real
            unknown = [name for name in made if name not in known]
            if unknown and not is_store(generated):
                raise UserError(f"{generated}: {unknown[0]!r} has no clip of that name in {reference}")
            self.clip_ids, self._made = [name for name in real if name in made], made
        if not self.clip_ids:
            raise UserError(f"{generated}: none of its clips is named like one in {reference}")
        self._real = real
        one = len(made) == 1 and not is_store(generated)
        self.missing = [] if one else [name for name in real if name not in self._made]
        self._others = _others([real[name] for name in self.clip_ids], self.clip_ids)
        first = real[self.clip_ids[0]]
        self._characters = CharacterClips(first[0]) if isinstance(first, tuple) else None

    def __len__(self) -> int:
        return len(self.clip_ids)

    def __iter__(self) -> Iterator[ClipPair]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> ClipPair:
        """Read one pair. Raises UserError for a file that cannot be read, or two frame rates."""
        name = self.clip_ids[index]
        made_source, real_source, other = self._sources(index)
        other_real = None if other is None else _other(other)
        made, real = on_one_clock(name, read_clip(made_source), read_clip(real_source))
        video = frames_to_tensor(made.frames_u8)
        if isinstance(real_source, tuple) and self._characters is not None:
            store, row = real_source[0], real_source[0].row(real_source[1])
            return _pair_store_clip(store, row, video, real.frames_u8, other_real, self._characters)
        return ClipPair(
            clip_id=name,
            made=video,
            real=frames_to_tensor(real.frames_u8),
            fps=real.fps or made.fps or FOLDER_FPS,
            other_real=other_real,
        )

    def key(self, index: int) -> str:
        """Names everything that decides the numbers of one pair."""
        return "/".join("" if source is None else source_key(source) for source in self._sources(index))

    def _sources(self, index: int) -> tuple[ClipSource, ClipSource, ClipSource | None]:
        name = self.clip_ids[index]
        return self._made[name], self._real[name], self._others[index]


def pair_run(animator: Animator, store: Store, split: str = "test") -> RunPairs:
    """Every clip of a split, animated from its own pose and expression; see :class:`RunPairs`."""
    return RunPairs(animator, store, split)


def pair_files(generated: Path, reference: Path, split: str | None = None) -> FilePairs:
    """Made clips of any tool with the real ones of the same name; see :class:`FilePairs`."""
    return FilePairs(generated, reference, split)


def animate_row(
    animator: Animator,
    store: Store,
    row: ClipRow,
    pose: PoseSequence | None = None,
    expression: np.ndarray | None = None,
) -> Tensor:
    """A clip made from a real clip's pose, expression and character, at that clip's size.

    Args:
        animator: makes it.
        store: where the real clip is.
        row: of the real clip.
        pose: T frames of another pose, in the square frame of :func:`.pose_source.store_pose`.
        expression: [T, E] of another expression.
    Returns:
        [T, C, H, W] in [0, 1].
    Raises:
        UserError: the animator does not know the character, the joints or the expressions.
    """
    labels = store.labels(row.id)
    labelled = labels.expression_confidence > 0
    face = np.where(labelled, labels.expression, np.nan) if animator.expressions else None
    if expression is not None:
        face = expression
    if face is not None and store.info.expressions != animator.expressions:
        raise UserError(
            f"{store.path}: its expressions {store.info.expressions} are not the animator's {animator.expressions}"
        )
    square = Letterbox(row.width, row.height, max(row.width, row.height))
    made = animator.generate(pose or store_pose(store, row.id), face, row.character, size=square.size)
    left, top, width, height = square.inner
    return made[:, :, top : top + height, left : left + width]


def _character(source: ClipSource) -> str:
    return source[0].row(source[1]).character if isinstance(source, tuple) else ""


def _others(sources: list[ClipSource], names: list[str]) -> list[ClipSource | None]:
    """For each clip the next one, around the end, of another character; else one of its store; else None."""
    # Where nobody says who is who, every clip is a character of its own.
    characters = [_character(source) or name for source, name in zip(sources, names, strict=True)]
    count = len(sources)
    found: list[ClipSource | None] = [None] * count
    following: ClipSource | None = None
    for step in reversed(range(2 * count - 1)):
        here, after = step % count, (step + 1) % count
        following = sources[after] if characters[after] != characters[here] else following
        found[here] = following
    first = sources[0]
    if found[0] is None and isinstance(first, tuple):
        strangers = (row.id for row in first[0].clips if row.character != characters[0])
        stranger = next(strangers, None)
        found = [None if stranger is None else (first[0], stranger)] * count
    return found


def _other(source: ClipSource) -> Tensor | None:
    try:
        return frames_to_tensor(read_clip(source).frames_u8)
    except StoreError:
        # That clip is named when its own turn comes; this one is as good as before.
        return None


def _pair_store_clip(
    store: Store,
    row: ClipRow,
    made: Tensor,
    real_u8: np.ndarray,
    other_real: Tensor | None,
    characters: CharacterClips,
) -> ClipPair:
    labels = store.labels(row.id)
    flow = valid = None
    # A clip without exact flow gets none here: the evaluation then measures it, and says so in its results.
    if row.frames > 1 and (row.recipe or exact_flow(store.truth(row.id)) is not None):
        flow, valid = exact_flow_source(store)(row)
    return ClipPair(
        clip_id=row.id,
        made=made,
        real=frames_to_tensor(real_u8),
        fps=row.fps or store.info.fps,
        character=row.character,
        keypoints=torch.from_numpy(labels.keypoints),
        confidence=torch.from_numpy(labels.confidence),
        skeleton=store.info.skeleton,
        expression=torch.from_numpy(labels.expression),
        expression_confidence=torch.from_numpy(labels.expression_confidence),
        expression_names=store.info.expressions,
        flow=None if flow is None else torch.from_numpy(np.asarray(flow, np.float32)),
        flow_valid=None if valid is None else torch.from_numpy(np.asarray(valid)),
        other_real=other_real,
        relatives=(store, characters.others(row.id, row.character)),
    )
