"""Score made clips against real ones: one pair in memory at a time, anchors by the same code."""

from bisect import insort
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

from .. import rng
from ..errors import UserError
from .clip_pairs import ClipPair
from .measurement import Measurement, RealClip, measure, prepare_made, prepare_real
from .pictures import ShownClip, show_clip
from .protocols import Protocol
from .results import ClipResult, Results

SHOWN_EACH_WAY = 4
"""How many of the worst, and how many of the best clips the report shows."""


@torch.no_grad()
def evaluate(
    pairs: Iterable[ClipPair],
    protocol: Protocol,
    progress: Callable[[int, str], None] | None = None,
    nearest_training_frame: Callable[[ClipPair], Tensor] | None = None,
) -> Results:
    """Score every pair under a protocol.

    Args:
        pairs: made and real clips; read once, one at a time.
        protocol: one of ``PROTOCOLS``.
        progress: called after each clip with the number done and the clip's id.
        nearest_training_frame: for a pair, the training frame nearest to each real frame, in order,
            [T, 3 or 4, h, w] in [0, 1]: the anchor that a memorising model could reach.
    Returns:
        per-clip numbers, anchors, and small pictures of the worst and best clips.
    Raises:
        UserError: no pair, or a pair that cannot be scored (the message names the clip).
    """
    clips: list[ClipResult] = []
    seen: set[str] = set()
    shown = _WorstAndBest()
    for pair in pairs:
        if pair.clip_id in seen:
            raise UserError(f"clip {pair.clip_id}: comes twice; every pair needs its own clip_id")
        seen.add(pair.clip_id)
        clips.append(_score(pair.validate(), protocol, nearest_training_frame, shown))
        if progress is not None:
            progress(len(clips), pair.clip_id)
    if not clips:
        raise UserError("there are no clips to evaluate: the made and the real side have no clip in common")
    extra = ("nearest_training_frame",) if nearest_training_frame else ()
    return Results(protocol, clips, protocol.anchors + extra, shown.clips())


def _score(
    pair: ClipPair,
    protocol: Protocol,
    nearest: Callable[[ClipPair], Tensor] | None,
    shown: "_WorstAndBest",
) -> ClipResult:
    real = prepare_real(pair, protocol)
    made = prepare_made(pair.made, real)
    measurement = measure(made, real, protocol)
    height, width = pair.real.shape[-2:]
    made_height, made_width = pair.made.shape[-2:]
    shown.add(
        show_clip(
            pair.clip_id,
            pair.character,
            pair.fps,
            made,
            real.rgb,
            measurement.psnr_per_frame,
            measurement.values,
        )
    )
    return ClipResult(
        clip_id=pair.clip_id,
        character=pair.character,
        fps=float(pair.fps),
        frames=len(pair.real),
        width=width,
        height=height,
        resized_from=(made_width, made_height) if (made_width, made_height) != (width, height) else None,
        flow=real.flow_method,
        made=measurement,
        anchors=_anchors(pair, real, protocol, nearest),
    )


def _anchors(
    pair: ClipPair, real: RealClip, protocol: Protocol, nearest: Callable[[ClipPair], Tensor] | None
) -> dict[str, Measurement]:
    """What a clip that certainly is bad would score here; without it nobody can read the numbers."""
    frames = len(real.rgb)
    anchors = {}
    if "copy_first_frame" in protocol.anchors and frames >= 2:
        frozen = real.rgb[:1].expand_as(real.rgb)
        # Its first frame is the real one: 100 dB in the mean would make a bad anchor look good.
        anchors["copy_first_frame"] = measure(frozen, real, protocol, first_scored=1)
    if "shuffled" in protocol.anchors and frames >= 2:
        order = shuffled_order(frames, protocol.seed, pair.clip_id)
        anchors["shuffled"] = measure(real.rgb[torch.from_numpy(order)], real, protocol)
    if "blank_page" in protocol.anchors:
        anchors["blank_page"] = measure(torch.ones_like(real.rgb), real, protocol)
    if nearest is not None:
        copied = nearest(pair)
        if copied.ndim != 4 or len(copied) != frames:
            raise UserError(
                f"clip {pair.clip_id}: nearest_training_frame gave {tuple(copied.shape)}, "
                f"expected {frames} frames"
            )
        anchors["nearest_training_frame"] = measure(prepare_made(copied, real), real, protocol)
    return anchors


def shuffled_order(frames: int, seed: int, clip_id: str) -> np.ndarray:
    """int64 [T]: a random order in which no frame keeps its place (T >= 2), the same every time."""
    around = rng.numpy_generator(seed, "shuffled", clip_id).permutation(frames)
    order = np.empty(frames, np.int64)
    # Each frame takes the place of the next one around a random circle.
    order[around] = np.roll(around, -1)
    return order


class _WorstAndBest:
    """The few worst and few best clips of a stream of any length."""

    def __init__(self) -> None:
        self._worst: list[ShownClip] = []
        self._best: list[ShownClip] = []

    def add(self, clip: ShownClip) -> None:
        insort(self._worst, clip, key=lambda c: c.score)
        insort(self._best, clip, key=lambda c: c.score)
        del self._worst[SHOWN_EACH_WAY:]
        del self._best[:-SHOWN_EACH_WAY]

    def clips(self) -> list[ShownClip]:
        """Worst first, without repeats."""
        known = {clip.clip_id for clip in self._worst}
        return self._worst + [clip for clip in self._best if clip.clip_id not in known]
