"""The baseline that only remembers: real training frames, looked up by pose."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..data.store import Store
from ..errors import UserError
from .clip_pairs import ClipPair, frames_to_tensor

_CLIPS_IN_MEMORY = 16


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
    """For each frame the training frame of the same character in the nearest pose."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._characters, self._keypoints, self._places = training_frames(store)
        self._frames = lru_cache(_CLIPS_IN_MEMORY)(store.frames)

    def __reduce__(self) -> tuple[type["NearestTrainingFrame"], tuple[Store]]:
        return NearestTrainingFrame, (self.store,)

    def __call__(self, pair: ClipPair) -> Tensor:
        """[T, C, H, W] in [0, 1]. Raises UserError for a pair without keypoints."""
        chosen = [
            frames_to_tensor(self._frames(clip)[frame : frame + 1]) for clip, frame in self.places(pair)
        ]
        size = pair.real.shape[-2:]
        fitted = [
            c if c.shape[-2:] == size else functional.interpolate(c, size, mode="bilinear") for c in chosen
        ]
        return torch.cat(fitted)

    def places(self, pair: ClipPair) -> list[tuple[str, int]]:
        """Clip and frame of the training frame nearest to each frame of the pair. Raises as a call does."""
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
            chosen.append(self._places[allowed[int(distance.argmin())]])
        return chosen
