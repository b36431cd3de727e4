"""A few labelled pictures of one character, given one by one: ``--reference`` and ``--keypoints``."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .drawings import Drawings, read_charactergan, read_keypoints, read_skeleton
from .errors import UserError
from .skeletons import CANONICAL25, Skeleton, canonical_name
from .video_io import STILL_SUFFIXES, natural_key, read_picture

SKELETON_FILE = "keypoints_skeleton.csv"


def read_labelled_pictures(pictures: Sequence[Path | str], keypoints: Sequence[Path | str] = ()) -> Drawings:
    """Read pictures and where their joints are.

    Args:
        pictures: files, or folders of them. One CharacterGAN folder (temporal_gan.drawings) needs no keypoints.
        keypoints: CSV files of rows ``label,x,y[,file]``, pixels, the middle of the first one 0: one for all pictures,
            or one for each in their order, which then need no file names. Labels are joints of canonical25 in any
            spelling (``Left-Hand``, ``left wrist``), or of the ``keypoints_skeleton.csv`` beside the CSV.
        Rows of other files are passed over.
    Returns:
        the pictures in the order given; joints without a row have confidence 0.
    Raises:
        UserError: a file is missing or wrong (its line is named), or a picture has no keypoint.
    """
    places = [Path(p) for p in pictures]
    if not keypoints:
        if len(places) == 1 and (places[0] / "keypoints.csv").is_file():
            return read_charactergan(places[0])
        raise UserError(
            f"--reference {places[0]}: where are its joints? give --keypoints points.csv with rows label,x,y in "
            "pixels, or a folder of drawings with keypoints.csv in it"
        )
    files = [file for place in places for file in _files(place)]
    tables = [Path(k) for k in keypoints]
    if len(tables) not in (1, len(files)):
        raise UserError(
            f"--keypoints: {len(tables)} files for {len(files)} pictures; give one for all or one for each"
        )
    names = [f.name for f in files]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise UserError(f"--reference: two pictures are named {twice!r}")
    skeletons = [_skeleton(table) for table in tables]
    if any(s != skeletons[0] for s in skeletons):
        raise UserError("--keypoints: the files are of different skeletons")
    skeleton = skeletons[0]
    pixels = tuple(read_picture(f) for f in files)
    sizes = {name: picture.shape[1::-1] for name, picture in zip(names, pixels, strict=True)}
    points = np.zeros((len(files), len(skeleton.joints), 2), np.float32)
    confidence = np.zeros(points.shape[:2], np.float32)
    plain = canonical_name if skeleton == CANONICAL25 else str
    for number, table in enumerate(tables):
        own = names[number] if len(tables) == len(files) else None
        read, sure = read_keypoints(table, skeleton, sizes, own, plain, skip_others=True)
        points, confidence = np.where(sure[..., None] > 0, read, points), np.maximum(confidence, sure)
    for name, sure in zip(names, confidence, strict=True):
        if not sure.any():
            raise UserError(f"--keypoints {tables[0]}: no row for the picture {name!r}")
    return Drawings(tuple(files), skeleton, pixels, points, confidence)


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise UserError(f"--reference {place}: no such picture or folder")
    found = [f for f in place.iterdir() if f.suffix.lower() in STILL_SUFFIXES and not f.name.startswith(".")]
    if not found:
        raise UserError(f"--reference {place}: no pictures in this folder")
    return sorted(found, key=lambda f: natural_key(f.name))


def _skeleton(table: Path) -> Skeleton:
    return read_skeleton(table.parent) if (table.parent / SKELETON_FILE).is_file() else CANONICAL25
