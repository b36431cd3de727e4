"""What is compared with what: made clips found for the real ones they should have been."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..data.letterbox import Letterbox
from ..data.manifest import ClipRow
from ..data.store import Store
from ..errors import StoreError, UserError
from ..inference.animator import Animator
from ..inference.pose_source import store_pose
from ..puppet.dataset import exact_flow_source
from ..video_io import STILL_SUFFIXES, VIDEO_SUFFIXES, natural_key, read_frames
from .clip_pairs import ClipPair


def pair_run(animator: Animator, store: Store, split: str = "test") -> Iterator[ClipPair]:
    """Animate every clip of a split from its own pose and expression, and pair it with the real one.

    Args:
        animator: trained on other clips of a store with the same skeleton.
        store: where the real clips are.
        split: which of them.
    Raises:
        StoreError: the split is empty.
        UserError: the animator does not know a character or has another skeleton.
    """
    rows = store.split(split)
    if not rows:
        raise StoreError(f"{store.path}: no clips in split {split!r} to animate")
    return (_pair(store, row, animate_row(animator, store, row)) for row in rows)


def animate_row(animator: Animator, store: Store, row: ClipRow) -> Tensor:
    """A clip made from a real clip's pose, expression and character, at that clip's size: [T, C, H, W] in [0, 1]."""
    labels = store.labels(row.id)
    labelled = labels.expression_confidence > 0
    face = np.where(labelled, labels.expression, np.nan) if animator.expressions else None
    if face is not None and store.info.expressions != animator.expressions:
        raise UserError(
            f"{store.path}: its expressions {store.info.expressions} are not the animator's {animator.expressions}"
        )
    square = Letterbox(row.width, row.height, max(row.width, row.height))
    made = animator.generate(store_pose(store, row.id), face, row.character, size=square.size)
    left, top, width, height = square.inner
    return made[:, :, top : top + height, left : left + width]


def pair_files(generated: Path, reference: Path) -> Iterator[ClipPair]:
    """Pair clips made by any tool with the reference's, by name (two single clips: with each other).

    Args:
        generated, reference: each a clip store, a folder of clips, or one clip (a video, or a folder of pictures).
    Raises:
        UserError: nothing to pair, or a reference clip without its made one.
    """
    made, real = find_clips(generated), find_clips(reference)
    if len(made) == len(real) == 1:
        names = [(next(iter(made)), next(iter(real)))]
    else:
        missing = [name for name in made if name not in real]
        if missing:
            raise UserError(f"{generated}: {missing[0]!r} has no clip of that name in {reference}")
        names = [(name, name) for name in real if name in made]
        if not names:
            raise UserError(f"{generated}: none of its clips is named like one in {reference}")
    return (_pair_files(made[name_made], real[name_real], name_real) for name_made, name_real in names)


def training_frames(store: Store, most: int = 2000) -> tuple[list[str], np.ndarray, list[tuple[str, int]]]:
    """Poses of the train split, to look up the nearest real frame: characters, keypoints, (clip, frame) of each."""
    characters, keypoints, places = [], [], []
    for row in store.split("train"):
        labels = store.labels(row.id)
        for frame in range(row.frames):
            characters.append(row.character)
            keypoints.append(np.where(labels.confidence[frame, :, None] > 0, labels.keypoints[frame], np.nan))
            places.append((row.id, frame))
    step = max(1, -(-len(places) // most))
    return characters[::step], np.stack(keypoints)[::step], places[::step]


class NearestTrainingFrame:
    """The baseline that only remembers: for each frame the training frame of the same character in the nearest pose."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._characters, self._keypoints, self._places = training_frames(store)
        self._clips: dict[str, np.ndarray] = {}

    def __call__(self, pair: ClipPair) -> Tensor:
        """[T, C, H, W] in [0, 1]. Raises UserError for a pair without keypoints."""
        if pair.keypoints is None or pair.confidence is None:
            raise UserError(f"clip {pair.clip_id}: has no keypoints to look up the nearest training frame by")
        same = np.array([c == pair.character for c in self._characters])
        allowed = np.flatnonzero(same if same.any() else np.ones_like(same))
        chosen = []
        for points, known in zip(pair.keypoints.numpy(), pair.confidence.numpy(), strict=True):
            difference = self._keypoints[allowed] - np.where(known[:, None] > 0, points, np.nan)
            shared = np.isfinite(difference).all(-1)
            squared = np.where(shared, np.nan_to_num(difference**2).sum(-1), 0).sum(-1)
            distance = np.where(shared.any(-1), squared / np.maximum(shared.sum(-1), 1), np.inf)
            clip, frame = self._places[allowed[int(distance.argmin())]]
            if clip not in self._clips:
                self._clips[clip] = self._store.frames(clip)
            chosen.append(_to_tensor(self._clips[clip][frame : frame + 1]))
        size = pair.real.shape[-2:]
        fitted = [
            c if c.shape[-2:] == size else functional.interpolate(c, size, mode="bilinear") for c in chosen
        ]
        return torch.cat(fitted)


def _pair(store: Store, row: ClipRow, made: Tensor) -> ClipPair:
    labels = store.labels(row.id)
    flow = valid = None
    # A clip without exact flow gets none here: the evaluation then measures it, and says so in its results.
    if row.frames > 1 and (row.recipe or "flow" in (store.truth(row.id) or {})):
        flow, valid = exact_flow_source(store)(row)
    return ClipPair(
        clip_id=row.id,
        made=made,
        real=_to_tensor(store.frames(row.id)),
        fps=row.fps or store.info.fps,
        character=row.character,
        keypoints=torch.from_numpy(labels.keypoints),
        confidence=torch.from_numpy(labels.confidence),
        flow=None if flow is None else torch.from_numpy(np.asarray(flow, np.float32)),
        flow_valid=None if valid is None else torch.from_numpy(np.asarray(valid)),
    )


def _pair_files(made: Path | tuple[Store, str], real: Path | tuple[Store, str], name: str) -> ClipPair:
    video, _ = _read(made)
    if isinstance(real, tuple):
        return _pair(real[0], real[0].row(real[1]), video)
    frames, fps = _read(real)
    return ClipPair(clip_id=name, made=video, real=frames, fps=fps)


def find_clips(path: Path) -> dict[str, Path | tuple[Store, str]]:
    """Name -> where that clip is. A store gives its test split, or all where it has none."""
    if (path / "store.json").is_file():
        store = Store.open(path)
        rows = store.split("test") or list(store.clips)
        return {row.id: (store, row.id) for row in rows}
    if path.is_dir():
        inside = [f for f in path.iterdir() if f.suffix.lower() in VIDEO_SUFFIXES or f.is_dir()]
        if inside:
            return {f.stem: f for f in sorted(inside, key=lambda f: natural_key(f.name))}
        if not any(f.suffix.lower() in STILL_SUFFIXES for f in path.iterdir()):
            raise UserError(f"{path}: no clips in this folder (neither videos nor pictures)")
    if not path.exists():
        raise UserError(f"{path}: no such store, folder or clip")
    return {path.stem: path}


def _read(clip: Path | tuple[Store, str]) -> tuple[Tensor, float]:
    if isinstance(clip, tuple):
        store, name = clip
        return _to_tensor(store.frames(name)), store.row(name).fps or store.info.fps
    frames = read_frames(clip)
    return _to_tensor(frames.frames_u8), frames.fps


def _to_tensor(frames_u8: np.ndarray) -> Tensor:
    return torch.from_numpy(frames_u8).permute(0, 3, 1, 2).float() / 255
