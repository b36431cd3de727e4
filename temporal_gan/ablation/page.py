"""report.html: the table, every seed's point, and the clips of all arms in step; one file that needs no network."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..evaluation.pages import page_template
from .answer import Answer, AnswerRow, Cell, heading
from .arms import Arm
from .films import GAP_SCALE, Film
from .plan import Run
from .scores import Scores
from .strip_plot import Strip, strip_plot
from .sweep import SweepConfig, definition
from .table import COST_HEADINGS, HOW_TO_READ, cost_rows, runs_done


def render_page(
    sweep: SweepConfig, arms: Sequence[Arm], answer: Answer, scores: Scores, runs: Sequence[Run],
    films: Sequence[Film], name: str,
) -> str:  # fmt: skip
    """The page as text, the same for the same runs.

    Args:
        sweep, arms, answer, scores, runs, films: of one sweep.
        name: the sweep as it was named on the command line.
    """
    return page_template("report.html.jinja", Path(__file__).parent).render(
        question=sweep.question,
        readings=answer.readings,
        conditions=answer.conditions,
        warnings=answer.warnings,
        progress=runs_done(runs, scores),
        command=f"temporal-gan ablate {name} --out DIR",
        base=sweep.base_arm,
        primary=sweep.primary,
        metrics=[(m, heading(definition(m)), definition(m).meaning) for m in sweep.metrics],
        rows=answer.rows,
        cost_headings=COST_HEADINGS,
        costs=cost_rows(scores),
        plots=[_plots(m, answer, scores, sweep.base_arm) for m in sweep.metrics],
        films=films,
        gap_scale=GAP_SCALE,
        arms=arms,
        caveat=sweep.caveat,
        how_to_read=HOW_TO_READ.replace("`", ""),
    )


def _plots(metric: str, answer: Answer, scores: Scores, base: str) -> tuple[str, str]:
    """Values of all rows, and differences of the arms to the base arm; "" where there is no such arm yet."""
    title, digits = heading(definition(metric)), definition(metric).digits
    own = [_strip(row, scores.row(row.name).values[metric], row.cells[metric], scores) for row in answer.rows]
    based = scores.row(base).values[metric]
    gaps = [
        _strip(row, scores.row(row.name).values[metric] - based, row.gaps[metric], scores)
        for row in answer.rows
        if row.gaps
    ]
    return strip_plot(own, title, digits), strip_plot(gaps, f"difference to {base}", digits, origin=0.0)


def _strip(row: AnswerRow, values: np.ndarray, cell: Cell, scores: Scores) -> Strip:
    """``values`` [S, N], seeds by clips."""
    outcomes = scores.row(row.name).outcomes
    means = [
        (f"seed {seed}", float(np.mean(clips[np.isfinite(clips)])))
        for seed, clips in zip(outcomes, values, strict=False)
        if np.isfinite(clips).any()
    ]
    found = cell.estimate
    return Strip(
        row.name,
        row.is_floor,
        means,
        None if found is None else found.mean,
        None if found is None else found.interval,
    )
