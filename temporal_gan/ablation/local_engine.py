"""Runs one after the other on this machine, each in a process of its own: one that crashes takes nothing with it."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

import cv2

from .outcome import Origin, read_outcome, this_place, write_outcome
from .plan import Run
from .work import do_run, failed

LOG_FILE = "log.txt"

Finished = Callable[[Run], None]


def run_locally(runs: Sequence[Run], finished: Finished) -> None:
    """Do the runs in their order.

    Args:
        runs: that are left.
        finished: called after each; its outcome is there.
    Raises:
        KeyboardInterrupt: Ctrl-C; the run that was going on has saved what it had.
    """
    # Not plain forking, which can hang after torch or OpenCV started their threads; and not a fresh interpreter, which
    # imports for seconds and counts the memory of its parent as its own.
    origin = this_place()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"{__package__}.work"])
    for run in runs:
        run.folder.mkdir(parents=True, exist_ok=True)
        process = context.Process(target=_alone, args=(run, origin))
        process.start()
        try:
            process.join()
        except KeyboardInterrupt:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGINT)
            process.join()
            raise
        if read_outcome(run.folder, run.key) is None:
            write_outcome(run.folder, failed(run, _how_it_ended(process.exitcode), origin))
        finished(run)


def _alone(run: Run, origin: Origin) -> None:
    """In the child."""
    # Ctrl-C on a terminal reaches every process of a group; this one is told by its parent, once.
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    log = os.open(run.folder / LOG_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        do_run(run, origin)
    except KeyboardInterrupt:
        sys.exit(130)


def _end_with_parent() -> None:
    """A run whose command was killed must not go on beside the run of the repeated command."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        guess = ", most likely for lack of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{guess}; what it said is in {LOG_FILE} of its folder"
    return f"its process ended with exit code {code}; what it said is in {LOG_FILE} of its folder"
