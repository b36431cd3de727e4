"""``temporal-gan``: render puppets, train, generate, evaluate, or see it all in one demo."""

import re
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer
from rich.console import Console

from . import rng
from .cli_ablate import ablate
from .cli_fewshot import fewshot
from .cli_generate import generate
from .cli_reader import reader
from .cli_study import study
from .command_line import PARTLY_FAILED, Interrupted, Quiet, going_on_when_repeated, run_command, say
from .config import load_config
from .demo import run_demo
from .errors import UserError
from .evaluation.command import Request, run_evaluation
from .evaluation.comparison import compare_results, too_few_to_tell, write_comparison
from .evaluation.comparison_table import comparison_table
from .evaluation.protocols import PROTOCOLS, SET_PROTOCOLS
from .experiment import ExperimentConfig
from .inference.weights_file import load_sampler
from .puppet import BACKGROUNDS, CAMERAS, DEGRADATIONS, LIGHTS, random_specs
from .puppet.dataset import write_puppet_store
from .puppet.preview import write_store_preview
from .training.preview import sample_pictures, write_picture_grid
from .training.run import train as run_training

app = typer.Typer(
    help="Pose sequences and expressions to short, temporally consistent anime character clips.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(study, name="study")
app.add_typer(reader, name="reader")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where everything goes.")] = Path("demo"),
    fast: Annotated[bool, typer.Option("--fast", help="Under two minutes, and blurrier.")] = False,
    quiet: Quiet = False,
) -> None:
    """The whole way on the puppet: render, train, generate, evaluate.

    Repeating the command goes on where it stopped. Example: temporal-gan demo --out demo
    """
    with going_on_when_repeated():
        run_demo(out, fast, quiet)


@app.command()
def puppet(
    out: Annotated[Path, typer.Option(metavar="STORE", help="Folder of the new clip store.")],
    clips: Annotated[int, typer.Option(min=1, help="How many clips.")],
    frames: Annotated[int, typer.Option(min=1, help="Frames a clip.")] = 32,
    size: Annotated[int, typer.Option(min=16, max=1024, help="Pixels per side.")] = 128,
    fps: Annotated[float, typer.Option(help="Frames per second.")] = 24.0,
    seed: Annotated[int, typer.Option(help="Of everything that varies.")] = 0,
    characters: Annotated[str, typer.Option(metavar="A,B", help="Names; empty: all.")] = "",
    motions: Annotated[str, typer.Option(metavar="A,B", help="Names; empty: all.")] = "",
    expressions: Annotated[str, typer.Option(metavar="A,B", help="Names; empty: all.")] = "",
    coupling: Annotated[float, typer.Option(help="0 to 1: how much expression moves the body.")] = 0.7,
    lighting: Annotated[str, typer.Option(metavar="NAME", help=f"{', '.join(LIGHTS)}, random.")] = "day",
    background: Annotated[
        str, typer.Option(metavar="NAME", help=f"{', '.join(BACKGROUNDS)}, random.")
    ] = "transparent",
    camera: Annotated[str, typer.Option(metavar="NAME", help=f"{', '.join(CAMERAS)}, random.")] = "still",
    hold: Annotated[int, typer.Option(min=1, max=3, help="Frames a drawing: 2 is on twos.")] = 1,
    degradation: Annotated[
        str, typer.Option(metavar="NAME", help=f"none, {', '.join(DEGRADATIONS)}, random.")
    ] = "none",
    hold_out_characters: Annotated[
        str, typer.Option(metavar="A,B", help="Only in split test_character.")
    ] = "",
    hold_out_motions: Annotated[
        str, typer.Option(metavar="A,B", help="Only in test_motion; with such a character: test_combination.")
    ] = "",
    truth: Annotated[
        Literal["none", "flow", "full"],
        typer.Option(help="Ground truth to keep; none: recomputed when needed."),
    ] = "none",
    workers: Annotated[int, typer.Option(min=1, help="Processes that render, at most one a core.")] = 1,
    quiet: Quiet = False,
) -> None:
    """Render puppet clips with exact keypoints, expression, and flow into a clip store.

    Repeating the command goes on where it stopped. The folder also gets contact_sheet.png and sample.mp4.

    Example: temporal-gan puppet --out stores/puppet --clips 64 --size 64
    """
    specs = random_specs(
        clips, seed, _names("--characters", characters), _names("--motions", motions),
        _names("--expressions", expressions), frames, size, fps, coupling, lighting, background, camera, hold,
        degradation,
    )  # fmt: skip
    held_out = (
        _names("--hold-out-characters", hold_out_characters) or (),
        _names("--hold-out-motions", hold_out_motions) or (),
    )
    with going_on_when_repeated():
        store = write_puppet_store(out, specs, seed, truth, workers, quiet, *held_out)
        sheet, sample_video = write_store_preview(store)
    say(quiet, f"made {sheet} and {sample_video.name}")
    say(
        quiet,
        f"{out}: {store.info.clips} clips, {store.info.frames} frames, content {store.info.content_hash[:16]}",
    )


@app.command()
def train(
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="A YAML file, or a recipe's name, such as tiny.")
    ],
    data: Annotated[
        Path, typer.Option(metavar="STORE|FOLDER", help="A clip store; for a DCGAN also pictures.")
    ],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Run folder; an existing run goes on.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[key=value ...]", help="train.steps=500")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop and save after this time.")] = None,
    start: Annotated[
        str | None, typer.Option(metavar="FILE|RUN|base", help="An animator whose weights to start from.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train a recipe; repeat the same command to go on.

    Example: temporal-gan train tiny train.steps=400 --data stores/puppet --out runs/first
    """
    recipe = load_config(config, overrides or [], ExperimentConfig)
    outcome = run_training(recipe, data, out, minutes, quiet, start)
    if outcome.interrupted:
        raise Interrupted(f"stopped at step {outcome.step}, saved in {out}; repeat the same command to go on")
    ending = "the time is up" if outcome.out_of_time else "done"
    say(quiet, f"{out}: {ending} at step {outcome.step}")


app.command()(ablate)
app.command()(fewshot)
app.command()(generate)


@app.command()
def sample(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A DCGAN's run, or its sampler.safetensors.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The grid, a .png.")],
    count: Annotated[int, typer.Option(min=1, max=4096, help="How many pictures.")] = 64,
    label: Annotated[str | None, typer.Option("--class", metavar="NAME", help="Only this class.")] = None,
    seed: Annotated[int, typer.Option(help="Of the noise.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Draw pictures from a DCGAN, of every class or of one.

    Example: temporal-gan sample runs/dcgan --count 64 --out grid.png
    """
    generator, config, classes = load_sampler(run)
    if label is not None and label not in classes:
        raise UserError(
            f"--class {label!r} is not one of: {', '.join(classes) or 'none: this DCGAN knows no classes'}"
        )
    number = (
        torch.arange(count) % max(len(classes), 1)
        if label is None
        else torch.full((count,), classes.index(label))
    )
    pictures = sample_pictures(generator, rng.normal((count, config.nz), seed, "sample"), number)
    write_picture_grid(out, pictures)
    say(quiet, f"{out}: {count} pictures{f' of {label}' if label else ''}")


@app.command()
def evaluate(
    generated: Annotated[
        Path, typer.Argument(metavar="GENERATED", help="A run, a store, a folder of clips, a clip.")
    ],
    reference: Annotated[
        Path, typer.Argument(metavar="REFERENCE", help="A store, a folder of clips, a clip.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="For results.json and report.html.")],
    protocol: Annotated[
        str, typer.Option(metavar="NAME", help=f"{', '.join((*PROTOCOLS, *SET_PROTOCOLS))}.")
    ] = "clips_v1",
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which clips of the reference store; default: test.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Processes that score; the numbers do not depend on it.")
    ] = 1,
    device: Annotated[str, typer.Option(help="For networks: auto, cpu, cuda or mps.")] = "auto",
    reader: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Reads pose and face: metrics, loss, or a file.")
    ] = "metrics",
    quiet: Quiet = False,
) -> None:
    """Measure made clips against real ones; a run first animates the reference's test split.

    Clips of any tool are read: videos, GIF, WebP, folders of pictures, named like the real ones. Finished clips are
    kept in DIR/clips.jsonl: repeating the command goes on where it stopped. Clips that cannot be read are named, the
    rest is measured, and the exit code is 1.

    Example: temporal-gan evaluate runs/first stores/puppet --out reports/first
    """
    request = Request(generated, reference, out, protocol, split, workers, device, reader, quiet)
    with going_on_when_repeated():
        whole = run_evaluation(request)
    if not whole:
        raise typer.Exit(PARTLY_FAILED)


@app.command()
def compare(
    first: Annotated[
        Path, typer.Argument(metavar="FIRST", help="results.json of an evaluation, or its folder.")
    ],
    second: Annotated[Path, typer.Argument(metavar="SECOND", help="The same of another.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="For comparison.json.")],
    quiet: Quiet = False,
) -> None:
    """Say which of two evaluations of the same clips under the same protocol is better, metric by metric.

    Paired differences with bootstrap intervals, a permutation test, and Holm's correction for many metrics.

    Example: temporal-gan compare reports/a reports/b --out reports/a_against_b
    """
    found = compare_results(first, second)
    write_comparison(found, first, second, out / "comparison.json")
    if quiet:
        return
    Console().print(comparison_table(found))
    if too_few_to_tell(found):
        typer.echo(f"{found[0].clips} clips are too few for any difference to show over {len(found)} metrics")
    typer.echo(f"{out / 'comparison.json'}: {len(found)} metrics")


def _names(option: str, text: str) -> list[str] | None:
    # walk@speed=1.2,amplitude=0.8 is one name.
    names = [name.strip() for name in re.split(r",(?!\s*\w+=)", text) if name.strip()]
    if text and not names:
        raise UserError(f"{option} {text!r}: holds no name; leave the option out, or write for example A,B")
    return names or None


def main() -> None:
    """Entry point."""
    run_command(app)


if __name__ == "__main__":
    main()
