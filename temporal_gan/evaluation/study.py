"""``study make``: folders of clips by several methods to one web page that asks people which they prefer."""

import base64
import hashlib
import itertools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import rng
from ..data.store import Store
from ..errors import UserError
from ..pages import page_template
from ..video_io import Frames, natural_key, read_frames
from .clip_sources import find_clips
from .results import write_atomically
from .study_clips import broken_copy, data_uri, equal_clips
from .study_key import Kind, StudyItem, StudyKey, read_key

PAGE_LIMIT = 64 * 2**20
"""Bytes. Larger pages are hard to send and slow to open on a phone."""

QUESTIONS: dict[str, str] = {
    "2afc": "Which clip moves more naturally?",
    "mos": "How good does this clip look in motion?",
}
RATING_WORDS = ("bad", "poor", "fair", "good", "excellent")
"""Five-point absolute category rating of ITU-T P.910 (2023)."""

_DECIDING_S = 4.0


@dataclass(frozen=True)
class Study:
    """What was made.

    Attributes:
        key: content of the key file.
        key_path: where it is.
        clips: names of the clips, shown by every method.
        left_out: clips that not every method has.
        bytes: size of the page.
    """

    key: StudyKey
    key_path: Path
    clips: list[str]
    left_out: list[str]
    bytes: int


def make_study(
    methods: dict[str, Path],
    out: Path,
    kind: Kind = "2afc",
    question: str = "",
    trials: int = 40,
    checks: int = 5,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Study:
    """Write the page, and its key beside it (``page.html`` -> ``page.key.json``).

    Args:
        methods: name -> a folder of clips, a clip store or one clip; clips are paired by name.
        out: the .html file.
        kind: 2afc shows two methods' versions of a clip; mos shows one clip and asks for a rating.
        question: plain text; empty: the usual one.
        trials: how many a rater sees at most, without the checks; each rater starts elsewhere.
        checks: attention checks, a clip of the first method against (mos: only) a frozen, noisy copy of it.
        seed: of ids, order and noise; the same call writes the same bytes.
        progress: told (clips done, clips in all).
    Raises:
        UserError: too few methods, no common clips, clips that cannot be compared, a page above 64 MB, or a file in
            the way whose answers would be lost.
        StoreError: a clip cannot be read; it is named.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"--out {out}: expected a file ending in .html")
    if out.is_dir():
        raise UserError(f"--out {out}: is a folder, expected a file to write")
    if len(methods) < (2 if kind == "2afc" else 1):
        raise UserError(
            f"--method: {len(methods)} given, a 2afc study compares two or more: --method ours=A --method other=B"
        )
    question = question.strip() or QUESTIONS[kind]
    places = {name: find_clips(folder) for name, folder in methods.items()}
    everywhere = set.intersection(*(set(found) for found in places.values()))
    names = sorted(everywhere, key=natural_key)
    if not names:
        listing = ", ".join(f"{name} has {next(iter(found))!r}" for name, found in places.items())
        raise UserError(f"no clip has the same name in every folder ({listing}, for example)")
    left_out = sorted(set().union(*places.values()) - everywhere, key=natural_key)

    generator = rng.numpy_generator(seed, "study")
    checked = [names[i % len(names)] for i in generator.permutation(max(checks, len(names)))[:checks]]
    ids = _ids(len(names) * len(methods) + len(set(checked)), generator)
    items: dict[str, StudyItem] = {}
    uris: dict[str, str] = {}
    seconds, size = 0.0, 0
    for done, clip in enumerate(names):
        progress(done, len(names))
        versions = [(_name(places[method][clip]), _read(places[method][clip])) for method in methods]
        videos, fps = equal_clips(versions)
        shown = list(zip(methods, videos, [False] * len(videos), strict=True))
        if clip in checked:
            shown.append((next(iter(methods)), broken_copy(videos[0], generator), True))
        for method, video, broken in shown:
            name = next(ids)
            items[name] = StudyItem(method=method, clip=clip, broken=broken)
            uris[name] = data_uri(video, fps)
            size += len(uris[name])
        if size > PAGE_LIMIT:
            raise UserError(
                f"{out}: the page would be larger than {PAGE_LIMIT >> 20} MB after {done + 1} of {len(names)} clips; "
                "use fewer, shorter or smaller clips"
            )
        seconds += len(videos[0]) / fps / len(names)
    progress(len(names), len(names))

    find = {(item.method, item.clip, item.broken): name for name, item in items.items()}
    listed = _trials(kind, list(methods), names, find, generator)
    shown_trials = min(trials, len(listed))
    for clip in checked:
        pair = [find[next(iter(methods)), clip, False], find[next(iter(methods)), clip, True]]
        listed.append([str(name) for name in generator.permutation(pair)] if kind == "2afc" else pair[1:])

    numbers = {clip: i for i, clip in enumerate(generator.permutation(names))}
    data: dict[str, Any] = {
        "kind": kind,
        "shown": shown_trials,
        "checks": checks,
        "trials": [{"clip": numbers[items[trial[0]].clip], "items": trial} for trial in listed],
        # In the order of the ids, which is random: the order they were made in would tell the method.
        "clips": dict(sorted(uris.items())),
    }
    minutes = math.ceil((shown_trials + checks) * (seconds + _DECIDING_S) / 60)
    page, text = _page(data, kind, question, minutes)
    key_path = out.with_suffix(".key.json")
    key = StudyKey(
        page=page,
        kind=kind,
        question=question,
        methods=list(methods),
        items=dict(sorted(items.items())),
        trials=listed,
        checks=checks,
        shown=shown_trials,
    )
    if key_path.exists() and read_key(key_path).page != page:
        raise UserError(
            f"{key_path}: belongs to another study, whose answers need it; choose another --out, or delete it"
        )
    key.write(key_path)
    write_atomically(out, text)
    return Study(key, key_path, names, left_out, len(text.encode()))


def _ids(count: int, generator: np.random.Generator) -> "itertools.chain[str]":
    """Distinct names of eight hexadecimal digits."""
    numbers: dict[int, None] = {}
    while len(numbers) < count:
        numbers[int(generator.integers(0, 2**32))] = None
    return itertools.chain(f"{number:08x}" for number in numbers)


def _trials(
    kind: Kind,
    methods: list[str],
    clips: list[str],
    find: dict[tuple[str, str, bool], str],
    generator: np.random.Generator,
) -> list[list[str]]:
    """All comparisons, in rounds that hold each pair of methods (mos: each method) once, of different clips.

    A rater sees a run of neighbours from a random start (:func:`.study_plan.rater_plan`), so comparisons are
    balanced within every rater, and clips over raters.
    """
    groups = list(itertools.combinations(methods, 2)) if kind == "2afc" else [(m,) for m in methods]
    order = generator.permutation(len(clips))
    listed = []
    for turn in range(len(clips)):
        for number in generator.permutation(len(groups)):
            clip = clips[order[(turn + number * len(clips) // len(groups)) % len(clips)]]
            trial = [find[method, clip, False] for method in groups[number]]
            listed.append([str(name) for name in generator.permutation(trial)])
    return listed


def _page(data: dict[str, Any], kind: Kind, question: str, minutes: int) -> tuple[str, str]:
    """(hash of all that the page shows and does, its HTML)."""
    folder = Path(__file__).parent
    script, style = ((folder / name).read_text(encoding="utf-8") for name in ("study.js", "study.css"))
    template = page_template(Path(__file__).with_name("study.html.jinja"))

    def render(page: str) -> str:
        # Ids, numbers and base64 only: nothing in here can end the script element.
        text = json.dumps({"page": page, **data})
        return template.render(
            data=text,
            script=script,
            style=style,
            script_hash=_csp_hash(script),
            style_hash=_csp_hash(style),
            paired=kind == "2afc",
            question=question,
            steps=data["shown"] + data["checks"],
            minutes=minutes,
            words=RATING_WORDS,
        )

    page = hashlib.sha256(render("").encode()).hexdigest()
    return page, render(page)


def _csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _name(place: Path | tuple[Store, str]) -> str:
    return f"{place[0].path}#{place[1]}" if isinstance(place, tuple) else str(place)


def _read(place: Path | tuple[Store, str]) -> Frames:
    if not isinstance(place, tuple):
        return read_frames(place)
    store, clip = place
    frames, fps = store.frames(clip), store.row(clip).fps or store.info.fps
    return Frames(frames, fps, np.arange(len(frames)) / fps)
