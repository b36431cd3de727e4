"""Scoring one clip: read, check, measure, anchors. A job for :mod:`.process_pool`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import UserError
from ..features import load_lpips
from ..models.reader_file import load_reader
from .anchors import NearestFrames, measure_anchors
from .clip_pairs import ClipPair
from .clip_results import ClipResult, FailedClip
from .edits import NAMES, NEEDS_RUN, Edits
from .keypoint_transfer import to_frames_u8
from .measurement import measure, prepare_made
from .pairing import FilePairs, RunPairs
from .protocols import Protocol
from .reader_tool import ReaderTool
from .real_clip import Perception, prepare_real

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
        reader: its file, or None.
        why_no_reader: a sentence where ``reader`` is None.
        edits: the clips that are generated again; None where the pairs are no run.
    """

    pairs: Pairs
    protocol: Protocol
    anchored: frozenset[int]
    nearest: NearestFrames | None
    lpips: Path | None
    why_no_lpips: str
    reader: Path | None
    why_no_reader: str
    edits: Edits | None

    def tools(self) -> Perception:
        """Load the networks. Raises CheckpointError for a damaged file."""
        return Perception(
            None if self.lpips is None else load_lpips(self.lpips),
            self.why_no_lpips,
            None if self.reader is None else ReaderTool(load_reader(self.reader)),
            self.why_no_reader,
        )

    @torch.no_grad()
    def do(self, index: int, tools: Perception) -> ClipResult | FailedClip:
        """Read, check and score one pair; what is wrong with it becomes a :class:`FailedClip`."""
        try:
            pair = self.pairs[index].validate()
            real = prepare_real(pair, self.protocol, tools)
            made = prepare_made(pair.made, real)
            reading = tools.reader.read(made) if tools.reader else None
            measured = measure(made, real, self.protocol, tools, reading=reading)
            if tools.reader is None or reading is None:
                measured.skip(NAMES, self.why_no_reader)
            elif self.edits is None:
                measured.skip(NAMES, NEEDS_RUN)
            else:
                self.edits.measure(measured, reading, index, tools.reader)
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
                made=measured,
                anchors=anchors,
                script=None if real.read is None else real.read.curves,
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
