"""Several ways of making the same clips side by side: what is said of each, with intervals, as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from temporal_gan import rng
from temporal_gan.evaluation.clip_results import ClipResult
from temporal_gan.evaluation.comparison import MetricComparison
from temporal_gan.metrics.statistics import ratio_interval

ClipValues = dict[str, dict[str, float]]
"""Clip -> metric -> value."""


@dataclass(frozen=True)
class Measure:
    """A column: the mean of a metric over clips, or that mean in parts of the real clips' own.

    Attributes:
        title: in the table.
        metric: its name in results.json.
        digits: shown.
        of_real: divided by the mean of the same metric over the real clips.
    """

    title: str
    metric: str
    digits: int
    of_real: bool = False


MEASURES = (
    Measure("PSNR, dB", "psnr", 1),
    Measure("foreground PSNR, dB", "foreground_psnr", 1),
    Measure("SSIM", "ssim", 3),
    Measure("foreground SSIM", "foreground_ssim", 3),
    Measure("sharpness, made / real", "sharpness_ratio", 2),
    Measure("PCK@0.05", "reader_pck@0.05", 3),
    Measure("PCK@0.05, of real", "reader_pck@0.05", 3, of_real=True),
    Measure("expression", "expression_accuracy", 3),
    Measure("expression, of real", "expression_accuracy", 3, of_real=True),
    Measure("warping error, of real", "warping_error_reference_flow", 2, of_real=True),
    Measure("motion, made / real", "motion_ratio", 2),
)
"""What issue 5 asks of made clips. Pose and expression are what the judging reader sees."""


@dataclass(frozen=True)
class Figure:
    """A number of a table; ``interval`` is None with fewer than three characters."""

    value: float
    interval: tuple[float, float] | None
    clips: int

    def shown(self, digits: int) -> str:
        """As text, with its interval."""
        if self.interval is None:
            return f"{self.value:.{digits}f}"
        low, high = self.interval
        return f"{self.value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    def to_dict(self) -> dict[str, object]:
        """Plain types for JSON."""
        interval = None if self.interval is None else list(self.interval)
        return {"value": self.value, "interval": interval, "clips": self.clips}


def values_of(clips: list[ClipResult], anchor: str | None = None) -> ClipValues:
    """What an evaluation says of each made clip, or of an anchor in its place."""
    return {c.clip_id: (c.made if anchor is None else c.anchors[anchor]).values for c in clips}


def figure(
    measure: Measure, made: ClipValues, real: ClipValues, characters: Mapping[str, str]
) -> Figure | None:
    """One number over all clips that have it, its interval by bootstrap over characters.

    Args:
        measure: which.
        made, real: of one way of making the clips, and of the real clips.
        characters: of each clip.
    Returns:
        None where no clip has it.
    """
    name = measure.metric
    clips = [c for c in made if name in made[c] and (not measure.of_real or name in real[c])]
    above = np.array([made[c][name] for c in clips])
    below = np.array([real[c][name] if measure.of_real else 1.0 for c in clips])
    if not len(clips) or not below.sum():
        return None
    drawn = rng.numpy_generator(0, "scoreboard")
    who = np.array([characters[c] for c in clips])
    return Figure(
        float(above.sum() / below.sum()), ratio_interval(above, below, drawn, clusters=who), len(clips)
    )


Scoreboard = dict[str, dict[str, Figure | None]]
"""Way of making the clips -> title of the measure -> number."""


def scoreboard(
    measures: Sequence[Measure],
    ways: Mapping[str, ClipValues],
    real: ClipValues,
    characters: Mapping[str, str],
) -> Scoreboard:
    """Every measure of every way."""
    return {way: {m.title: figure(m, made, real, characters) for m in measures} for way, made in ways.items()}


def markdown(measures: Sequence[Measure], board: Scoreboard) -> str:
    """A row a way, a column a measure."""
    rows = [["", *(m.title for m in measures)]]
    for way, figures in board.items():
        found = [(figures[m.title], m.digits) for m in measures]
        rows.append([way, *("-" if f is None else f.shown(digits) for f, digits in found)])
    return table(rows)


def to_json(board: Scoreboard) -> dict[str, object]:
    """Plain types."""
    return {
        way: {title: None if f is None else f.to_dict() for title, f in figures.items()}
        for way, figures in board.items()
    }


def differences(found: list[MetricComparison], first: str, second: str) -> str:
    """A comparison of two ways as a table, of the metrics that the measures are taken from."""
    names = {m.metric for m in MEASURES}
    rows = [["", first, second, "difference", "95 %", "p (Holm)", "better"]]
    for row in (row for row in found if row.metric.name in names):
        digits = row.metric.digits
        interval = "-" if row.interval is None else " to ".join(f"{v:.{digits}f}" for v in row.interval)
        better = {"first": first, "second": second, None: "no difference shown"}[row.better]
        numbers = [f"{v:.{digits}f}" for v in (row.first, row.second, row.difference)]
        rows.append([row.metric.title, *numbers, interval, f"{row.adjusted:.3f}", better])
    return table(rows)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown; the first row is the head."""
    head, *rest = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *rest])
