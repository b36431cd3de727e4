"""Scoring single clips, in this process or in several, with the same numbers either way."""

import hashlib
import multiprocessing
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
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

    def perception(self) -> Perception:
        """Load the LPIPS network. Raises CheckpointError for a damaged file."""
        if self.lpips is None:
            return Perception(None, self.why_no_lpips)
        return Perception(load_lpips(self.lpips), "")

    @torch.no_grad()
    def score(self, index: int, perception: Perception) -> ClipResult | FailedClip:
        """Read, check and score one pair; what is wrong with it becomes a :class:`FailedClip`."""
        try:
            pair = self.pairs[index].validate()
            real = prepare_real(pair, self.protocol, perception)
            made = prepare_made(pair.made, real)
            anchors = {}
            if index in self.anchored:
                anchors = measure_anchors(pair, real, self.protocol, perception, self.nearest)
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
                made=measure(made, real, self.protocol, perception),
                anchors=anchors,
            )
        except UserError as error:
            return FailedClip(self.clip_id(index), str(error))

    def clip_id(self, index: int) -> str:
        """A name for pair ``index`` without reading its files."""
        if isinstance(self.pairs, FilePairs | RunPairs):
            return self.pairs.clip_ids[index]
        return self.pairs[index].clip_id


def score_all(
    scorer: Scorer, indices: Iterable[int], workers: int
) -> Iterator[tuple[int, ClipResult | FailedClip]]:
    """Score pairs in any order, a few at a time in memory.

    Every process computes on one thread: the last digits of a sum depend on how many share it.

    Args:
        scorer: what to score and how.
        indices: of the pairs.
        workers: processes; 1 = in this one.
    Returns:
        (index, outcome), as they finish.
    Raises:
        UserError: a process was killed.
    """
    with one_thread():
        if workers <= 1:
            perception = scorer.perception()
            yield from ((index, scorer.score(index, perception)) for index in indices)
            return
    # Not plain forking, which can hang after torch or OpenCV started their threads.
    context = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")
    if sys.platform != "win32":
        context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(workers, context, _begin_worker, (scorer,)) as pool:
        try:
            yield from _in_pool(pool, iter(indices), 2 * workers)
        except BrokenProcessPool:
            raise UserError(
                f"one of {workers} processes was ended from outside, most likely for lack of memory; repeat the "
                "command with fewer --workers, finished clips are kept"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread inside the block."""
    threads, cv_threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        cv2.setNumThreads(cv_threads)


def _in_pool(
    pool: ProcessPoolExecutor, indices: Iterator[int], most: int
) -> Iterator[tuple[int, ClipResult | FailedClip]]:
    running: dict[Future[ClipResult | FailedClip], int] = {}
    while True:
        # Only a few wait in the queue, so that a million clips need no more memory than a hundred.
        while len(running) < most and (index := next(indices, None)) is not None:
            running[pool.submit(_score_in_worker, index)] = index
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield running.pop(future), future.result()


_worker: tuple[Scorer, Perception] | None = None


def _begin_worker(scorer: Scorer) -> None:
    global _worker
    # Ctrl-C reaches every process of the group; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    _worker = scorer, scorer.perception()


def _score_in_worker(index: int) -> ClipResult | FailedClip:
    assert _worker is not None
    scorer, perception = _worker
    return scorer.score(index, perception)


def _picture_hash(pair: ClipPair, pixels: bytes) -> str:
    """Names the real clip by what it shows, in whatever file it lies."""
    digest = hashlib.sha256(f"{tuple(pair.real.shape)}".encode())
    digest.update(pixels)
    return digest.hexdigest()[:16]
