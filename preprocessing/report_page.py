"""``index.html`` of a report: one file with the figures, plots and label sheets, on which a person decides."""

import base64
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image

from temporal_gan.pages import page_template
from temporal_gan.rng import numpy_generator

from .label_sheet import FACE, HAND, LEFT, MIDDLE, RIGHT, label_tiles, picture_uri
from .outcome import Outcome
from .store_figures import ANGLES, UNLABELLED, ClipFigures
from .store_summary import (
    NO_LICENCE,
    Count,
    StoreSummary,
    all_names,
    histogram,
    leak_words,
    plural,
    reasons,
    warnings,
)

TABLE_CLIPS, TABLE_ROWS = 300, 100
"""Rows of the table of clips, and of any other; more would make a page no browser opens gladly."""

SHEETS_WORST, SHEETS_DRAWN = 6, 10
"""Clips shown for each thing that can be wrong, and drawn by lot from all."""

_TABLE_FACTS = ("poses_implausible", "swaps_repaired", "joints_filled", "flow_valid_share")
"""Figures of the run with a column of their own; clips.csv has all."""

_BINS = 16


@dataclass(frozen=True)
class Sheet:
    """One clip to be looked at: (data URI, words) of each frame."""

    clip: ClipFigures
    tiles: list[tuple[str, str]]


def report_page(summary: StoreSummary) -> str:
    """The page as text; the same store gives the same text.

    Raises:
        StoreError: the video or exact arrays of a clip that is shown are missing or damaged.
    """
    folder = Path(__file__).parent
    clips, coverage = summary.clips, summary.coverage
    clip_names, source_names = all_names(summary)
    speeds = [clip.drawings_per_second for clip in clips if clip.drawings_per_second is not None]
    enlarged = summary.enlargements()
    longest = max(clip.seconds for clip in clips)
    fastest = max(clip.row.fps for clip in clips)
    scales = [0.0, max(2.0, max(enlarged, default=0.0))]
    return page_template(folder / "report.html.jinja").render(
        style=Markup((folder / "report.css").read_text(encoding="utf-8")),
        script=Markup((folder / "report.js").read_text(encoding="utf-8")),
        title=summary.title,
        info=summary.store.info,
        summary=summary,
        warnings=warnings(summary),
        cards=_cards(summary, speeds),
        outcomes=_ends(summary, [*clip_names, *source_names]),
        sheets=[(title, [_sheet(summary, clip) for clip in chosen]) for title, chosen in chosen_clips(summary)],
        table=sorted(clips, key=lambda clip: (clip.joints, clip.expression, clip.row.id))[:TABLE_CLIPS],
        facts=[name for name in _TABLE_FACTS if name in summary.facts()],
        marks=any(clip.row.flags for clip in clips),
        verdict_words=verdict_words,
        verdicts=_bars(summary.verdicts().most_common(), {"": "kept"}),
        maps=[(name, _map_uri(cells)) for name, cells in coverage.maps.items()],
        joints=_joint_bars(summary),
        roses=_roses(summary),
        scale=list(coverage.scale.tolist()),
        classes=_bars([(n, coverage.classes[n]) for n in (*coverage.expressions, UNLABELLED) if n in coverage.classes]),
        intensity=_intensity(summary),
        origins=_bars(coverage.origins.most_common()),
        methods=_bars(summary.methods().most_common()),
        speeds=histogram(speeds, 0, fastest, _BINS),
        fastest=fastest,
        durations=histogram([clip.seconds for clip in clips], 0, longest, _BINS),
        longest=longest,
        enlarged=(sum(value > 1 for value in enlarged), len(enlarged)),
        crop_scales=histogram(enlarged, scales[0], scales[1], _BINS),
        crop_scale_end=scales[1],
        tables=_tables(summary),
        leaks=[leak_words(leak) for leak in summary.leaks],
        alike=[(leak, [_glimpse(summary, clip) for clip in leak.clips]) for leak in summary.look_alikes.leaks[:12]],
        decided={
            "clip": {name: [d.verdict, d.why, d.who, d.when] for name, d in summary.decisions.clips.items()},
            "source": {name: [d.verdict, d.why, d.who, d.when] for name, d in summary.decisions.sources.items()},
        },
        colours={
            name: "rgb({}, {}, {})".format(*colour)
            for name, colour in (
                ("left", LEFT), ("right", RIGHT), ("middle", MIDDLE), ("hand", HAND), ("face", FACE),
            )
        },
        most=TABLE_ROWS,
        plural=plural,
        percent=percent,
        number=number,
        duration=duration,
        decision_line=decision_line,
        web_address=web_address,
        angle_step=360 // ANGLES,
    )  # fmt: skip


def chosen_clips(summary: StoreSummary) -> list[tuple[str, list[ClipFigures]]]:
    """Clips to be looked at, by the reason why, each once; at most 3 x SHEETS_WORST + SHEETS_DRAWN of them."""
    clips = summary.clips
    wrongs: tuple[tuple[str, Callable[[ClipFigures], float]], ...] = (
        ("Fewest joints known", lambda clip: 0.9 - clip.joints),
        ("Fewest frames with an expression", lambda clip: 0.9 - clip.expression),
        ("Enlarged most, so not sharp", lambda clip: (clip.enlargement or 1.0) - 1.0),
    )
    lots = []
    for title, wrong in wrongs:
        # What is wrong with all clips alike, such as drawings without expressions, singles none out.
        if len({wrong(clip) for clip in clips}) > 1:
            worst = sorted(clips, key=lambda clip: (-wrong(clip), clip.row.id))
            lots.append((title, [clip for clip in worst if wrong(clip) > 0]))
    order = numpy_generator(0, "label sheets").permutation(len(clips))
    lots.append(("Drawn by lot", [clips[int(place)] for place in order]))
    shown: set[str] = set()
    chosen = []
    for title, candidates in lots:
        most = SHEETS_DRAWN if title == "Drawn by lot" else SHEETS_WORST
        new = [clip for clip in candidates if clip.row.id not in shown][:most]
        shown.update(clip.row.id for clip in new)
        if new:
            chosen.append((title, new))
    return chosen


def verdict_words(outcome: Outcome | None) -> str:
    """Why frames got no pose, most frequent first: ``not detected 12, two noses 3``."""
    told = sorted((outcome.verdicts if outcome else {}).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{verdict} {frames}" for verdict, frames in told if verdict)


def decision_line(kind: str, name: str, verdict: str = "reject") -> str:
    """A line for ``decisions.csv``, with the columns the page writes."""
    quoted = '"{}"'.format(name.replace('"', '""')) if set(name) & set(',"\r\n') else name
    return f"{quoted},,{verdict},,," if kind == "clip" else f",{quoted},{verdict},,,"


def web_address(text: str) -> str:
    """The text where it is an address that may be made a link, else ""."""
    return text if text.startswith(("http://", "https://")) else ""


def percent(share: float | None) -> str:
    """``97 %``; whole shares alone are written as 0 and 100."""
    if share is None:
        return "–"
    whole = round(100 * share)
    if whole == 100 and share < 1:
        return ">99 %"
    return "<1 %" if whole == 0 and share > 0 else f"{whole} %"


def number(value: float | None, digits: int = 2) -> str:
    """With a fixed number of digits; a dash for None."""
    return "–" if value is None else f"{value:.{digits}f}"


def duration(seconds: float) -> str:
    """``0.3 s``, ``24 s``, ``12:30 min``."""
    whole = math.floor(seconds + 0.5)
    if whole >= 60:
        return f"{whole // 60:,}:{whole % 60:02d} min"
    return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"


def _cards(summary: StoreSummary, speeds: Sequence[float]) -> list[tuple[str, str, str]]:
    """(name, value, what stands beside it)."""
    info, clips = summary.store.info, summary.clips
    unlicensed = summary.by_licence().get(NO_LICENCE, Count()).clips
    shared = len(summary.leaks)
    cards = [
        ("clips", f"{len(clips):,}", f"{info.frames:,} frames, {duration(summary.seconds)}"),
        ("characters", f"{len(info.characters):,}", plural(len({c.row.source for c in clips}), "source")),
        (
            "frames with a pose",
            percent(summary.share_of_frames(lambda c: c.pose)),
            f"{percent(summary.share_of_frames(lambda c: c.joints))} of joints known",
        ),
        (
            "frames with an expression",
            percent(summary.share_of_frames(lambda c: c.expression)),
            "class or control",
        ),
    ]
    if looked := [clip for clip in clips if clip.face is not None]:
        frames = sum(clip.row.frames for clip in looked)
        faces = sum((clip.face or 0.0) * clip.row.frames for clip in looked)
        cards.append(("frames with a face", percent(faces / frames), f"of {frames:,} looked at"))
    if speeds:
        cards.append(("drawings per second", f"{median(speeds):.1f}", f"median; {info.fps:.4g} frames/s"))
    cards.append(("without a licence", f"{unlicensed:,}", f"of {plural(len(clips), 'clip')}"))
    cards.append(("leaks between splits", f"{shared:,}", f"{len(summary.look_alikes.leaks):,} look-alikes"))
    return cards


def _ends(summary: StoreSummary, names: list[str]) -> dict[str, Any] | None:
    """What became of the inputs."""
    if summary.outcomes is None:
        return None
    gone = [*summary.ended("failed"), *summary.ended("left out")]
    return {
        "kept": len(summary.ended("kept")),
        "states": [
            (state, len(summary.ended(state)), reasons(summary.ended(state), names))
            for state in ("left out", "failed")
        ],
        "gone": gone[:TABLE_ROWS],
        "more": max(0, len(gone) - TABLE_ROWS),
    }


def _sheet(summary: StoreSummary, clip: ClipFigures) -> Sheet:
    tiles = label_tiles(summary.store, clip.row.id)
    return Sheet(clip, [(picture_uri(picture), words) for picture, words in tiles])


def _glimpse(summary: StoreSummary, clip: str) -> str:
    return picture_uri(label_tiles(summary.store, clip, count=1)[0][0])


def _bars(
    counts: Sequence[tuple[str, int]], other_names: dict[str, str] | None = None
) -> list[tuple[str, int, float, float]]:
    """(name, count, share of all, share of the largest)."""
    whole, largest = sum(c for _, c in counts) or 1, max((c for _, c in counts), default=0) or 1
    return [((other_names or {}).get(n, n), c, c / whole, c / largest) for n, c in counts]


def _joint_bars(summary: StoreSummary) -> list[tuple[str, float, float | None]]:
    """(joint, share of frames that know it, mean confidence there)."""
    coverage = summary.coverage
    rows = []
    for joint, name in enumerate(coverage.skeleton.joints):
        frames = int(coverage.joint_frames[joint])
        trust = float(coverage.joint_confidence[joint]) / frames if frames else None
        rows.append((name.replace("_", " "), frames / coverage.frames, trust))
    return rows


def _intensity(summary: StoreSummary) -> list[tuple[str, int, list[tuple[int, float]]]]:
    """(channel, frames, (count, depth of colour in [0, 1]) of each bin)."""
    rows = []
    for name, counts in zip(summary.coverage.expressions, summary.coverage.intensity.tolist(), strict=True):
        largest = max(counts) or 1
        rows.append((name, sum(counts), [(count, math.sqrt(count / largest)) for count in counts]))
    return rows


def _roses(summary: StoreSummary) -> list[tuple[str, int, str]]:
    """(limb, times seen, path of an SVG of [-1, 1] x [-1, 1]); a petal's area is in proportion to its count."""
    roses = []
    joints = summary.coverage.skeleton.joints
    for (start, end), counts in zip(summary.coverage.limbs, summary.coverage.angles.tolist(), strict=True):
        largest, pieces = max(counts) or 1, []
        for direction, count in enumerate(counts):
            if count:
                radius = 0.95 * math.sqrt(count / largest)
                ends = [2 * math.pi * (direction + side) / ANGLES for side in (-0.5, 0.5)]
                (ax, ay), (bx, by) = ((radius * math.cos(a), radius * math.sin(a)) for a in ends)
                pieces.append(f"M0 0L{ax:.3f} {ay:.3f}A{radius:.3f} {radius:.3f} 0 0 1 {bx:.3f} {by:.3f}Z")
        name = f"{joints[start]} → {joints[end]}".replace("_", " ")
        roses.append((name, sum(counts), "".join(pieces)))
    return roses


def _map_uri(cells: np.ndarray) -> str:
    """Where joints were: a transparent PNG in one colour, so that it stands on a light and on a dark page."""
    depth = np.sqrt(cells / max(1, int(cells.max())))
    pixels = np.zeros((*cells.shape, 4), np.uint8)
    pixels[..., :3] = (72, 110, 230)
    pixels[..., 3] = np.rint(255 * depth)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _tables(summary: StoreSummary) -> list[tuple[str, list[tuple[str, Count]], int]]:
    """(what is counted, the first names, how many there are)."""
    tables = [
        ("licence", summary.by_licence()),
        ("character", summary.counts(lambda row: row.character)),
        ("source", summary.counts(lambda row: row.source or "not named")),
    ]
    return [(title, list(counts.items())[:TABLE_ROWS], len(counts)) for title, counts in tables]
