"""What ``temporal-gan ablate`` does: do the runs that are left, and write what is known so far."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from ..data.store import Store
from ..errors import UserError
from ..evaluation.results import write_atomically
from ..training.start import load_start
from .answer import find_answer
from .arms import Arm, check_beginning, resolve_arms
from .clips import check_store, data_domain, open_store
from .films import make_films, write_films
from .local_engine import run_locally
from .outcome import read_outcome
from .page import render_page
from .plan import Run, plan_runs
from .ray_engine import run_on_ray
from .row_names import COMMON_ARM
from .scores import has_results, metrics_read, read_scores
from .sweep import SweepConfig, load_sweep
from .table import write_tables
from .work import CLIPS

LOCK = "sweep.lock"

Engine = Literal["local", "ray"]


@dataclass(frozen=True)
class Ablated:
    """Attributes: runs in all, and those that failed (they are tried again when the command is repeated)."""

    runs: int
    failed: int


def run_sweep(source: str, out: Path, engine: Engine, say: Callable[[str], None], quiet: bool) -> Ablated:
    """Do a sweep, or go on with it.

    Args:
        source: its file, or the name of one that comes with the package.
        out: gets ``store`` (where the sweep renders its clips), ``runs``, ``table.md``, ``costs.md``, ``results.json``
            ``report.html`` and ``clips`` (all arms side by side); the last five also while runs are left.
        engine: where the runs are done.
        say: is told of each finished run.
        quiet: no progress bar while clips are rendered.
    Raises:
        UserError: what is wrong with the sweep file, its data or its start; or another process is at it.
        KeyboardInterrupt: Ctrl-C; finished runs are kept, and the interrupted training goes on where it was.
    """
    sweep = load_sweep(source)
    arms = resolve_arms(sweep, source)
    start = None if sweep.start is None else load_start(sweep.start)
    domain = data_domain(sweep.data, out, start)
    if domain is not None:
        check_beginning(sweep, arms, domain, start, source)
    _check_folder(out, sweep)
    out.mkdir(parents=True, exist_ok=True)
    try:
        # Let go by the system when the process ends, however it ends.
        with FileLock(out / LOCK, timeout=0):
            return _run(sweep, arms, source, out, engine, say, quiet)
    except Timeout:
        raise UserError(
            f"{out}: another process is doing this sweep; wait for it, or give another --out"
        ) from None


def _check_folder(out: Path, sweep: SweepConfig) -> None:
    """Not over what somebody else wrote, nor over another sweep's answer."""
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file; give a folder as --out")
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not (out / LOCK).is_file():
        raise UserError(f"{out}: is not empty and holds no sweep; give another --out")
    try:
        question = json.loads((out / "results.json").read_bytes())["question"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if question != sweep.question:
        raise UserError(
            f"{out}: holds the answer to another question, {question!r}; give another --out, or remove its results.json"
        )


def _run(
    sweep: SweepConfig, arms: Sequence[Arm], source: str, out: Path, engine: Engine, say: Callable[[str], None],
    quiet: bool,
) -> Ablated:  # fmt: skip
    check_store(sweep, open_store(sweep.data, out, quiet))
    runs = plan_runs(sweep, arms, out)
    left = [run for run in runs if not _is_settled(run)]
    if len(left) < len(runs):
        say(f"{len(runs) - len(left)} of {len(runs)} runs are finished already")
    others = {path.name for path in out.glob("runs/*")} - {run.folder.name for run in runs}
    if others:
        say(
            f"{len(others)} runs of other settings or package versions lie in {out / 'runs'} and are not used"
        )

    def finished(run: Run) -> None:
        write_results(sweep, arms, runs, source, out)
        say(f"{len([r for r in runs if _is_settled(r)])} of {len(runs)}: {_ended(run)}")

    (run_locally if engine == "local" else run_on_ray)(left, finished)
    write_results(sweep, arms, runs, source, out)
    return Ablated(len(runs), sum(not _is_settled(run) for run in runs))


def write_results(
    sweep: SweepConfig, arms: Sequence[Arm], runs: Sequence[Run], source: str, out: Path
) -> None:
    """Tables and page of whatever is finished."""
    scores = read_scores(runs, metrics_read(sweep))
    answer = find_answer(sweep, scores)
    write_tables(sweep, arms, answer, scores, source, out)
    films = make_films(runs, Store.open(runs[0].store), sweep.split, sweep.base_arm)
    write_films(films, out / CLIPS)
    write_atomically(out / "report.html", render_page(sweep, arms, answer, scores, runs, films, source))


def _is_settled(run: Run) -> bool:
    outcome = read_outcome(run.folder, run.key)
    if outcome is None or not outcome.is_settled:
        return False
    return outcome.status == "diverged" or run.arm == COMMON_ARM or has_results(run)


def _ended(run: Run) -> str:
    outcome = read_outcome(run.folder, run.key)
    assert outcome is not None
    name = f"{run.arm}, seed {run.seed}" if run.config is not None else "floors"
    if outcome.status == "finished":
        return f"{name} finished"
    return f"{name} {outcome.status}: {outcome.reason}"
