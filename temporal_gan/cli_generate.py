"""``temporal-gan generate``: a pose, an expression and a character to a clip."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from .command_line import Quiet, say
from .errors import UserError
from .inference.animator import load_animator
from .inference.background import lay_on_background
from .inference.weights_file import SHIPPED
from .labelled_pictures import read_labelled_pictures
from .video_io import write_frames


def generate(
    animator: Annotated[
        str, typer.Option(metavar="FILE|RUN", help="animator.safetensors or its run; base: the shipped one.")
    ] = SHIPPED,
    pose: Annotated[
        str, typer.Option(metavar="SRC", help="STORE#clip, motion:NAME, OpenPose JSON folder, BVH file.")
    ] = "",
    expression: Annotated[
        str | None, typer.Option(metavar="SPEC", help="happy, happy:0.8, happy>sad, a CSV.")
    ] = None,
    character: Annotated[str | None, typer.Option(metavar="NAME", help="Who; default: the first.")] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="IMG|DIR", help="Someone it never saw: a picture, or several; a drawings folder."
        ),
    ] = None,
    keypoints: Annotated[
        list[Path] | None,
        typer.Option(metavar="CSV", help="The reference's joints: rows label,x,y[,file] in pixels."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help=".mp4 .gif .webm .webp, or a PNG folder.")
    ] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Length; default: the pose's own.")] = None,
    fps: Annotated[
        float | None, typer.Option(min=0.1, max=240, help="Playback speed; default: as trained.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=8, max=4096, help="Pixels per side; default: as trained.")
    ] = None,
    background: Annotated[str, typer.Option(metavar="white|none|IMG", help="none keeps alpha.")] = "none",
    seed: Annotated[int, typer.Option(help="Of the clip's noise and a motion's variation.")] = 0,
    list_characters: Annotated[bool, typer.Option("--list-characters", help="Print names and end.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    quiet: Quiet = False,
) -> None:
    """Animate a character with a trained network, or anybody from labelled pictures.

    Example: temporal-gan generate --pose motion:wave --character hana --expression happy --out wave.mp4

    Example: temporal-gan generate --reference drawing.png --keypoints points.csv --pose motion:walk --out walk.gif
    """
    if reference and character is not None:
        raise UserError("--reference and --character: give one, the other says who as well")
    if keypoints and not reference:
        raise UserError("--keypoints are of the pictures that --reference names; give both")
    if list_characters:
        typer.echo("\n".join(load_animator(animator).characters))
        return
    if not pose or out is None:
        raise UserError("--pose and --out are both needed, for example: --pose motion:wave --out wave.mp4")
    made_by = load_animator(animator, device)
    if reference:
        trained = made_by.generator.domain.skeleton
        made_by = made_by.of(read_labelled_pictures(reference, keypoints or ()))
        if made_by.generator.domain.skeleton.joints != trained.joints:
            say(
                quiet,
                f"a skeleton other than {trained.name}: only the warp is used, nothing learned; `temporal-gan fewshot` "
                "trains on such drawings",
            )
        assert made_by.newcomer is not None
        for name in made_by.newcomer.opaque:
            say(quiet, f"{name}: its background is not plain, so it moves with the figure")
    pieces = [
        lay_on_background(piece, background)
        for piece in made_by.stream(pose, expression, character, frames, size, seed)
    ]
    clip = np.concatenate([(p * 255).round().byte().permute(0, 2, 3, 1).numpy() for p in pieces])
    write_frames(out, clip, fps or made_by.fps)
    say(quiet, f"{out}: {len(clip)} frames of {clip.shape[2]}x{clip.shape[1]}")
