"""The same runs as Ray tasks, on all graphics cards of one machine or of many that share a folder."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from ..errors import UserError
from ..inference.weights_file import SHIPPED
from .outcome import read_outcome, this_place, write_outcome
from .plan import Run
from .work import do_run, failed


def run_on_ray(runs: Sequence[Run], finished: Callable[[Run], None]) -> None:
    """Do the runs, as many at once as there are cards (or processors, where there are no cards).

    The folder of the sweep must have the same path on every machine. A cluster is found as Ray finds it (RAY_ADDRESS);
    without one, this machine is it.

    Args:
        runs: that are left, the most urgent first.
        finished: called after each, in this process; its outcome is there.
    Raises:
        UserError: Ray is not installed.
    """
    try:
        import ray
    except ImportError:
        raise UserError(
            "--engine ray: Ray is not installed; pip install 'temporal_gan[scale]', or use --engine local"
        ) from None
    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    cards = 1 if ray.cluster_resources().get("GPU") else 0
    # A process for each run, as on one machine: its memory is its own, and what crashes takes nothing with it.
    threads = torch.get_num_threads()
    task = ray.remote(num_cpus=threads, num_gpus=cards, max_retries=0, max_calls=1)(_do_there)
    # What others go on from comes first.
    for wave in ([run for run in runs if run.after is None], [run for run in runs if run.after is not None]):
        _do_wave(ray, task, wave, finished)


def _do_wave(ray: ModuleType, task: Any, runs: Sequence[Run], finished: Callable[[Run], None]) -> None:
    waiting: dict[Any, Run] = {}
    for run in runs:
        run.folder.mkdir(parents=True, exist_ok=True)
        waiting[task.remote(_anywhere(run), torch.get_num_threads())] = run
    while waiting:
        done, _ = ray.wait(list(waiting), num_returns=1)
        run = waiting.pop(done[0])
        try:
            ray.get(done[0])
        except ray.exceptions.RayError as error:
            if read_outcome(run.folder, run.key) is None:
                last = str(error).strip().splitlines()[-1]
                reason = f"its process ended: {type(error).__name__}: {last}"
                write_outcome(run.folder, failed(run, reason, this_place()))
        finished(run)


def _do_there(run: Run, threads: int) -> None:
    """On the machine that Ray chose, with as many threads as a run has here: sums depend on them."""
    torch.set_num_threads(threads)
    do_run(run, this_place())


def _anywhere(run: Run) -> Run:
    """The same run in a process that works in another folder."""
    own = run.start is None or run.start == SHIPPED
    start = run.start if own else str(Path(str(run.start)).resolve())
    after = None if run.after is None else _anywhere(run.after)
    return replace(run, store=run.store.resolve(), folder=run.folder.resolve(), start=start, after=after)
