"""Work on many items in processes of their own, each of which may die without harm to the others.

A lane is a process that works on one item at a time, so when it dies, or takes too long, the culprit is known: that
item fails, the lane is opened again, and the rest goes on.
"""

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from ctypes import c_double
from dataclasses import dataclass
from threading import Thread
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

import cv2
import torch

from .sign_of_life import tell_by

Item = TypeVar("Item")
Result = TypeVar("Result")
Given = TypeVar("Given", contravariant=True)
Made = TypeVar("Made", covariant=True)
_ATTEMPTS = 2
"""A process may be ended from outside, for lack of memory, while it works on an innocent item."""


class Task(Protocol[Given, Made]):
    """What is done to each item; it is pickled and sent to every process once."""

    def tools(self) -> Any:
        """What each process loads for itself, once: models, open readers."""

    def do(self, item: Given, tools: Any) -> Made:
        """Work on one item. What is broken about the item itself is part of the result; an exception stops the run."""


@dataclass(frozen=True)
class Died(Generic[Item]):
    """An item whose process died on it or was ended for taking too long; ``reason`` is one line."""

    item: Item
    reason: str


class Lane(Generic[Item, Result]):
    """One process that works on one item at a time."""

    def __init__(self, task: Task[Item, Result]) -> None:
        self._task = task
        self._open()

    def _open(self) -> None:
        # Not plain forking, which can hang after torch or OpenCV started their threads.
        context = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")
        if sys.platform != "win32":
            # What the tasks need is imported once, and every process begins with it.
            context.set_forkserver_preload([__name__, "preprocessing.clip_task"])
        before = set(multiprocessing.active_children())
        self._sign: c_double = context.RawValue(c_double, 0.0)
        self._pool = ProcessPoolExecutor(1, context, _begin, (self._task, self._sign))
        # The first submission starts the process; the pool itself does not tell how it ended.
        self._pool.submit(int)
        (self._process,) = set(multiprocessing.active_children()) - before

    def submit(self, item: Item) -> "Future[Result]":
        """Begin with an item; only when the last one is done."""
        return self._pool.submit(_do, item)

    def last_sign(self) -> float:
        """When the process last told that it is :func:`.sign_of_life.still_at_work`; monotonic seconds, 0 = never."""
        return self._sign.value

    def reopen(self) -> str:
        """Start a new process in place of one that died or hangs. Returns what the old one died of, in words."""
        self._process.join(timeout=1)
        self._process.kill()
        self._process.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        code = self._process.exitcode
        self._open()
        return f"signal {-code}" if code and code < 0 else f"exit code {code}"

    def close(self, at_once: bool = False) -> None:
        """End the process: after its item, or at once."""
        if at_once:
            self._process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)


def do_run(
    lane: Lane[Item, Result], run: Sequence[Item], most_seconds: float
) -> Iterator[Result | Died[Item]]:
    """Do some items in a lane that is open already, one after the other; see :func:`do_all`."""
    return _in_lanes([lane], [run], most_seconds)


def do_all(
    task: Task[Item, Result], runs: Sequence[Sequence[Item]], workers: int, most_seconds: float
) -> Iterator[Result | Died[Item]]:
    """Do every item of every run, in as many processes as asked for.

    Args:
        task: what to do.
        runs: items; those of one run go to one process, one after the other.
        workers: processes, at least 1; no more are started than there are runs.
        most_seconds: an item that takes longer is given up, or where its process tells that it is
            :func:`.sign_of_life.still_at_work`, when it has not told so for that long.
    Returns:
        results as they come, or :class:`Died`.
    Raises:
        whatever the task's ``do`` raises.
    """
    lanes: list[Lane[Item, Result]] = [Lane(task) for _ in range(min(workers, len(runs)))]
    done = False
    try:
        yield from _in_lanes(lanes, runs, most_seconds)
        done = True
    finally:
        for lane in lanes:
            lane.close(at_once=not done)


@dataclass
class _Work(Generic[Item]):
    """An item in a lane."""

    item: Item
    rest: deque[Item]
    attempt: int
    began: float

    def alive(self, lane: Lane[Any, Any]) -> float:
        """When it was last seen to be at work."""
        return max(self.began, lane.last_sign())


def _in_lanes(
    lanes: Sequence[Lane[Item, Result]], runs: Sequence[Sequence[Item]], most_seconds: float
) -> Iterator[Result | Died[Item]]:
    waiting = deque(deque(run) for run in runs if run)
    working: dict[Future[Result], tuple[Lane[Item, Result], _Work[Item]]] = {}

    def begin(lane: Lane[Item, Result], item: Item, rest: deque[Item], attempt: int = 1) -> None:
        working[lane.submit(item)] = lane, _Work(item, rest, attempt, monotonic())

    def next_of(lane: Lane[Item, Result], rest: deque[Item]) -> None:
        if not rest and waiting:
            rest = waiting.popleft()
        if rest:
            begin(lane, rest.popleft(), rest)

    for lane in lanes:
        next_of(lane, deque())
    while working:
        oldest = min(work.alive(lane) for lane, work in working.values())
        wait(working, timeout=max(0.0, oldest + most_seconds - monotonic()), return_when=FIRST_COMPLETED)
        for future in list(working):
            lane, work = working[future]
            late = monotonic() - work.alive(lane) > most_seconds
            if not future.done() and not late:
                continue
            del working[future]
            try:
                result: Result | Died[Item] = future.result(timeout=0)
            except BrokenProcessPool:
                cause = lane.reopen()
                if work.attempt < _ATTEMPTS:
                    begin(lane, work.item, work.rest, work.attempt + 1)
                    continue
                reason = f"the process working on it died {_ATTEMPTS} times ({cause}): damaged, or too large for memory"
                result = Died(work.item, reason)
            except TimeoutError:
                if not late:
                    raise
                lane.reopen()
                result = Died(work.item, f"took longer than {most_seconds:g} s and was given up")
            next_of(lane, work.rest)
            yield result


_worker: tuple[Task[Any, Any], Any] | None = None


def _begin(task: Task[Any, Any], sign: c_double) -> None:
    global _worker
    tell_by(sign)
    # Ctrl-C reaches every process of the group; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    # The last digits of a sum depend on how many threads share it.
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    _worker = task, task.tools()


def _do(item: Any) -> Any:
    assert _worker is not None
    task, tools = _worker
    return task.do(item, tools)


def _end_with_parent() -> None:
    """A pool's processes would wait for ever for a parent that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
