"""``temporal-gan ablate``: one question, several arms, several seeds, one table."""

from pathlib import Path
from typing import Annotated

import typer

from .ablation.command import Engine, run_sweep
from .ablation.dry_run import describe_sweep
from .command_line import PARTLY_FAILED, Quiet, going_on_when_repeated, say


def ablate(
    sweep: Annotated[
        str, typer.Argument(metavar="SWEEP", help="A YAML file, or a sweep's name, such as temporal.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="For table.md, costs.md, report.html and the runs.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print plan, differences and cost; write nothing.")
    ] = False,
    engine: Annotated[Engine, typer.Option(help="Where runs are done: here, or as Ray tasks.")] = "local",
    quiet: Quiet = False,
) -> None:
    """Train and score every arm of a sweep with every seed, and say which made a difference.

    Repeating the command does what is left: finished runs are kept, failed ones are tried again.

    Example: temporal-gan ablate temporal --out ablations/temporal --dry-run
    """
    if dry_run:
        say(quiet, describe_sweep(sweep, out))
        return
    with going_on_when_repeated():
        done = run_sweep(sweep, out, engine, lambda text: say(quiet, text), quiet)
    if done.failed:
        typer.echo(
            f"{done.failed} of {done.runs} runs failed; their reasons are in {out / 'table.md'}; repeat the same "
            "command to try them again",
            err=True,
        )
        raise typer.Exit(PARTLY_FAILED)
    say(quiet, f"{out / 'report.html'}: {done.runs} runs")
