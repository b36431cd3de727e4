"""What needs no training, on the same clips by the same code: an arm that does not beat it has learned nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.store import Store
from ..errors import UserError
from ..evaluation.clip_pairs import ClipPair, frames_to_tensor
from ..evaluation.nearest_frame import NearestTrainingFrame
from ..evaluation.pairing import FilePairs, pair_files
from ..evaluation.protocols import Protocol
from ..evaluation.results import write_atomically
from ..evaluation.run import evaluate
from ..limb_warp import limb_warp
from .row_names import FLOOR_TITLES, WARP_FLOOR

Floors = dict[str, dict[str, dict[str, float]]]
"""Floor -> clip -> metric -> value."""


def write_floors(path: Path, store: Store, split: str, protocol: Protocol) -> None:
    """Score the floors and write them as JSON; the warp only where clips are square, which it is made for.

    Args:
        path: of the file.
        store, split: the clips; its train split is what is copied and warped from.
        protocol: of the sweep.
    Raises:
        UserError: no clips, or clips without poses to look frames up by.
    """
    nearest = NearestTrainingFrame(store)
    # The store with itself: real clips on both sides, of which the made one is replaced.
    real, square = pair_files(store.path, store.path, split), store.info.width == store.info.height
    pairs = _WarpedPairs(real, store, nearest) if square else real
    wanted = tuple(name for name in FLOOR_TITLES if name in protocol.anchors)
    results = evaluate(pairs, replace(protocol, anchors=wanted), None, nearest, split=split)
    if results.failed:
        raise UserError(f"{len(results.failed)} clips could not be scored; {results.failed[0].reason}")
    floors: Floors = {name: {} for name in FLOOR_TITLES}
    for clip in results.clips:
        if square:
            floors[WARP_FLOOR][clip.clip_id] = clip.made.values
        for name, anchor in clip.anchors.items():
            floors[name][clip.clip_id] = anchor.values
    content = {
        "reference": results.reference(), "floors": {name: clips for name, clips in floors.items() if clips}
    }  # fmt: skip
    write_atomically(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_floors(path: Path) -> Floors:
    """What :func:`write_floors` wrote."""
    found: Floors = json.loads(path.read_bytes())["floors"]
    return found


class _WarpedPairs(Sequence[ClipPair]):
    """Clips beside themselves, the made side replaced by the warp of its nearest training frames."""

    def __init__(self, pairs: FilePairs, store: Store, nearest: NearestTrainingFrame) -> None:
        self._pairs, self._store, self._nearest = pairs, store, nearest

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: Any) -> Any:
        pair = self._pairs[index]
        return replace(pair, made=warped_to_pose(pair, self._store, self._nearest.places(pair)))

    def __iter__(self) -> Iterator[ClipPair]:
        return (self[index] for index in range(len(self)))


@torch.no_grad()
def warped_to_pose(pair: ClipPair, store: Store, places: Sequence[tuple[str, int]]) -> Tensor:
    """For each frame its training frame, carried limb by limb and depth layer by depth layer to the pose.

    Args:
        pair: with its keypoints.
        store: where the training frames are.
        places: clip and frame of each.
    Returns:
        float32 [T, C, H, W] in [0, 1].
    """
    assert pair.keypoints is not None
    assert pair.confidence is not None
    layer = torch.from_numpy(store.labels(pair.clip_id).layer.astype(np.int64))
    made = []
    for frame, (clip, place) in enumerate(places):
        source = store.labels(clip)
        picture = frames_to_tensor(store.frames(clip)[place : place + 1])
        points, known = (
            torch.from_numpy(x[place][None, None]) for x in (source.keypoints, source.confidence)
        )
        one = slice(frame, frame + 1)
        warped = limb_warp(
            picture[None], points, known, pair.keypoints[None, one], pair.confidence[None, one],
            store.info.skeleton.edges, layer[None, one],
        )  # fmt: skip
        made.append(warped[0, 0, 0])
    return torch.stack(made).clamp(0, 1)
