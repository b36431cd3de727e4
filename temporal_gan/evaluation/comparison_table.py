"""A comparison of two evaluations for the terminal."""

from collections.abc import Sequence

from rich.table import Table

from .comparison import MetricComparison


def comparison_table(found: Sequence[MetricComparison]) -> Table:
    """A row a metric, in the metric's own number of digits."""
    table = Table("metric", "first", "second", "difference", "95 %", "p (Holm)", "better", box=None)
    for row in found:
        digits = row.metric.digits
        interval = "" if row.interval is None else " to ".join(f"{v:.{digits}f}" for v in row.interval)
        numbers = [f"{v:.{digits}f}" for v in (row.first, row.second, row.difference)]
        table.add_row(
            row.metric.title, *numbers, interval, f"{row.adjusted:.3f}", row.better or "no difference shown"
        )
    return table
