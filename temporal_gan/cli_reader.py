"""``temporal-gan reader``: train the network that reads joints and expressions from pictures, and test it."""

from pathlib import Path
from typing import Annotated

import typer

from .command_line import INTERRUPTED, Quiet, say
from .config import load_config
from .models.reader_file import READER_FILE
from .training.reader.recipe import ReaderRecipe
from .training.reader.run import train_reader

reader = typer.Typer(
    help="The network that reads joints and expressions from pictures, for metrics and losses.",
    no_args_is_help=True,
)


@reader.command()
def train(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A YAML file, or a recipe's name: reader.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Run folder; an existing run goes on.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[key=value ...]", help="train.seed=1")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="STORE", help="Your own labelled clips or drawings; else puppets.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="READER", help="Go on from this one: metrics, loss, a file or a run."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop and save after this time.")] = None,
    quiet: Quiet = False,
) -> None:
    """Train a reader; repeat the same command to go on.

    Example, to fit one to drawings of your own: temporal-gan reader train reader_tune --start metrics
    --data stores/mine --out readers/mine
    """
    outcome = train_reader(
        load_config(config, overrides or [], ReaderRecipe), out, data, start, minutes, quiet
    )
    if outcome.interrupted:
        typer.echo(
            f"stopped at step {outcome.step}, saved in {out}; repeat the same command to go on", err=True
        )
        raise typer.Exit(INTERRUPTED)
    ending = "the time is up" if outcome.out_of_time else "done"
    say(quiet, f"{out / READER_FILE}: {ending} at step {outcome.step}")
