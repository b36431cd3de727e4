"""Scoring one clip: read, check, measure, anchors. A job for :mod:`.process_pool`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import UserError
from ..features import load_lpips
from .anchors import NearestFrames, measure_anchors
from .clip_pairs import ClipPair
from .keypoint_transfer import to_frames_u8
from .measurement import Perception, measure, prepare_made, prepare_real
from .pairing import FilePairs, RunPairs
from .protocols import Protocol
from .results import ClipResult, FailedClip

Pairs = Sequence[ClipPair] | FilePairs | RunPairs
"""Anything that gives pair i when asked for it: a list in memory, files, or a run that animates."""


@dataclass(frozen=True)
class Scorer:
    """Everything needed to score pair i; can be sent to another process.

    Attributes:
        pairs: where the clips come from.
        protocol: how they are scored.
        anchored: the pairs whose anchors are measured too.
        nearest: gives the anchor ``nearest_training_frame``, or None.
        lpips: weights file, or None.
        why_no_lpips: a sentence where ``lpips`` is None.
    """

    pairs: Pairs
    protocol: Protocol
    anchored: frozenset[int]
    nearest: NearestFrames | None
    lpips: Path | None
    why_no_lpips: str

    def tools(self) -> Perception:
        """Load the LPIPS network. Raises CheckpointError for a damaged file."""
        if self.lpips is None:
            return Perception(None, self.why_no_lpips)
        return Perception(load_lpips(self.lpips), "")

    @torch.no_grad()
    def do(self, index: int, tools: Perception) -> ClipResult | FailedClip:
        """Read, check and score one pair; what is wrong with it becomes a :class:`FailedClip`."""
        try:
            pair = self.pairs[index].validate()
            real = prepare_real(pair, self.protocol, tools)
            made = prepare_made(pair.made, real)
            anchors = {}
            if index in self.anchored:
                anchors = measure_anchors(pair, real, self.protocol, tools, self.nearest)
            height, width = pair.real.shape[-2:]
            made_height, made_width = pair.made.shape[-2:]
            same_size = (made_width, made_height) == (width, height)
            return ClipResult(
                clip_id=pair.clip_id,
                character=pair.character,
                fps=float(pair.fps),
                frames=len(pair.real),
                width=width,
                height=height,
                resized_from=None if same_size else (made_width, made_height),
                flow=real.flow_method,
                real_hash=_picture_hash(pair, to_frames_u8(real.rgb).tobytes()),
                made=measure(made, real, self.protocol, tools),
                anchors=anchors,
            )
        except UserError as error:
            return FailedClip(self.clip_id(index), str(error))

    def clip_id(self, index: int) -> str:
        """A name for pair ``index`` without reading its files."""
        if isinstance(self.pairs, FilePairs | RunPairs):
            return self.pairs.clip_ids[index]
        return self.pairs[index].clip_id


def _picture_hash(pair: ClipPair, pixels: bytes) -> str:
    """Names the real clip by what it shows, in whatever file it lies."""
    digest = hashlib.sha256(f"{tuple(pair.real.shape)}".encode())
    digest.update(pixels)
    return digest.hexdigest()[:16]
