"""The reader as an evaluation uses it: on clips, on a character's other clips, on the split as a whole."""

from functools import lru_cache

import torch
from torch import Tensor

from ..batch import composite_on_white
from ..data.store import Store
from ..features import equispaced
from ..models.reader import Reader, Reading, read_video
from .clip_pairs import frames_to_tensor

FRAMES_EACH = 8
"""Frames of a clip that stand for its character."""

SPREAD_FRAMES = 32
"""Real frames, over all clips, whose differences are the unit of an edit."""


class ReaderTool:
    """A reader that reads a store's clips once, however many scored clips refer to them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._clip_identity = lru_cache(4096)(self._read_identity)
        self.real_frames = lru_cache(1)(self._read_real_frames)

    def read(self, video: Tensor) -> Reading:
        """[T, 3, H, W] in [0, 1], on white."""
        return read_video(self.reader, video)

    def identity(self, store: Store, clips: tuple[str, ...]) -> Tensor:
        """[R, identity], of up to 8 frames of each clip. Raises StoreError where one cannot be read."""
        return torch.cat([self._clip_identity(store, clip) for clip in clips])

    def _read_identity(self, store: Store, clip: str) -> Tensor:
        return self._read_some(store, clip, FRAMES_EACH).identity

    def _read_real_frames(self, store: Store, clips: tuple[str, ...]) -> Reading:
        """About 32 frames, evenly from these clips. Raises StoreError where one cannot be read."""
        each = max(1, SPREAD_FRAMES // len(clips))
        return Reading.join([self._read_some(store, clip, each) for clip in clips])

    def _read_some(self, store: Store, clip: str, count: int) -> Reading:
        frames = store.frames(clip)
        video = frames_to_tensor(frames[equispaced(len(frames), count)])
        return self.read(composite_on_white(video))
