"""Finished clips, put together as a clip store that takes its place in one step."""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from temporal_gan.data.manifest import ORIGINS, OUT_OF_FRAME, ClipLabels, ClipRow
from temporal_gan.data.store_writer import StoreWriter, write_clip_files
from temporal_gan.errors import StoreError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.skeletons import CANONICAL25
from temporal_gan.video_io import read_frames

from .clip import Clip, Expression, Pose
from .clip_task import ClipItem, read_piece
from .cuts import Cut, cut_values, read_cuts, write_cuts
from .decisions import DECISIONS_FILE
from .new_folder import bring_to_disk
from .outcome import OUTCOMES_FILE, Outcome, write_outcomes
from .provenance import write_sources
from .sources_file import SOURCES_FILE
from .work_folder import key_of

RUN_FILE = "run.json"
"""Beside ``store.json`` of a store that a run has made: what it was made from."""
CUTS_FILE = "cuts.csv"
VIDEO = Path("video") / "clip.mkv"
_FIXED = ("store.json", "*.parquet", OUTCOMES_FILE, "video/*", "truth/*")


@dataclass(frozen=True)
class Packed:
    """A clip for the store: its item, its split, and its folder in the work folder."""

    item: ClipItem
    split: str
    piece: Path


@dataclass(frozen=True)
class Contents:
    """Everything that goes into a store.

    Attributes:
        key: of it all, for :func:`is_up_to_date`.
        settings: of the run, for people to read.
        clips: at least one, in the store's order.
        others: outcomes of what is not in the store.
        cuts: of every source, to be corrected by a person; and of other sources what a person has set.
        own_cuts: names of those sources whose cuts a person has set, for :func:`kept_cuts`.
        decisions: the file of a person's decisions, which stays with the store; or None.
    """

    key: str
    settings: dict[str, object]
    clips: Sequence[Packed]
    others: Sequence[Outcome]
    cuts: Mapping[str, Sequence[Cut]]
    own_cuts: Collection[str]
    decisions: Path | None


def is_up_to_date(out: Path, key: str) -> bool:
    """Whether a store lies there that was made from just this, every file as long as it was."""
    run = _read_run(out)
    return (out / "store.json").is_file() and run.get("key") == key and run.get("files") == _files_key(out)


def kept_cuts(out: Path) -> dict[str, list[Cut]]:
    """Source name -> cuts, where a store's ``CUTS_FILE`` holds a person's: those the last run was given, and sources
    whose lines have been changed since. Raises UserError where the file is wrong."""
    found = _read_run(out).get("found_cuts")
    if not isinstance(found, dict) or not (out / CUTS_FILE).is_file():
        return {}
    cuts = read_cuts(out / CUTS_FILE)
    return {source: own for source, own in cuts.items() if _digest(own) != found.get(source)}


def check_place(out: Path) -> None:
    """Make the folders above a store.

    Raises:
        StoreError: something lies there that a run has not made, which is not ours to replace; or nothing can be
            written there, which is better known before the work than after it.
    """
    try:
        str(out).encode()
    except UnicodeEncodeError:
        raise StoreError(f"{str(out)!a}: the name is not UTF-8; name another folder") from None
    old = _beside(out, "old")
    if old.is_dir() and not out.exists():
        # Ended between the two renames.
        os.replace(old, out)
    elif old.is_dir():
        _discard(old, out)
    if out.exists() and not out.is_dir():
        raise StoreError(f"{out}: is a file, and a store is a folder; name another place")
    if out.is_dir() and any(out.iterdir()) and not _read_run(out).get("key"):
        raise StoreError(
            f"{out}: holds something that this command did not make; name another folder or remove it"
        )
    above = out.absolute().parent
    above.mkdir(parents=True, exist_ok=True)
    if not os.access(above, os.W_OK):
        raise StoreError(f"{out}: nothing can be written in {above}; name another folder")


def pack(out: Path, contents: Contents, each: Callable[[], None]) -> None:
    """Write the store beside its place, then put it there.

    Args:
        out: folder of the store; one that a run has made before is replaced.
        contents: what goes in.
        each: called after each clip.
    Raises:
        StoreError: the disk is full or not writable; an older store stays.
    """
    room = _beside(out, "part")
    shutil.rmtree(room, ignore_errors=True)
    try:
        _fill(room, contents, each)
        bring_to_disk(room)
        old = _beside(out, "old")
        if out.exists():
            os.replace(out, old)
        os.replace(room, out)
        if old.exists():
            _discard(old, out)
    except OSError as error:
        raise StoreError(
            f"{out}: cannot be written ({error.strerror or error}); every finished clip is kept, make room and repeat"
        ) from None
    finally:
        # A full disk is no place to leave half a store on.
        shutil.rmtree(room, ignore_errors=True)


def _fill(room: Path, contents: Contents, each: Callable[[], None]) -> None:
    """Write a whole store into a folder that is not there yet."""
    # Two passes over the labels, so that a hundred thousand clips' are never in memory together.
    facts = [dict(read_piece(packed.piece, packed.item).facts) for packed in contents.clips]
    channels = int(max(fact["channels"] for fact in facts))
    size = int(facts[0]["width"]), int(facts[0]["height"])
    rates = Counter(fact["fps"] for fact in facts)
    common = max(rates, key=lambda rate: (rates[rate], rate))
    outcomes = list(contents.others)
    with StoreWriter(room, CANONICAL25, EXPRESSIONS, common, size, channels) as writer:
        for packed in contents.clips:
            clip = read_piece(packed.piece, packed.item)
            truth = _bring_files(packed, clip, room, channels)
            writer.add_files(_row(clip, packed.split), clip_labels(clip), truth)
            outcomes.append(_kept(clip))
            each()
    write_outcomes(room, sorted(outcomes, key=lambda o: (o.source, o.clip)))
    sources = {packed.item.source.name: packed.item.source for packed in contents.clips}
    write_sources(room / SOURCES_FILE, [sources[name] for name in sorted(sources)])
    write_cuts(room / CUTS_FILE, contents.cuts)
    if contents.decisions is not None:
        shutil.copyfile(contents.decisions, room / DECISIONS_FILE)
    found = {name: _digest(cuts) for name, cuts in contents.cuts.items() if name not in contents.own_cuts}
    run = {
        "key": contents.key, "files": _files_key(room), "settings": contents.settings, "found_cuts": found
    }  # fmt: skip
    (room / RUN_FILE).write_text(
        json.dumps(run, indent=1, sort_keys=True, ensure_ascii=False), encoding="utf-8"
    )


def clip_labels(clip: Clip) -> ClipLabels:
    """What the store's table of frames says of a clip. A frame's origin is the one most of its joints have."""
    frames = len(clip.hold)
    pose = clip.pose or Pose.nothing(frames, "")
    expression = clip.expression or Expression.unknown(frames)
    seen = pose.confidence > 0
    low, high = (
        np.where(seen[..., None], 0.0, -OUT_OF_FRAME),
        np.where(seen[..., None], 1.0, 1.0 + OUT_OF_FRAME),
    )
    origins = []
    for t in range(frames):
        joints = pose.origin[t][seen[t]]
        if joints.size:
            origins.append(ORIGINS[int(np.bincount(joints).argmax())])
        else:
            known = (expression.confidence[t] > 0).any()
            origins.append(ORIGINS[int(expression.origin[t])] if known else "detected")
    return ClipLabels(
        keypoints=np.clip(pose.keypoints, low, high).astype(np.float32),
        confidence=pose.confidence.astype(np.float32),
        layer=np.tile(np.array(CANONICAL25.layers, np.int64), (frames, 1)),
        expression=expression.intensity.astype(np.float32),
        expression_confidence=expression.confidence.astype(np.float32),
        time=clip.time,
        hold=clip.hold,
        origin=tuple(origins),
    )


def _row(clip: Clip, split: str) -> ClipRow:
    source = clip.source
    return ClipRow(
        id=clip.id,
        character=source.character,
        split=split,
        source=source.name,
        licence=source.licence,
        author=source.author,
        url=source.url,
        sha256=source.sha256,
        start=clip.start,
        end=clip.end,
        fps=clip.fps,
        flags=clip.flags,
    )


def _kept(clip: Clip) -> Outcome:
    return Outcome(
        source=clip.source.name,
        clip=clip.id,
        state="kept",
        frames=len(clip.hold),
        facts=dict(clip.facts),
        verdicts=dict(Counter(clip.pose.verdict)) if clip.pose is not None else {},
        method=clip.expression.method if clip.expression is not None else "",
    )


def _bring_files(packed: Packed, clip: Clip, room: Path, channels: int) -> bool:
    """Put a clip's files into the store; returns whether it has arrays."""
    (room / "truth").mkdir(exist_ok=True)
    arrays = packed.piece / "truth" / "clip.npz"
    if arrays.is_file():
        _link(arrays, room / "truth" / f"{clip.id}.npz")
    if channels != dict(clip.facts)["channels"]:
        frames = read_frames(packed.piece / VIDEO).frames_u8
        opaque = np.full((*frames.shape[:3], 1), 255, np.uint8)
        write_clip_files(room, clip.id, np.concatenate([frames, opaque], axis=-1), clip.fps, None)
    else:
        _link(packed.piece / VIDEO, room / "video" / f"{clip.id}.mkv")
    return arrays.is_file()


def _link(file: Path, place: Path) -> None:
    """The same bytes under another name: a link where the disk allows it, since neither is ever written to again."""
    try:
        os.link(file, place)
    except OSError:
        shutil.copyfile(file, place)


def _discard(old: Path, out: Path) -> None:
    """Remove a replaced store. Renamed first: one half removed must never be taken for one to bring back."""
    room = _beside(out, "part")
    shutil.rmtree(room, ignore_errors=True)
    os.replace(old, room)
    shutil.rmtree(room, ignore_errors=True)


def _beside(out: Path, suffix: str) -> Path:
    return out.with_name(f".{out.name}.{suffix}")


def _digest(cuts: Sequence[Cut]) -> str:
    return hashlib.sha256(json.dumps(cut_values(cuts)).encode()).hexdigest()[:16]


def _files_key(out: Path) -> str:
    """Of the names and sizes of all files but those that people or later commands write."""
    files = [file for pattern in _FIXED for file in out.glob(pattern)]
    return key_of(sorted((file.relative_to(out).as_posix(), file.stat().st_size) for file in files))


def _read_run(out: Path) -> dict[str, object]:
    """What lies in ``RUN_FILE``; nothing where that is not one of ours."""
    try:
        run = json.loads((out / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return run if isinstance(run, dict) else {}
