"""``temporal-gan reader``: train the network that reads joints and expressions from pictures, and test it."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from .command_line import INTERRUPTED, Quiet, say
from .config import load_config
from .data.store import Store
from .evaluation.reader_accuracy import chosen_clips, measure_reader
from .evaluation.results import write_atomically
from .models.reader_file import READER_FILE, find_reader, load_reader, reader_sha256
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


@reader.command()
def check(
    name: Annotated[str, typer.Argument(metavar="READER", help="metrics, loss, a file, or a run.")],
    store: Annotated[Path, typer.Argument(metavar="STORE", help="Labelled clips it was not trained on.")],
    split: Annotated[str, typer.Option(help="Which of them; all: every clip.")] = "test",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Every figure, as JSON.")] = None,
    quiet: Quiet = False,
) -> None:
    """How well does a reader read these clips? Its errors are the ceiling of every number it is used for.

    Example: temporal-gan reader check metrics stores/mine --out reader.json
    """
    network, clips = load_reader(name), Store.open(store)
    rows = chosen_clips(clips, split)
    with Progress(console=Console(quiet=quiet, stderr=True)) as progress:
        task = progress.add_task("reading", total=len(rows))
        accuracy = measure_reader(network, clips, split, lambda done: progress.update(task, completed=done))
    if out is not None:
        about = {"reader": str(find_reader(name)), "sha256": reader_sha256(name), "store": str(store)}
        about |= {"content_hash": clips.info.content_hash, "split": split}
        write_atomically(out, json.dumps(about | accuracy.to_dict(), indent=1) + "\n")
    for title, value in (
        ("joints within 5 % of the box (PCK@0.05)", accuracy.pck_05),
        ("joints within 10 %", accuracy.pck_10),
        ("hidden joints within 5 %", accuracy.pck_05_hidden),
        ("expression accuracy", accuracy.expression_accuracy),
        ("expression macro-F1", accuracy.macro_f1),
        ("visible faces found", accuracy.faces_found),
        ("same character nearer than another (AUC)", accuracy.identity_auc),
    ):
        say(quiet, f"{title:<42} " + ("no labels" if value is None else f"{value:.3f}"))
    say(quiet, f"{accuracy.clips} clips, {accuracy.frames} frames of split {split!r}")
