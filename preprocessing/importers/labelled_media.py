"""Media and the labels that were read for them -> clip store."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from rich.progress import track as progress

from temporal_gan.data.drawing_store import clip_ids
from temporal_gan.data.manifest import ClipLabels, ClipRow, StoreInfo, sha256_of
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.drawings import did_you_mean
from temporal_gan.errors import UserError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.skeletons import Skeleton
from temporal_gan.video_io import STILL_SUFFIXES, VIDEO_SUFFIXES, Frames, natural_key, read_frames

from ..label_track import LabelTrack
from ..labels import check_fit
from ..new_folder import check_new_folder, new_folder
from .whole_clip import read_whole

_ROUNDING = 0.001
"""Seconds."""


@dataclass(frozen=True)
class About:
    """What a person says of all the media.

    Attributes:
        hold_out: names of the media for the test split, as the labels give them; all others train.
        licence: "" = unknown.
        character: whom they show; "" = named as the media's folder or file.
    """

    hold_out: Sequence[str] = ()
    licence: str = ""
    character: str = ""


def media_file(media: Path, name: str) -> Path:
    """The file or folder of pictures that labels are for.

    Args:
        media: one file or folder of pictures, or a folder of them.
        name: relative to ``media``, with or without the suffix; "" = ``media`` itself.
    Raises:
        UserError: it is not there, or several files have this name and other suffixes.
    """
    if not media.exists():
        raise UserError(f"{media}: no such file or folder of media")
    if not name or media.is_file():
        return media
    file = media / name
    if file.exists():
        return file
    suffixes = (*VIDEO_SUFFIXES, *STILL_SUFFIXES)
    found = [f for f in (file.with_name(file.name + suffix) for suffix in suffixes) if f.is_file()]
    if not found:
        near = [f.stem for f in file.parent.iterdir()] if file.parent.is_dir() else []
        raise UserError(
            f"{file}: no such picture, video or folder of pictures, but there are labels for it"
            f"{did_you_mean(file.name, near)}"
        )
    if len(found) > 1:
        raise UserError(f"{found[0]}: the labels may be for it or for {found[1].name}; remove one of the two")
    return found[0]


def media_size(media: Path, name: str) -> tuple[int, int]:
    """Width and height in pixels of what labels are for. Raises as :func:`media_file` and :func:`read_whole`."""
    height, width = read_whole(media_file(media, name), media).frames_u8.shape[1:3]
    return width, height


def write_labelled_media(
    tracks: dict[str, LabelTrack], media: Path, out: Path, about: About, quiet: bool = False
) -> StoreInfo:
    """Write a store with one clip per source, at its own size, or nothing.

    Args:
        tracks: of every source, by its name below ``media``; all of one skeleton.
        media: see :func:`media_file`.
        out: folder of the new store.
        about: see :class:`About`.
        quiet: no progress bar.
    Returns:
        the store's description. Frames without labels have confidence 0.
    Raises:
        UserError: media that are missing, labels of frames that are not there, two skeletons, names to hold out that
            are none or leave none to train on.
        StoreError: media that cannot be decoded, or ``out`` in use; see also :func:`read_whole`.
    """
    check_new_folder(out)
    names = sorted(tracks, key=natural_key)
    if len(names) > 1 and media.is_file():
        raise UserError(
            f"{media}: is one file, but there are labels of {len(names)}; give the folder they are in"
        )
    files = {name: media_file(media, name) for name in names}
    skeleton = _one_skeleton(tracks)
    titles = {name: name or media.name for name in names}
    _check_hold_out(about.hold_out, list(titles.values()))
    sizes, rates, alpha = set(), [], False
    for name in progress(names, "reading", disable=quiet):
        clip = read_whole(files[name], media)
        frames = clip.frames_u8
        rates.append(clip.fps)
        check_fit(tracks[name], len(frames), (frames.shape[2], frames.shape[1]), str(files[name]))
        sizes.add((frames.shape[2], frames.shape[1]))
        alpha |= frames.shape[-1] == 4
    channels, size = 4 if alpha else 3, sizes.pop() if len(sizes) == 1 else None
    paths = [PurePosixPath(_without_suffix(titles[name])) for name in names]
    with (
        new_folder(out) as folder,
        StoreWriter(folder, skeleton, EXPRESSIONS, rates[0], size, channels) as writer,
    ):
        for name, clip_id in zip(progress(names, "writing", disable=quiet), clip_ids(paths), strict=True):
            file, clip = files[name], read_frames(files[name])
            labels = _labels(tracks[name], clip)
            row = ClipRow(
                id=clip_id,
                character=about.character or media.resolve().stem,
                split="test" if titles[name] in about.hold_out else "train",
                source=titles[name],
                licence=about.licence,
                sha256=sha256_of(file) if file.is_file() else "",
                end=float(labels.time[-1] - labels.time[0] + 1 / clip.fps),
                fps=clip.fps,
            )
            pixels = clip.frames_u8
            if channels == 4 and pixels.shape[-1] == 3:
                pixels = np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], axis=-1)
            opaque = file.suffix.lower() == ".mp4" and channels == 3
            writer.add_clip(row, pixels, labels, video_file=file if opaque else None)
        return writer.close()


def _without_suffix(name: str) -> str:
    known = PurePosixPath(name).suffix.lower() in (*VIDEO_SUFFIXES, *STILL_SUFFIXES)
    # clip_ids takes the stem: a dot that is no suffix's must stay.
    return name if known else f"{name}."


def _one_skeleton(tracks: dict[str, LabelTrack]) -> Skeleton:
    by_skeleton = {track.skeleton: name for name, track in tracks.items()}
    if len(by_skeleton) > 1:
        first, second = list(by_skeleton.items())[:2]
        raise UserError(
            f"labels of {first[1]!r} have skeleton {first[0].name} of {len(first[0].joints)} joints, those of "
            f"{second[1]!r} have {second[0].name} of {len(second[0].joints)}; import them into two stores"
        )
    return next(iter(by_skeleton))


def _check_hold_out(hold_out: Sequence[str], names: Sequence[str]) -> None:
    for name in hold_out:
        if name not in names:
            raise UserError(f"--hold-out: no labels for {name!r}{did_you_mean(name, names)}")
    if set(names) <= set(hold_out):
        raise UserError(f"--hold-out: all {len(names)} clips are held out, so none is left to train on")


def _times(clip: Frames) -> np.ndarray:
    """Even times where the file's own differ from them by no more than its rounding (Matroska counts milliseconds)."""
    even = np.arange(len(clip.times)) / clip.fps
    return even if np.abs(clip.times - even).max() <= _ROUNDING else clip.times


def _labels(track: LabelTrack, clip: Frames) -> ClipLabels:
    """Labels of every frame of a clip; those of frames without any are empty."""
    count, joints = len(clip.frames_u8), len(track.skeleton.joints)
    whole = len(track.frame) == count
    keypoints = np.full((count, joints, 2), 0.5, np.float32)
    confidence = np.zeros((count, joints), np.float32)
    layer = np.tile(np.array(track.skeleton.layers, np.int64), (count, 1))
    expression, sure = np.zeros((2, count, len(EXPRESSIONS)), np.float32)
    origin = np.full(count, "imported", object)
    keypoints[track.frame], confidence[track.frame] = track.keypoints, track.confidence
    origin[track.frame] = track.origins()
    if track.layer is not None:
        layer[track.frame] = track.layer
    if track.expression is not None and track.expression_confidence is not None:
        expression[track.frame], sure[track.frame] = track.expression, track.expression_confidence
    return ClipLabels(
        keypoints=keypoints,
        confidence=confidence,
        layer=layer,
        expression=expression,
        expression_confidence=sure,
        time=track.time if whole and track.time is not None else _times(clip),
        hold=track.hold if whole and track.hold is not None else np.arange(count),
        origin=tuple(origin),
    )
