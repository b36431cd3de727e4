"""What a sweep found, row by row, in words and rounded numbers: the one source of the table and of the page."""

from dataclasses import dataclass

import numpy as np

from ..evaluation.metric_definition import MetricDefinition, closeness
from ..evaluation.protocols import PROTOCOLS
from .conditions import conditions, warnings
from .estimate import Estimate, estimate
from .row_names import DCGAN_ARM
from .scores import TASK_METRIC, TRAINED_FROM, Row, Scores, metrics_read
from .sweep import SweepConfig, definition

NONE = "–"


@dataclass(frozen=True)
class Cell:
    """Attributes: mean and interval as text; the estimate behind them, None where there is no value."""

    text: str
    estimate: Estimate | None


@dataclass(frozen=True)
class AnswerRow:
    """Attributes: name; floor (nothing learned, or the DCGAN); parameters and gmac as text; cells by metric; gaps: the
    same of the paired difference to the arm it is compared with, {} for the base arm and the floors; notes:
    sentences."""

    name: str
    is_floor: bool
    parameters: str
    gmac: str
    cells: dict[str, Cell]
    gaps: dict[str, Cell]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """Attributes: readings (what the primary metric says of each arm), conditions (what was the same for all), rows,
    warnings: sentences, clips: how many were scored."""

    readings: tuple[str, ...]
    conditions: tuple[str, ...]
    rows: tuple[AnswerRow, ...]
    warnings: tuple[str, ...]
    clips: int


def find_answer(sweep: SweepConfig, scores: Scores) -> Answer:
    """Everything that is shown of a sweep, as far as it has come."""
    tables = {(row.name, m, "value"): row.values[m] for row in scores.rows for m in metrics_read(sweep)}
    arms = [row for row in scores.rows if row.name in sweep.arms]
    tables |= {(row.name, m, "gap"): gap(sweep, scores, row, m) for row in arms for m in sweep.metrics}
    tables |= {(row.name, sweep.primary, "gain"): _gain(sweep, scores, row) for row in arms}
    protocol = PROTOCOLS[sweep.protocol]
    units = scores.characters if protocol.interval_unit == "character" else None
    found = estimate(list(tables.values()), protocol.seed, units)
    known = dict(zip(tables, found, strict=True))
    rows = [
        AnswerRow(
            row.name,
            row.is_floor or row.name == DCGAN_ARM,
            _parameters(row),
            _gmac(row),
            {m: _cell(definition(m), known[row.name, m, "value"], "") for m in sweep.metrics},
            {m: _cell(definition(m), known[row.name, m, "gap"], "+") for m in sweep.metrics if row in arms},
            tuple(_notes(row, sweep, scores, known[row.name, TASK_METRIC, "value"])),
        )
        for row in scores.rows
    ]
    rows_by_name = {row.name: row for row in rows}
    readings = [
        _reading(sweep, row.name, rows_by_name[row.name], known[row.name, sweep.primary, "gain"], scores)
        for row in arms
    ]
    return Answer(
        tuple(readings),
        tuple(conditions(sweep, scores)),
        tuple(rows),
        tuple(warnings(sweep, scores)),
        len(scores.clips),
    )


def heading(metric: MetricDefinition) -> str:
    """Title, unit and what is good, as in ``PSNR, dB ↑``."""
    unit = f", {metric.unit}" if metric.unit not in ("", "ratio", "fraction") else ""
    if metric.higher_is_better is not None:
        return f"{metric.title}{unit} {'↑' if metric.higher_is_better else '↓'}"
    return f"{metric.title}{unit} → {metric.ideal:g}"


def gap(sweep: SweepConfig, scores: Scores, row: Row, metric: str) -> np.ndarray:
    """An arm's values less those of the arm it is compared with, seed by seed and clip by clip: float [S, N]."""
    return row.values[metric] - scores.row(sweep.compared_with(row.name)).values[metric]


def _gain(sweep: SweepConfig, scores: Scores, row: Row) -> np.ndarray:
    """The same on a scale where more is better: a ratio of 1.25 is no better than one of 0.8."""
    metric = definition(sweep.primary)

    def close(values: np.ndarray) -> np.ndarray:
        found = [closeness(metric, value) if np.isfinite(value) else np.nan for value in values.flat]
        return np.maximum(np.array(found, float), _FARTHEST).reshape(values.shape)

    against = scores.row(sweep.compared_with(row.name))
    # 0.8 and 1.25 are equally far from 1, but for their last bit.
    return np.round(close(row.values[sweep.primary]) - close(against.values[sweep.primary]), 9)


_FARTHEST = -1e6
"""In place of infinitely far, which has no mean."""


def _reading(sweep: SweepConfig, name: str, row: AnswerRow, gain: Estimate | None, scores: Scores) -> str:
    """Of an arm, what an interval allows to say and no more."""
    metric, cell = definition(sweep.primary), row.gaps[sweep.primary]
    if cell.estimate is None or gain is None:
        return f"{name}: no value."
    unit = f" {metric.unit}" if metric.unit not in ("", "ratio", "fraction") else ""
    said = f"{name}: {cell.text}{unit} against {sweep.compared_with(name)}"
    if gain.interval is None:
        return f"{said}; no interval, so nothing is said of it."
    if gain.interval[0] <= 0 <= gain.interval[1]:
        return f"{said}; no difference shown."
    by_seed = np.nanmean(_gain(sweep, scores, scores.row(name)), axis=1)
    alike = int((np.sign(by_seed) == np.sign(gain.mean)).sum())
    return f"{said}; {'better' if gain.mean > 0 else 'worse'}, with {alike} of {len(by_seed)} seeds."


def _cell(metric: MetricDefinition, found: Estimate | None, sign: str) -> Cell:
    if found is None:
        return Cell(NONE, None)

    def shown(value: float) -> str:
        # 0.0 is added so that nothing is minus zero.
        return f"{round(value, metric.digits) + 0.0:{sign}.{metric.digits}f}"

    if found.interval is None:
        return Cell(shown(found.mean), found)
    low, high = found.interval
    return Cell(f"{shown(found.mean)} [{shown(low)}, {shown(high)}]", found)


def _parameters(row: Row) -> str:
    known = {o.generator_parameters for o in row.outcomes.values() if o.generator_parameters is not None}
    return f"{max(known) / 1e6:.3f}" if known else NONE


def _gmac(row: Row) -> str:
    known = {o.gmac_per_frame for o in row.outcomes.values() if o.gmac_per_frame is not None}
    return f"{max(known):.3f}" if known else NONE


def _notes(row: Row, sweep: SweepConfig, scores: Scores, task: Estimate | None) -> list[str]:
    if row.is_floor:
        return []
    notes = []
    waiting = [str(s) for s in sweep.seeds if s not in row.outcomes]
    if waiting:
        notes.append(f"not run yet: seed {', '.join(waiting)}")
    for number, outcome in row.outcomes.items():
        if outcome.status != "finished":
            notes.append(f"seed {number} {outcome.status}: {outcome.reason}")
    # The DCGAN hears of no pose.
    if row.name != DCGAN_ARM and task is not None and task.mean < TRAINED_FROM:
        notes.append(f"under-trained: joints read in place (PCK@0.1) {task.mean:.2f} < {TRAINED_FROM}")
    seeds = sum(outcome.status == "finished" for outcome in row.outcomes.values())
    for name in sweep.metrics:
        known, most = int(np.isfinite(row.values[name]).sum()), seeds * _most_known(scores, name)
        if known < most:
            notes.append(f"{definition(name).title}: known for {known} of {most} clips of all seeds")
    return notes


def _most_known(scores: Scores, metric: str) -> int:
    """Clips of which any arm's seed has a value: of the others nobody has, whatever they make."""
    return max(
        int(np.isfinite(row.values[metric]).sum(axis=1).max()) for row in scores.rows if not row.is_floor
    )
