"""``temporal-gan study``: show people clips by several methods, and analyse what they say."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from .command_line import PARTLY_FAILED, Quiet, say
from .errors import UserError
from .evaluation.study import make_study
from .evaluation.study_report import write_study_report
from .evaluation.study_results import analyse_study

study = typer.Typer(
    help="Ask people which clips are better, and analyse what they say.", no_args_is_help=True
)


@study.command()
def make(
    method: Annotated[
        list[str], typer.Option(metavar="NAME=FOLDER", help="Clips of a method; give two or more.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page, an .html; its key goes beside it.")],
    kind: Annotated[
        Literal["2afc", "mos"], typer.Option(help="Which of two, or a rating from 1 to 5.")
    ] = "2afc",
    question: Annotated[str, typer.Option(metavar="TEXT", help="What raters are asked.")] = "",
    trials: Annotated[int, typer.Option(min=1, help="A rater sees at most so many.")] = 40,
    attention_checks: Annotated[
        int, typer.Option(min=0, max=50, help="Besides these, clips against broken copies.")
    ] = 5,
    seed: Annotated[int, typer.Option(help="Of order and ids.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Make one web page, with everything in it, that shows people clips by several methods side by side.

    Clips are paired by name. Keep the key, page.key.json, to yourself: it says which clip is whose.
    Example: temporal-gan study make --method ours=runs/first/clips --method other=their_clips --out study.html
    """
    with Progress(console=Console(quiet=quiet, stderr=True)) as progress:
        task = progress.add_task("encoding clips", total=None)
        made = make_study(
            _folders("--method", method), out, kind, question, trials, attention_checks, seed,
            lambda done, total: progress.update(task, completed=done, total=total),
        )  # fmt: skip
    if made.left_out:
        say(quiet, f"left out: {len(made.left_out)} clips not every method has, first {made.left_out[0]!r}")
    say(
        quiet,
        f"{out}: {len(made.clips)} clips, {made.key.shown} trials and {made.key.checks} attention checks a rater, "
        f"{made.bytes / 2**20:.1f} MB; the key is {made.key_path}",
    )


@study.command()
def analyse(
    answers: Annotated[list[Path], typer.Argument(metavar="ANSWERS...", help="Files raters sent back.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="page.key.json, beside the page.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="For study.json and study.html.")],
    results: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE", help="A method's results.json, to correlate.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Turn answers into preferences with intervals, and say which automatic metrics agree with people.

    Raters who fail the attention checks are listed and left out. Damaged files are named, the rest is analysed,
    and the exit code is 1. Example: temporal-gan study analyse answers/*.json --key study.key.json --out findings
    """
    found = analyse_study(
        answers,
        key,
        _folders("--results", results or []),
        lambda line: typer.echo(f"error: {line}", err=True),
    )
    found.write(out / "study.json")
    write_study_report(found.to_dict(), out / "study.html")
    excluded = sum(bool(outcome.reason) for _, outcome in found.raters)
    say(
        quiet,
        f"{out / 'study.html'}: {len(found.raters) - excluded} raters, {excluded} excluded by the attention checks",
    )
    if found.refused:
        raise typer.Exit(PARTLY_FAILED)


def _folders(option: str, given: list[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        name = name.strip()
        if not name or not equals or not path:
            raise UserError(f"{option} {text!r}: expected NAME=PATH, for example ours=clips/")
        if name in found:
            raise UserError(f"{option}: the name {name!r} is given twice")
        found[name] = Path(path)
    return found
