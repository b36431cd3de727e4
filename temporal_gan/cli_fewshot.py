"""``temporal-gan fewshot``: a few labelled drawings to an animator."""

from pathlib import Path
from typing import Annotated

import typer

from .command_line import Quiet, going_on_when_repeated
from .errors import UserError
from .fewshot import FewShot, run_few_shot
from .inference.weights_file import SHIPPED


def fewshot(
    drawings: Annotated[
        Path, typer.Argument(metavar="DRAWINGS", help="Drawings with keypoints.csv and its two companions.")
    ],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Run folder; an existing run goes on.")],
    minutes: Annotated[float, typer.Option(min=0.01, help="Train for this time, in this call.")] = 15.0,
    size: Annotated[
        str, typer.Option(metavar="native|PIXELS", help="Of the network; native: no drawing is scaled.")
    ] = "native",
    hold_out: Annotated[
        str, typer.Option(metavar="FILE,FILE", help="Not trained on; made again in RUN/held_out.")
    ] = "",
    animate: Annotated[
        Path | None, typer.Option(metavar="LIST", help="Drawings to move through, a name a line.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Train for so many steps at most.")] = None,
    start: Annotated[
        str, typer.Option(metavar="base|none|FILE|RUN", help="An animator whose weights to start from.")
    ] = SHIPPED,
    quiet: Quiet = False,
) -> None:
    """Make an animator of one character from 8 to 15 labelled drawings, of any skeleton.

    Repeating the command goes on training. Writes RUN/animator.safetensors, RUN/held_out, RUN/animation.gif and .mp4.

    Example: temporal-gan fewshot drawings/dino --out runs/dino --hold-out "Walk (3).jpeg" --animate animation_list.txt
    """
    if size != "native" and not size.isdigit():
        raise UserError(f"--size {size!r}: expected native, or a number of pixels such as 128")
    wanted = FewShot(
        drawings=drawings,
        out=out,
        hold_out=tuple(name.strip() for name in hold_out.split(",") if name.strip()),
        minutes=minutes,
        size=None if size == "native" else int(size),
        animate=animate,
        steps=steps,
        start=None if start == "none" else start,
        quiet=quiet,
    )
    with going_on_when_repeated():
        run_few_shot(wanted)
