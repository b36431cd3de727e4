"""What a sweep found, row by row, in words and rounded numbers: the one source of the table and of the page."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..evaluation.metric_definition import MetricDefinition, closeness
from ..evaluation.protocols import PROTOCOLS
from .outcome import Outcome
from .plan import DCGAN_ARM
from .scores import TASK_METRIC, TRAINED_FROM, Estimate, Row, Scores, estimate, metrics_read
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
    same of the paired difference to the base arm, {} for the base arm and the floors; notes: sentences."""

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
    base = scores.row(sweep.base_arm)
    tables = {(row.name, m, "value"): row.values[m] for row in scores.rows for m in metrics_read(sweep)}
    arms = [row for row in scores.rows if row.name in sweep.arms]
    tables |= {(row.name, m, "gap"): row.values[m] - base.values[m] for row in arms for m in sweep.metrics}
    found = estimate(list(tables.values()), PROTOCOLS[sweep.protocol].seed)
    known = dict(zip(tables, found, strict=True))
    rows = [
        AnswerRow(
            row.name,
            row.is_floor or row.name == DCGAN_ARM,
            _parameters(row),
            _gmac(row),
            {m: _cell(definition(m), known[row.name, m, "value"], "") for m in sweep.metrics},
            {m: _cell(definition(m), known[row.name, m, "gap"], "+") for m in sweep.metrics if row in arms},
            tuple(_notes(row, sweep, known[row.name, TASK_METRIC, "value"])),
        )
        for row in scores.rows
    ]
    readings = [_reading(sweep, row, scores) for row in rows if row.gaps]
    return Answer(
        tuple(readings),
        tuple(_conditions(sweep, scores)),
        tuple(rows),
        tuple(_warnings(sweep, scores)),
        len(scores.clips),
    )


def heading(metric: MetricDefinition) -> str:
    """Title, unit and what is good, as in ``PSNR, dB ↑``."""
    unit = f", {metric.unit}" if metric.unit not in ("", "ratio", "fraction") else ""
    if metric.higher_is_better is not None:
        return f"{metric.title}{unit} {'↑' if metric.higher_is_better else '↓'}"
    return f"{metric.title}{unit} → {metric.ideal:g}"


def _reading(sweep: SweepConfig, row: AnswerRow, scores: Scores) -> str:
    """Of an arm, what an interval allows to say and no more."""
    metric, cell = definition(sweep.primary), row.gaps[sweep.primary]
    found, own = cell.estimate, row.cells[sweep.primary].estimate
    if found is None or own is None:
        return f"{row.name}: no value."
    unit = f" {metric.unit}" if metric.unit not in ("", "ratio", "fraction") else ""
    said = f"{row.name}: {cell.text}{unit} against {sweep.base_arm}"
    if found.interval is None:
        return f"{said}; no interval, so nothing is said of it."
    if found.interval[0] <= 0 <= found.interval[1]:
        return f"{said}; no difference shown."
    mine, theirs = closeness(metric, own.mean), closeness(metric, own.mean - found.mean)
    assert mine is not None
    assert theirs is not None
    by_seed = np.nanmean(
        scores.row(row.name).values[sweep.primary] - scores.row(sweep.base_arm).values[sweep.primary], axis=1
    )
    alike = int((np.sign(by_seed) == np.sign(found.mean)).sum())
    return f"{said}; {'better' if mine > theirs else 'worse'}, with {alike} of {len(by_seed)} seeds."


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


def _notes(row: Row, sweep: SweepConfig, task: Estimate | None) -> list[str]:
    notes = []
    if not row.is_floor:
        waiting = [str(s) for s in sweep.seeds if s not in row.outcomes]
        if waiting:
            notes.append(f"not run yet: seed {', '.join(waiting)}")
        for number, outcome in row.outcomes.items():
            if outcome.status != "finished":
                notes.append(f"seed {number} {outcome.status}: {outcome.reason}")
        if task is not None and task.mean < TRAINED_FROM:
            notes.append(f"under-trained: joints read in place (PCK@0.1) {task.mean:.2f} < {TRAINED_FROM}")
    return notes


def _conditions(sweep: SweepConfig, scores: Scores) -> list[str]:
    found = [
        f"{sweep.budget[0].upper()}{sweep.budget[1:]}; seeds {', '.join(map(str, sweep.seeds))}.",
        f"Recipe {sweep.recipe}"
        + (f" with {_listed(sweep.common)}" if sweep.common else "")
        + f"; {sweep.beginning}.",
        f"Judged on {len(scores.clips)} clips of split {sweep.split} under {sweep.protocol}; primary metric, named "
        f"before anything ran: {definition(sweep.primary).title}.",
    ]
    puppet = sweep.data.puppet
    if puppet is not None:
        found.append(
            f"Data: {puppet.clips} rendered clips of {puppet.frames} frames, {puppet.size} px, {puppet.fps:g} frames a "
            f"second, of {len(puppet.characters)} characters; motions {', '.join(puppet.held_out_motions)} are only "
            "scored."
        )
    else:
        found.append(f"Data: {sweep.data.store}.")
    places = list(dict.fromkeys((o.origin.hardware, o.origin.threads) for o in _outcomes(scores)))
    if places:
        commits = list(dict.fromkeys(o.origin.commit for o in _outcomes(scores)))
        told = "; ".join(f"{hardware}, {threads} thread(s)" for hardware, threads in places)
        found.append(f"Run on {told}; commit {', '.join(c or 'unknown' for c in commits)}.")
    return found


def _warnings(sweep: SweepConfig, scores: Scores) -> list[str]:
    found = []
    if len({o.origin.code for o in _outcomes(scores)}) > 1:
        found.append("The runs were made by different versions of the code: see each outcome.json.")
    if len(sweep.seeds) < 3:
        found.append("Fewer than three seeds: no intervals.")
    unequal = _unequal_parameters(scores, sweep) if sweep.equal == "parameters" else ""
    if unequal:
        found.append(unequal)
    lost = [run for row in scores.rows for run in row.outcomes.values() if run.status != "finished"]
    if lost:
        found.append(
            f"{len(lost)} runs diverged or failed; the means are of the others, which flatters those arms. See notes."
        )
    if not any(row.is_floor for row in scores.rows):
        found.append("The floors that need no training were not scored.")
    return found


def _unequal_parameters(scores: Scores, sweep: SweepConfig) -> str:
    known = {
        row.name: outcome.generator_parameters
        for row in scores.rows
        if row.name != DCGAN_ARM
        for outcome in row.outcomes.values()
        if outcome.generator_parameters
    }
    base = known.get(sweep.base_arm)
    off = [name for name, count in known.items() if base and abs(count / base - 1) > 0.05]
    return f"Not equal in parameters, beyond 5 %: {', '.join(off)}." if off else ""


def _outcomes(scores: Scores) -> Sequence[Outcome]:
    return [outcome for row in scores.rows for outcome in row.outcomes.values()]


def _listed(changes: dict[str, object]) -> str:
    return ", ".join(f"{key}={value}" for key, value in changes.items())
