"""Bars with counts and the time left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress


class Progress:
    """Shows bars on standard error, or nothing."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    @contextmanager
    def bar(self, what: str, total: int, unit: str) -> Iterator[Callable[[], None]]:
        """A bar for ``total`` steps; call what it yields after each. No steps, no bar."""
        if self._quiet or not total:
            yield lambda: None
            return
        columns = (
            TextColumn("{task.description:>9}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with RichProgress(*columns, console=Console(stderr=True)) as bars:
            task = bars.add_task(what, total=total)
            yield lambda: bars.advance(task)
