"""Numbered pictures that belong together, though they are no whole clip."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path, PurePath, PurePosixPath

from temporal_gan.errors import StoreError
from temporal_gan.video_io import STILL_SUFFIXES

from .media_limits import MediaLimits, check_file
from .outcome import told_without_folder
from .picture_media import NUMBERED, PictureFile

_LEAST = 3
"""Pictures that make a clip of which something is missing; two are just two pictures."""


def sequence_flaw(files: Sequence[Path], limits: MediaLimits) -> str:
    """What keeps the pictures of a folder from being one clip, where they were most likely meant to be.

    That is so where at least three of one kind and size have names that differ in their last number alone, in even
    steps of which more than half are there.

    Args:
        files: that :func:`.picture_media.is_sequence` takes for stills.
        limits: for every picture.
    Returns:
        what is missing or too many, and what to do; "" where they are stills.
    """
    clips = [group for group in _by_kind(files).values() if _is_clip(group)]
    for group in clips:
        sizes = set()
        for file in group.values():
            try:
                check_file(file, limits)
                picture = PictureFile(file, limits)
            except StoreError as error:
                reason = told_without_folder(str(error), file, file.name)
                return f"its frame {file.name}: {reason}; put a whole one in its place"
            sizes.add(picture.shown_size())
            picture.close()
        if len(sizes) > 1 or None in sizes:
            return ""
    if not clips:
        return ""
    first, last = (file.name for file in (list(clips[0].values())[0], list(clips[0].values())[-1]))
    if len(clips) > 1:
        other = next(iter(clips[1].values())).name
        return f"holds frames of several clips ({first}, {other}, ...); give each a folder of its own"
    missing = [number for number in _expected(clips[0]) if number not in clips[0]]
    if missing:
        more = f" and {len(missing) - 1} more are" if len(missing) > 1 else " is"
        name = _named(next(iter(clips[0].values())), missing[0])
        return (
            f"{name}{more} missing among {first} to {last}; add what is missing, number the frames anew, "
            "or, if they are no clip, give them names without numbers"
        )
    strangers = [file.name for file in files if file not in clips[0].values()]
    if strangers:
        return f"{strangers[0]} lies among the frames of a clip, {first} to {last}; move it to another folder"
    return ""


def same_sequence(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of names of stills in one folder that differ in their last number alone: maybe drawings of one motion.

    Args:
        names: of sources.
    Returns:
        pairs that join all which belong together.
    """
    paths = [PurePosixPath(name) for name in sorted(names)]
    stills = [path for path in paths if path.suffix.lower() in STILL_SUFFIXES]
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in stills:
        kind = _kind(path)
        if kind:
            groups[str(path.parent), *kind].append(str(path))
    return [pair for group in groups.values() for pair in pairwise(group)]


def _kind(file: PurePath) -> tuple[str, str, str] | None:
    """All of a name but its number; None where it has none."""
    name = NUMBERED.fullmatch(file.stem)
    return (name[1], name[3], file.suffix.lower()) if name else None


def _number(file: Path) -> int:
    name = NUMBERED.fullmatch(file.stem)
    assert name is not None, "only numbered files are asked"
    return int(name[2])


def _named(like: Path, number: int) -> str:
    """The name of the frame of another number."""
    name = NUMBERED.fullmatch(like.stem)
    assert name is not None, "only numbered files are asked"
    return f"{name[1]}{number:0{len(name[2])}d}{name[3]}{like.suffix}"


def _by_kind(files: Sequence[Path]) -> dict[tuple[str, str, str], dict[int, Path]]:
    """Number -> file, in order of the numbers, of each kind of name; a kind with a number twice is left out."""
    groups: dict[tuple[str, str, str], list[Path]] = defaultdict(list)
    for file in files:
        kind = _kind(file)
        if kind:
            groups[kind].append(file)
    numbered = {
        kind: {_number(file): file for file in sorted(own, key=_number)} for kind, own in groups.items()
    }
    return {kind: own for kind, own in numbered.items() if len(own) == len(groups[kind])}


def _expected(group: dict[int, Path]) -> range:
    numbers = list(group)
    step = min(b - a for a, b in pairwise(numbers))
    return range(numbers[0], numbers[-1] + 1, step)


def _is_clip(group: dict[int, Path]) -> bool:
    if len(group) < _LEAST:
        return False
    expected = _expected(group)
    return all(number in expected for number in group) and 2 * len(group) > len(expected)
