"""The clips that a run is measured on while it trains: always the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ..batch import ClipBatch, composite_on_white, to_display_range
from ..data.cache import ClipCache
from ..data.clips import ClipDataset, whole_clip, with_nearest_references
from ..data.store import Store
from ..inference.weights_file import References
from ..optical_flow import SMALLEST_SIDE, dis_flow_checked

CLIPS, FRAMES = 8, 8

Item = TypeVar("Item")


@dataclass(frozen=True)
class HeldClip:
    """A clip to be made and compared.

    Attributes:
        batch: of one clip, with its references, without flow.
        rgb: [1, T, 3, S, S], the real clip on white, [0, 1].
        flow, valid: of the real clip by DIS, [1, T-1, 2, S, S] in pixels and bool [1, T-1, 1, S, S]; None for a single
            frame.
    """

    batch: ClipBatch
    rgb: Tensor
    flow: Tensor | None
    valid: Tensor | None


@dataclass(frozen=True)
class ValidationSet:
    """Attributes:
    held: clips of split ``val``; where there is none, windows of training clips.
    trained: windows of training clips, to tell whether critics know them by heart; () where ``held`` is of these.
    """

    held: tuple[HeldClip, ...]
    trained: tuple[ClipBatch, ...]


def choose_validation_set(
    store: Store,
    cache: ClipCache,
    dataset: ClipDataset,
    banks: References,
    references: int,
    flip: np.ndarray | None = None,
) -> ValidationSet:
    """Up to ``CLIPS`` clips, evenly spread, of up to ``FRAMES`` frames from their start.

    Args:
        store, cache: where clips come from.
        dataset: of the train split; its windows have references, never of the window itself.
        banks: each trained character's reference frames, of the train split; others have none.
        references: R; 0: none are added.
        flip: the skeleton's flip permutation, to choose among mirrored references too; None: not.
    """
    windows = tuple(dataset[i].frames(slice(FRAMES)) for i in range(min(CLIPS, len(dataset))))
    rows = spread(store.split("val"), CLIPS)
    if not rows:
        return ValidationSet(tuple(map(_held, windows)), ())
    clips = [whole_clip(store, cache, row.id).frames(slice(FRAMES)) for row in rows]
    if references:
        clips = [
            with_nearest_references(clip, banks.get(row.character, {}), references, flip)
            for clip, row in zip(clips, rows, strict=True)
        ]
    return ValidationSet(tuple(map(_held, clips)), windows)


def spread(rows: Sequence[Item], count: int) -> list[Item]:
    """Up to ``count`` items, evenly spread."""
    return [rows[i * len(rows) // count] for i in range(count)] if len(rows) > count else list(rows)


def flow_of(rgb: Tensor) -> tuple[Tensor, Tensor] | tuple[None, None]:
    """DIS flow and where it is to be trusted, of a clip [1, T, 3, S, S] in [0, 1]; None where it has no motion."""
    if rgb.shape[1] < 2 or rgb.shape[-1] < SMALLEST_SIDE:
        return None, None
    frames = (rgb[0] * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    flow, valid = dis_flow_checked(frames)
    return flow[None], valid[None]


def _held(batch: ClipBatch) -> HeldClip:
    rgb = composite_on_white(to_display_range(batch.video))
    return HeldClip(batch, rgb, *flow_of(rgb))
