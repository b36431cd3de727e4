"""``temporal-gan-preprocess``: makes, imports and checks clip stores."""

from pathlib import Path
from typing import Annotated

import typer

from temporal_gan.command_line import Quiet, run_command, say
from temporal_gan.data.validation import validate_store

from .cli_report import report
from .importers.charactergan import import_charactergan

app = typer.Typer(
    help="Make, import and check clip stores.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
imports = typer.Typer(help="Turn a data set in another format into a clip store.", no_args_is_help=True)
app.add_typer(imports, name="import")
app.command()(report)


@imports.command("charactergan")
def charactergan(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Drawings with keypoints.csv and its two companions.")
    ],
    out: Annotated[Path, typer.Option(metavar="STORE", help="Folder of the new store.")],
    hold_out: Annotated[str, typer.Option(metavar="FILE,FILE", help="Drawings for the test split.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the drawings, for the store's record.")] = "",
    quiet: Quiet = False,
) -> None:
    """Import drawings with hand-set keypoints in CharacterGAN's format.

    Example: temporal-gan-preprocess import charactergan drawings/dino --out stores/dino --hold-out "Walk
    (3).jpeg"
    """
    names = [name.strip() for name in hold_out.split(",") if name.strip()]
    info = import_charactergan(folder, out, names, licence)
    held = len(set(names))
    counts = f"{info.clips} drawings ({info.clips - held} train, {held} test)"
    say(quiet, f"{out}: {counts}, {len(info.skeleton.joints)} joints, {info.width}x{info.height}")


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


def main() -> None:
    """Entry point."""
    run_command(app)
