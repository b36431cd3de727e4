"""``temporal-gan-preprocess import`` and ``export``: labelled data in other people's formats."""

from pathlib import Path
from typing import Annotated

import typer

from temporal_gan.command_line import Quiet, say
from temporal_gan.data.manifest import StoreInfo

from .export import Format, export_store
from .importers.charactergan import import_charactergan
from .importers.coco import read_coco
from .importers.label_table import read_label_table
from .importers.labelled_media import About, media_size, write_labelled_media
from .importers.mediapipe import read_mediapipe
from .importers.openpose import read_openpose
from .importers.shards import import_shards
from .label_track import LabelTrack

imports = typer.Typer(help="Turn a data set in another format into a clip store.", no_args_is_help=True)

Media = Annotated[
    Path, typer.Option(metavar="MEDIA", help="The pictures or videos: one, or a folder that the labels name.")
]
Out = Annotated[Path, typer.Option(metavar="STORE", help="Folder of the new store.")]
HoldOut = Annotated[str, typer.Option(metavar="FILE,FILE", help="Media for the test split; others train.")]
Licence = Annotated[str, typer.Option(help="Licence of the media, for the store's record.")]
Character = Annotated[str, typer.Option(help="Whom the media show; else their folder's name.")]


@imports.command()
def openpose(
    labels: Annotated[
        Path, typer.Argument(metavar="DIR", help="JSON files of one clip, or a folder of them for each clip.")
    ],
    media: Media,
    out: Out,
    hold_out: HoldOut = "",
    licence: Licence = "",
    character: Character = "",
    quiet: Quiet = False,
) -> None:
    """Import OpenPose JSON with 18 or 25 body points, also as DWPose and the ControlNet editors write it.

    The largest of several people is taken. The result is canonical25; there is no expression.

    Example: temporal-gan-preprocess import openpose poses/dance --media dance.mp4 --out stores/dance
    """
    tracks = read_openpose(labels, lambda name: media_size(media, name))
    _write(tracks, media, out, hold_out, licence, character, quiet)


@imports.command()
def coco(
    labels: Annotated[Path, typer.Argument(metavar="JSON", help="An annotation file.")],
    media: Media,
    out: Out,
    hold_out: HoldOut = "",
    licence: Licence = "",
    character: Character = "",
    quiet: Quiet = False,
) -> None:
    """Import COCO keypoints or COCO-WholeBody; images with video_id and frame_id become clips.

    COCO's 17 joints become canonical25, any other category keeps its own. The largest of several people is taken.

    Example: temporal-gan-preprocess import coco annotations.json --media images --out stores/people
    """
    _write(read_coco(labels), media, out, hold_out, licence, character, quiet)


@imports.command()
def mediapipe(
    labels: Annotated[Path, typer.Argument(metavar="JSON", help="Frames with pose_landmarks.")],
    media: Media,
    out: Out,
    hold_out: HoldOut = "",
    licence: Licence = "",
    character: Character = "",
    quiet: Quiet = False,
) -> None:
    """Import MediaPipe landmarks and blendshapes of one clip.

    The file is {"frames": [{"frame": 0, "pose_landmarks": [{"x", "y", "visibility"}, 33 of them],
    "face_blendshapes": {"jawOpen": 0.3}, "hand_landmarks": {"left": [21 of x, y], "right": [21]}}]}; what was not
    looked for may be missing.

    Example: temporal-gan-preprocess import mediapipe dance.json --media dance.mp4 --out stores/dance
    """
    _write(read_mediapipe(labels), media, out, hold_out, licence, character, quiet)


@imports.command()
def csv(
    labels: Annotated[Path, typer.Argument(metavar="CSV", help="A table, or a folder of <clip>.csv.")],
    media: Media,
    out: Out,
    hold_out: HoldOut = "",
    licence: Licence = "",
    character: Character = "",
    quiet: Quiet = False,
) -> None:
    """Import our own table: rows frame,name,x,y (fractions of the picture), and expressions if you like.

    Columns: frame, kind (joint, expression, frame ...), name, other, x, y, value, confidence, layer, time, hold,
    origin; an export shows them all.

    Example: temporal-gan-preprocess import csv dance.csv --media dance.mp4 --out stores/dance
    """
    _write(read_label_table(labels), media, out, hold_out, licence, character, quiet)


@imports.command()
def charactergan(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Drawings with keypoints.csv and its two companions.")
    ],
    out: Out,
    hold_out: HoldOut = "",
    licence: Licence = "",
    quiet: Quiet = False,
) -> None:
    """Import drawings with hand-set keypoints in CharacterGAN's format.

    Example: temporal-gan-preprocess import charactergan drawings/dino --out stores/dino --hold-out "Walk
    (3).jpeg"
    """
    names = _names(hold_out)
    info = import_charactergan(folder, out, names, licence)
    held = len(set(names))
    counts = f"{info.clips} drawings ({info.clips - held} train, {held} test)"
    say(quiet, f"{out}: {counts}, {len(info.skeleton.joints)} joints, {info.width}x{info.height}")


@imports.command()
def webdataset(
    shards: Annotated[Path, typer.Argument(metavar="DIR", help="Shards of our export, or one of them.")],
    out: Out,
    quiet: Quiet = False,
) -> None:
    """Import shards that export wrote: the same store again.

    Example: temporal-gan-preprocess import webdataset shards --out stores/copy
    """
    _say(quiet, out, import_shards(shards, out))


def export(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="A clip store.")],
    kind: Annotated[Format, typer.Option("--format", help="What to write; see above.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder.")],
    quiet: Quiet = False,
) -> None:
    """Write a store in another format, whole or not at all.

    openpose: 25 joints with confidence, of canonical25 only.

    coco: joints of any skeleton with confidence.

    coco-wholebody: 17 joints and the feet with confidence, of canonical25 only.

    charactergan: joints of any skeleton, there or not, its depth layers, a picture a frame.

    csv: all labels.

    webdataset: everything, also splits, licences and exact flow.

    Only the last two hold expression, a frame's own depth layers, held drawings, times and origins.

    Example: temporal-gan-preprocess export stores/dino --format coco --out coco/dino
    """
    export_store(store, kind, out, quiet)
    say(quiet, f"{out}: {kind} of {store}")


def _write(
    tracks: dict[str, LabelTrack],
    media: Path,
    out: Path,
    hold_out: str,
    licence: str,
    character: str,
    quiet: bool,
) -> None:
    about = About(_names(hold_out), licence, character)
    _say(quiet, out, write_labelled_media(tracks, media, out, about, quiet))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _say(quiet: bool, out: Path, info: StoreInfo) -> None:
    size = f"{info.width}x{info.height}"
    joints = f"{len(info.skeleton.joints)} joints ({info.skeleton.name})"
    say(quiet, f"{out}: {info.clips} clips, {info.frames} frames, {joints}, {size}")
