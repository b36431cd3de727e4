"""Small studies and simulated raters, for the tests of the study kit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from temporal_gan.evaluation.study import Study, make_study
from temporal_gan.evaluation.study_key import StudyItem, StudyKey
from temporal_gan.evaluation.study_plan import rater_seed
from temporal_gan.video_io import write_frames

Choose = Callable[[list[StudyItem]], int]
"""What a simulated rater does: the items shown -> 0 left, 1 right; or a rating."""


def clip(number: int, frames: int = 6, size: int = 32, shade: int = 200) -> np.ndarray:
    """A grey square that moves over white: uint8 [T, size, size, 3]."""
    video = np.full((frames, size, size, 3), 255, np.uint8)
    for t in range(frames):
        x = (number + 2 * t) % (size - 8)
        video[t, 8:20, x : x + 8] = (shade, 90, 40)
    return video


def folders(room: Path, methods: tuple[str, ...] = ("ours", "theirs"), clips: int = 3) -> dict[str, Path]:
    """A folder of clips for each method, each method in a shade of its own."""
    for m, method in enumerate(methods):
        for number in range(clips):
            write_frames(room / method / f"walk_{number}.mkv", clip(number, shade=250 - 60 * m), 12)
    return {method: room / method for method in methods}


def small_study(room: Path, **options: Any) -> Study:
    """Two methods, three clips of half a second."""
    return make_study(folders(room), room / "page.html", **options)


def key_without_page(
    methods: int, clips: int, checks: int = 5, kind: str = "2afc", shown: int = 10**6
) -> StudyKey:
    """The key of a study of any size, in no time: nothing is encoded."""
    from temporal_gan.evaluation.study import _trials

    names, stems = [f"m{i}" for i in range(methods)], [f"c{i}" for i in range(clips)]
    items = {f"{m}{c}": StudyItem(method=m, clip=c) for m in names for c in stems}
    find = {(m, c, False): f"{m}{c}" for m in names for c in stems}
    generator = np.random.default_rng(0)
    trials = _trials(kind, names, stems, find, generator)  # type: ignore[arg-type]
    shown = min(shown, len(trials))
    for check in range(checks):
        stem = stems[check % clips]
        items[f"x{stem}"] = StudyItem(method=names[0], clip=stem, broken=True)
        trials.append([f"m0{stem}", f"x{stem}"] if kind == "2afc" else [f"x{stem}"])
    return StudyKey(
        page="0" * 64, kind=kind, question="?", methods=names, items=items, trials=trials, checks=checks, shown=shown
    )  # type: ignore[arg-type]  # fmt: skip


def answers(key: StudyKey, rater: str, choose: Choose) -> dict[str, Any]:
    """The file a rater would send back."""
    given = []
    for showing in key.plan(rater):
        shown = key.trials[showing.trial][:: -1 if showing.swapped else 1]
        chosen = choose([key.items[name] for name in shown])
        given.append(
            {
                "trial": showing.trial, "shown": shown, "choice": shown[chosen] if key.kind == "2afc" else chosen,
                "seconds": 2.5, "plays": 1, "at": "2026-01-01T00:00:00.000Z",
            }
        )  # fmt: skip
    return {
        "version": 1, "page": key.page, "kind": key.kind, "rater": rater, "seed": rater_seed(key.page, rater),
        "started": "2026-01-01T00:00:00.000Z", "finished": None, "screen": [800, 600], "answers": given,
    }  # fmt: skip


def by_strength(strength: dict[str, float], generator: np.random.Generator) -> Choose:
    """An attentive rater who chooses as Bradley and Terry say."""

    def choose(items: list[StudyItem]) -> int:
        if items[0].broken or items[1].broken:
            return int(items[0].broken)
        lead = strength[items[1].method] - strength[items[0].method]
        return int(generator.random() < 0.5 + 0.5 * np.tanh(lead / 2))

    return choose


def write_answers(folder: Path, files: list[dict[str, Any]]) -> list[Path]:
    """As files named a00.json, a01.json..."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"a{i:02d}.json" for i in range(len(files))]
    for path, file in zip(paths, files, strict=True):
        path.write_text(json.dumps(file), encoding="utf-8")
    return paths
