"""``temporal-gan-preprocess``: makes, imports, exports, describes and checks clip stores."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from temporal_gan.command_line import Quiet, run_command, say
from temporal_gan.data.validation import validate_store

from .cli_labels import export, imports
from .cli_report import report
from .cli_run import run_clips
from .pose.offline_install import install_offline_mediapipe, offline_folder

app = typer.Typer(
    help="Make, import, export, describe and check clip stores.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("run")(run_clips)
app.add_typer(imports, name="import")
app.command()(export)
app.command()(report)


@app.command()
def validate(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="A clip store.")],
    deep: Annotated[bool, typer.Option("--deep", help="Also read and decode every video.")] = False,
    quiet: Quiet = False,
) -> None:
    """Check a clip store: its tables, labels and files.

    Example: temporal-gan-preprocess validate stores/dino --deep
    """
    info = validate_store(store, deep).info
    say(quiet, f"{store}: whole; {info.clips} clips, {info.frames} frames, content {info.content_hash[:16]}")


@app.command("install-offline-mediapipe")
def install_mediapipe(
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Of the environment; by default in your cache folder.")
    ] = None,
    python: Annotated[str, typer.Option(help="Interpreter of version 3.9 to 3.12.")] = sys.executable,
    quiet: Quiet = False,
) -> None:
    """Make the environment in which pose backend mediapipe-offline runs without network. Needs network once.

    Example: temporal-gan-preprocess install-offline-mediapipe
    """
    place = install_offline_mediapipe(folder or offline_folder(), python, lambda text: say(quiet, text))
    say(quiet, f"{place}: ready")


def main() -> None:
    """Entry point."""
    run_command(app)
