"""The loop around a step: batches in order, log, previews, checkpoints, resume, and a clean stop."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch
import yaml
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import Tensor

from .. import distributed
from ..checkpoint import clear_temporaries, list_checkpoints, load_checkpoint, save_checkpoint
from ..config import differences
from ..distributed import World
from ..errors import CheckpointError, DivergenceError
from ..run_config import RESUMABLE, TrainConfig
from ..run_log import RunLog, read_stats
from .divergence import DivergenceWatch
from .state import TrainState
from .step_clock import StepClock


class Recipe(Protocol):
    """The configuration of any kind of run, as far as the loop reads it."""

    @property
    def train(self) -> TrainConfig: ...

    def model_dump(self) -> dict[str, Any]: ...


@dataclass
class Job:
    """What the clip GAN, the DCGAN and the reader do differently.

    Attributes:
        state: fresh; the loop loads the newest checkpoint into it.
        data_hash: identifies the training data; a run does not go on with other data.
        start: sha256 of the weights file a fresh run starts from, "" for none; a run does not go on from another.
        batches: first step -> endless batches on the device.
        take_step: the algorithm; changes the state, returns scalars.
        preview: called every ``preview_every_steps`` and at the end; writes into the folder it is given.
        ends_pass: a whole pass over the data ends after this step (pictures: time for a grid).
        export: writes the weights file into the run folder.
        validate: called every ``validate_every_steps`` in the process that writes; may change ``state.best``; None for
            what cannot be validated.
    """

    state: TrainState
    data_hash: str
    start: str
    batches: Callable[[int], Iterator[Any]]
    take_step: Callable[[TrainState, Any], dict[str, Tensor]]
    preview: Callable[[TrainState, Path], tuple[dict[str, float], Tensor]]
    ends_pass: Callable[[int], bool]
    export: Callable[[TrainState], None]
    validate: Callable[[TrainState], dict[str, float]] | None = None


@dataclass(frozen=True)
class Outcome:
    """How a call of :func:`fit` ended: steps done in all, and whether Ctrl-C or the time limit ended it early."""

    step: int
    interrupted: bool = False
    out_of_time: bool = False


def fit(
    job: Job,
    config: Recipe,
    out: Path,
    world: World,
    device: torch.device,
    minutes: float | None = None,
    quiet: bool = False,
) -> Outcome:
    """Train until ``config.train.steps``, going on from the newest checkpoint in ``out`` if there is one.

    Raises:
        CheckpointError: the run was started with another configuration, other data or other weights, or saving failed.
        DivergenceError: a value is no longer finite, or far beyond the usual for long (see divergence.py).
    """
    state, train, every = job.state, config.train, config.train.validate_every_steps
    checkpoints = out / "checkpoints"
    console = Console(quiet=quiet or not world.is_main)
    _resume(job, config, checkpoints, console)
    if world.is_main:
        out.mkdir(parents=True, exist_ok=True)
        clear_temporaries(checkpoints)
        (out / "config.yaml").write_text(
            yaml.safe_dump(config.model_dump(), sort_keys=False), encoding="utf-8"
        )
    watch = DivergenceWatch(line for line in read_stats(out / "stats.jsonl") if line["step"] <= state.step)
    log = RunLog(out, state.step) if world.is_main else None
    deadline = None if minutes is None else time.monotonic() + 60 * minutes
    outcome = Outcome(state.step)
    saved_at = state.step

    def save() -> None:
        nonlocal saved_at
        if world.is_main and saved_at != state.step:
            origin = {"config": config.model_dump(), "data_hash": job.data_hash, "start": job.start}
            content = origin | state.state_dict()
            # The checkpoint last: a run that resumes from it finds everything else of this step written.
            job.export(state)
            save_checkpoint(checkpoints, state.step, content, train.keep_checkpoints + watch.suspicious)
        saved_at = state.step

    columns = (
        TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with _StopRequest() as stop, Progress(*columns, console=console, transient=False) as progress:
        bar = progress.add_task("", total=train.steps, completed=state.step, note="")
        batches = job.batches(state.step) if state.step < train.steps else iter(())
        clock, logged_step = StepClock(), state.step
        try:
            while state.step < train.steps:
                with clock.waiting():
                    batch = next(batches)
                scalars = job.take_step(state, batch)
                step, last = state.step, state.step == train.steps
                late = deadline is not None and time.monotonic() > deadline
                halt = stop.requested or late
                if world.size > 1 and (deadline is not None or step % train.log_every_steps == 0 or last):
                    halt = distributed.any_process(halt, world, device)
                elif world.size > 1:
                    halt = False  # all processes stop together, at the next step at which they ask each other
                saving = last or halt or step % train.save_every_steps == 0
                values: dict[str, float] = {}
                if step % train.log_every_steps == 0 or saving:
                    values = {k: float(v) for k, v in distributed.average_scalars(scalars, world).items()}
                    if why := watch.look(step, values):
                        raise DivergenceError(_diverged(why, step, saved_at, checkpoints))
                    values |= clock.read(step - logged_step)
                    logged_step = step
                    progress.update(bar, note=_note(values))
                if log is not None:
                    if last or step % train.preview_every_steps == 0 or job.ends_pass(step):
                        with clock.aside():
                            figures, picture = job.preview(state, out / "previews")
                            log.picture(step, "preview", picture)
                        values |= figures
                    if job.validate and every and step % every == 0:
                        with clock.aside():
                            values |= job.validate(state)
                    if values:
                        log.scalars(step, values)
                # What is saved while the run looks astray would push out the last good checkpoint.
                if last or halt or (saving and not watch.suspicious):
                    with clock.aside():
                        save()
                progress.update(bar, completed=step)
                if halt and not last:
                    outcome = Outcome(step, stop.requested or not late, late and not stop.requested)
                    break
            else:
                outcome = Outcome(state.step)
        finally:
            if log is not None:
                log.close()
    return outcome


def _resume(job: Job, config: Recipe, folder: Path, console: Console) -> None:
    found = list_checkpoints(folder)
    if not found:
        return
    step, path = found[-1]
    content = load_checkpoint(path)
    changed = differences(content["config"], config.model_dump())
    refused = [c for c in changed if c.partition(":")[0] not in RESUMABLE]
    if refused:
        raise CheckpointError(
            f"{path}: this run was started with another configuration ({'; '.join(refused)}); "
            "repeat its own command, or choose another --out for a new run"
        )
    if content["data_hash"] != job.data_hash:
        raise CheckpointError(
            f"{path}: this run was started with other data; give that --data, or another --out"
        )
    if content.get("start", "") != job.start:
        raise CheckpointError(
            f"{path}: this run was started from other weights; give its own --start, or another --out"
        )
    if step > config.train.steps:
        raise CheckpointError(
            f"{path}: the run is already at step {step}, beyond train.steps={config.train.steps}"
        )
    try:
        job.state.load_state_dict(content)
    except (KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: does not fit this version's networks: {str(error).splitlines()[0]}"
        ) from None
    console.print(f"going on from step {step} ({path})")


def _diverged(why: str, step: int, saved_at: int, checkpoints: Path) -> str:
    last = f"step {saved_at} in {checkpoints} is intact" if saved_at else "nothing was saved yet"
    return (
        f"training diverged at step {step}: {why}; {last}; try lower learning rates (optim.*), or a higher "
        "losses.r1_gamma where there is one, with another --out"
    )


def _note(values: dict[str, float]) -> str:
    shown = [
        f"{k.removeprefix('loss/')} {v:.3f}"
        for k, v in values.items()
        if k in ("loss/l1", "loss/image_critic", "loss/keypoints", "loss/classes")
    ]
    return " ".join([*shown, f"{values['time/step_sec']:.2f} s/step"])


class _StopRequest:
    """Ctrl-C or a termination signal asks for a stop after the step; a second Ctrl-C stops at once."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> "_StopRequest":
        # Signals can only be caught in the main thread; elsewhere (a server) the caller stops the run its own way.
        self._catching = threading.current_thread() is threading.main_thread()
        if self._catching:
            self._before = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        if self._catching:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
