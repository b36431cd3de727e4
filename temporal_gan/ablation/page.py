"""report.html: the table, every seed's point, and the clips of all arms in step; one file that needs no network."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..evaluation.pages import page_template
from .answer import Answer, AnswerRow, Cell, gap, heading
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
        difference=sweep.difference,
        primary=sweep.primary,
        metrics=[(m, heading(definition(m)), definition(m).meaning) for m in sweep.metrics],
        rows=answer.rows,
        cost_headings=COST_HEADINGS,
        costs=cost_rows(scores),
        plots=[_plots(m, answer, scores, sweep) for m in sweep.metrics],
        films=films,
        gap_scale=GAP_SCALE,
        arms=arms,
        split=sweep.split,
        caveat=sweep.caveat,
        how_to_read=HOW_TO_READ.replace("`", ""),
    )


def _plots(metric: str, answer: Answer, scores: Scores, sweep: SweepConfig) -> tuple[str, str]:
    """Values of all rows, and differences of the arms."""
    title, digits = heading(definition(metric)), definition(metric).digits
    own, gaps = [], []
    for row in answer.rows:
        scored = scores.row(row.name)
        seeds = () if scored.is_floor else sweep.seeds
        own.append(_strip(row, scored.values[metric], row.cells[metric], seeds))
        if row.gaps:
            gaps.append(_strip(row, gap(sweep, scores, scored, metric), row.gaps[metric], seeds))
    return strip_plot(own, title, digits), strip_plot(gaps, sweep.difference, digits, origin=0.0)


def _strip(row: AnswerRow, values: np.ndarray, cell: Cell, seeds: Sequence[int]) -> Strip:
    """``values`` [S, N], seeds by clips; a floor has no seeds and no points."""
    means = [
        (f"seed {seed}", float(np.mean(clips[np.isfinite(clips)])))
        for seed, clips in zip(seeds, values[: len(seeds)], strict=True)
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
