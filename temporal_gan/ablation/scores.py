"""What a sweep's finished runs scored, as arrays."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from ..evaluation.results_file import ResultsFile, read_results
from .floors import read_floors
from .outcome import Outcome, read_outcome
from .plan import Run
from .row_names import FLOOR_TITLES
from .sweep import SweepConfig
from .work import RESULTS_FILE

FLOORS = "floors"


@dataclass(frozen=True)
class Row:
    """An arm or a floor.

    Attributes:
        name: of the arm, or the floor's title.
        is_floor: nothing was trained for it.
        outcomes: seed -> how that run ended; a missing seed was not run yet. Empty for a floor.
        values: metric -> float [S, N], seeds by clips, NaN where there is none; [1, N] for a floor.
    """

    name: str
    is_floor: bool
    outcomes: Mapping[int, Outcome]
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Scores:
    """Everything there is so far.

    Attributes:
        clips: ids, in the store's order.
        characters: of the clips.
        rows: the base arm, the other arms, then the floors.
        aside: how the floors' run and the common starts ended, by their names; a missing one was not run yet.
        judged_alike: False where runs were scored under different settings, or by different readers.
    """

    clips: tuple[str, ...]
    characters: tuple[str, ...]
    rows: tuple[Row, ...]
    aside: Mapping[str, Outcome]
    judged_alike: bool

    def row(self, name: str) -> Row:
        """Raises StopIteration for an unknown name."""
        return next(row for row in self.rows if row.name == name)


def read_scores(runs: Sequence[Run], metrics: Sequence[str]) -> Scores:
    """Whatever is finished so far; nothing of a run that failed or diverged but how it ended."""
    (floors,) = (run for run in runs if run.config is None)
    arms = [run for run in runs if run.is_scored_arm]
    outcomes = {(run.arm, run.seed): read_outcome(run.folder, run.key) for run in runs}
    read = {
        (run.arm, run.seed): read_results(run.folder / RESULTS_FILE)
        for run in arms
        if (outcome := outcomes[run.arm, run.seed]) is not None and outcome.status == "finished"
    }
    scored = {place: _clip_values(results) for place, results in read.items()}
    seeds = list(dict.fromkeys(run.seed for run in arms))
    copied, of_floors = {}, outcomes[floors.arm, floors.seed]
    if of_floors is not None and of_floors.status == "finished":
        copied = read_floors(floors.folder / RESULTS_FILE)
    shown_as = {clip.clip_id: clip.character for results in read.values() for clip in results.clips}
    every = [*scored.values(), *copied.values()]
    clips = tuple(dict.fromkeys(clip for found in every for clip in found))
    rows = []
    for name in dict.fromkeys(run.arm for run in arms):
        found = [scored.get((name, seed), {}) for seed in seeds]
        ended = {seed: outcome for seed in seeds if (outcome := outcomes[name, seed]) is not None}
        rows.append(Row(name, False, ended, {m: _table(found, clips, m) for m in metrics}))
    for name, found_floor in copied.items():
        values = {m: _table([found_floor], clips, m) for m in metrics}
        rows.append(Row(FLOOR_TITLES[name], True, {}, values))
    aside = {
        f"{run.arm}, seed {run.seed}" if run.config is not None else FLOORS: outcome
        for run in runs
        if not run.is_scored_arm and (outcome := outcomes[run.arm, run.seed]) is not None
    }
    settings = {json.dumps(results.protocol.settings(), sort_keys=True) for results in read.values()}
    characters = tuple(shown_as.get(clip, "") for clip in clips)
    return Scores(clips, characters, tuple(rows), aside, len(settings) <= 1)


def has_results(run: Run) -> bool:
    """Whether what a finished run scored can be read, so that it need not be scored again."""
    try:
        (read_floors if run.config is None else read_results)(run.folder / RESULTS_FILE)
    except (UserError, OSError, ValueError, KeyError):
        return False
    return True


def metrics_read(sweep: SweepConfig) -> tuple[str, ...]:
    """Those of the table, and the one that tells whether a network has learned its task."""
    extra = () if TASK_METRIC in sweep.metrics else (TASK_METRIC,)
    return (*sweep.metrics, *extra)


TASK_METRIC, TRAINED_FROM = "reader_pck@0.1", 0.8
"""An arm whose made clips score less has not yet learned to follow the pose: its other figures tell little."""


def _clip_values(results: ResultsFile) -> dict[str, dict[str, float]]:
    return {
        clip.clip_id: {name: value for name, value in clip.values.items() if value is not None}
        for clip in results.clips
    }


def _table(
    found: Sequence[Mapping[str, Mapping[str, float]]], clips: Sequence[str], metric: str
) -> np.ndarray:
    return np.array(
        [[clip_values.get(clip, {}).get(metric, np.nan) for clip in clips] for clip_values in found]
    ).reshape(len(found), len(clips))
