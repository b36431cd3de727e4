"""``temporal-gan-preprocess report``: look through a store."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from temporal_gan.command_line import Quiet, say

from .report import write_report


def report(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="A clip store, made by any command.")],
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write STORE/report: a page with the labels drawn on, a dataset card, and a table of all clips.

    Example: temporal-gan-preprocess report stores/mine --open
    """
    page = write_report(store)
    say(quiet, f"{page}: look at it; keep and reject there make a decisions.csv for the next run")
    if show:
        webbrowser.open(page.resolve().as_uri())
