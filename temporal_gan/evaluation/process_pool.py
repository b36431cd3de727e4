"""One job over many items, in this process or in several, with the same numbers either way."""

import multiprocessing
import signal
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import cv2
import torch

from ..errors import UserError

Outcome = TypeVar("Outcome", covariant=True)


class Job(Protocol[Outcome]):
    """What can be done to item i; it is sent to every process once."""

    def tools(self) -> Any:
        """What each process loads for itself, such as a network."""

    def do(self, index: int, tools: Any) -> Outcome:
        """The outcome of one item, small enough to be sent back."""


def do_all(job: Job[Outcome], indices: Iterable[int], workers: int) -> Iterator[tuple[int, Outcome]]:
    """Do items in any order, a few at a time in memory.

    Every process computes on one thread: the last digits of a sum depend on how many share it.

    Args:
        job: what to do; for more than one worker it must pickle.
        indices: of the items.
        workers: processes; 1 = in this one.
    Returns:
        (index, outcome), as they finish.
    Raises:
        UserError: a process was killed.
    """
    if workers <= 1:
        with one_thread():
            tools = job.tools()
            for index in indices:
                yield index, job.do(index, tools)
        return
    # Not plain forking, which can hang after torch or OpenCV started their threads.
    context = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")
    if sys.platform != "win32":
        context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(workers, context, _begin_worker, (job,)) as pool:
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


def _in_pool(pool: ProcessPoolExecutor, indices: Iterator[int], most: int) -> Iterator[tuple[int, Any]]:
    running: dict[Future[Any], int] = {}
    while True:
        # Only a few wait in the queue, so that a million clips need no more memory than a hundred.
        while len(running) < most and (index := next(indices, None)) is not None:
            running[pool.submit(_do_in_worker, index)] = index
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield running.pop(future), future.result()


_worker: tuple[Job[Any], Any] | None = None


def _begin_worker(job: Job[Any]) -> None:
    global _worker
    # Ctrl-C reaches every process of the group; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    _worker = job, job.tools()


def _do_in_worker(index: int) -> Any:
    assert _worker is not None
    job, tools = _worker
    return job.do(index, tools)
