"""report.html: one file with numbers, pictures and their meaning, that opens anywhere with no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from torch import Tensor

from ..batch import composite_on_white
from .charts import line_chart
from .definitions import ANCHOR_MEANINGS, ANCHOR_TITLES, DEFINITIONS, METRICS, MetricDefinition
from .keypoint_transfer import to_frames_u8
from .pictures import ERROR_SCALE, ShownClip, animation, error_map, film_strip, shrink, side_by_side
from .results import Results, versions, write_atomically

_GROUPS = (
    ("Pictures", ("foreground_psnr", "foreground_ssim", "psnr", "ssim", "sharpness_ratio")),
    (
        "Movement and steadiness",
        ("motion_ratio", "warping_error_reference_flow", "warping_error_real", "acceleration_ratio"),
    ),
    ("Pose", ("pck@0.1", "pck@0.05")),
)
_CARDS = ("foreground_psnr", "sharpness_ratio", "motion_ratio", "warping_error_reference_flow", "pck@0.1")
_CLIP_VALUES = ("foreground_psnr", "foreground_ssim", "sharpness_ratio", "motion_ratio", "pck@0.1")


@dataclass(frozen=True)
class ReportSection:
    """Something a caller adds, such as the demo's generated clips and its training curve.

    Attributes:
        title: plain text.
        html: inserted as it is, so escape what a user typed; :func:`.charts.line_chart` gives curves.
        clips: (caption, video float [T, 3 or 4, H, W] in [0, 1], RGBA premultiplied).
        fps: of the clips.
    """

    title: str
    html: str = ""
    clips: Sequence[tuple[str, Tensor]] = ()
    fps: float = 24.0


def write_report(
    results: Results,
    path: Path,
    title: str = "Evaluation report",
    command: str = "",
    sections: Sequence[ReportSection] = (),
) -> None:
    """Write a self-contained HTML page.

    Args:
        results: from :func:`temporal_gan.evaluation.run.evaluate`.
        path: the .html file; written whole or not at all.
        title: heading of the page.
        command: the command line that made it.
        sections: shown between the headline and the clips.
    """
    # The name ends in .jinja, so escaping is switched on for all templates, not guessed from the suffix.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    anchors = results.anchor_values()
    entries = {m.name: results.metric(m.name) for m in METRICS}
    page = environment.get_template("report.html.jinja").render(
        title=title,
        command=command,
        protocol=results.protocol.to_dict(),
        versions=versions(),
        clips=results.clips,
        frames=sum(clip.frames for clip in results.clips),
        characters=sorted({clip.character for clip in results.clips if clip.character}),
        warnings=_warnings(results, entries),
        cards=[_row(DEFINITIONS[n], entries[n], anchors) for n in _cards(entries)],
        groups=[
            (name, [_row(DEFINITIONS[n], entries[n], anchors) for n in names]) for name, names in _GROUPS
        ],
        anchors=[(ANCHOR_TITLES[name], ANCHOR_MEANINGS[name]) for name in results.anchor_names],
        metrics=METRICS,
        direction=_direction,
        number=_number,
        shown=[_shown(clip) for clip in results.shown],
        error_scale=ERROR_SCALE,
        sections=[_section(section) for section in sections],
    )
    write_atomically(path, [page])


def _cards(entries: dict[str, dict[str, object]]) -> list[str]:
    """Names for the top of the page; no temporal score stands there without the motion ratio beside it."""
    moving = entries["motion_ratio"]["value"] is not None
    return [
        name
        for name in _CARDS
        if entries[name]["value"] is not None and (moving or not DEFINITIONS[name].temporal)
    ]


def _row(
    metric: MetricDefinition, entry: dict[str, object], anchors: dict[str, dict[str, float | None]]
) -> dict[str, object]:
    interval = entry["interval"]
    return {
        "metric": metric,
        "value": _number(metric, entry["value"]),
        "interval": [_number(metric, v) for v in interval] if isinstance(interval, list) else None,
        "reason": entry.get("reason"),
        "clips": entry["clips"],
        "anchors": [
            (ANCHOR_TITLES[name], _number(metric, values[metric.name])) for name, values in anchors.items()
        ],
    }


def _number(metric: MetricDefinition, value: object) -> str:
    return f"{value:.{metric.digits}f}" if isinstance(value, float) else "–"


def _direction(metric: MetricDefinition) -> tuple[str, str]:
    """Arrow and what it says to a screen reader."""
    if metric.higher_is_better is not None:
        return ("↑", "higher is better") if metric.higher_is_better else ("↓", "lower is better")
    if metric.ideal is not None:
        return (f"→ {metric.ideal:g}", f"nearer to {metric.ideal:g} is better")
    return ("floor", "not a score, but the level to compare the score above with")


def _warnings(results: Results, entries: dict[str, dict[str, object]]) -> list[str]:
    """What a reader must know before believing the numbers."""
    found = []
    motion = entries["motion_ratio"]["value"]
    if isinstance(motion, float) and motion < 0.5:
        found.append(
            f"The made clips move {motion:.0%} as much as the real ones. Low warping error and low "
            "jerkiness mean nothing for a clip that stands still."
        )
    names = ("warping_error_reference_flow", "warping_error_real", "sharpness_ratio")
    known = [value for value in (entries[name]["value"] for name in names) if isinstance(value, float)]
    if len(known) == 3 and known[0] < 0.7 * known[1] and known[2] < 0.7:
        found.append(
            "The warping error lies below that of the real clips because the made clips are blurred "
            f"(sharpness {known[2]:.2f}), not because they are steadier."
        )
    if len(results.clips) < 3:
        found.append("Fewer than three clips: there are no intervals, and one odd clip decides the mean.")
    resized = [clip for clip in results.clips if clip.resized_from]
    if resized:
        first = resized[0]
        width, height = first.resized_from or (0, 0)
        found.append(
            f"{len(resized)} of {len(results.clips)} made clips had another size than the real ones "
            f"and were resized (first: {first.clip_id}, {width}x{height} to {first.width}x{first.height}). "
            "Sharpness suffers from that."
        )
    methods = {clip.flow for clip in results.clips} - {"none"}
    if methods == {"dis"}:
        found.append(
            "The motion of the real clips was measured (DIS), not known exactly: read the floor beside it."
        )
    elif len(methods) > 1:
        found.append("Some clips carry exact motion and some were measured (DIS): warping errors mix both.")
    return found


def _shown(clip: ShownClip) -> dict[str, object]:
    series, chart = clip.psnr_per_frame, ""
    if len(series) > 1:
        chart = line_chart([("PSNR", series)], "frame", "PSNR of the whole frame, dB", width=400)
    return {
        "clip": clip,
        "animation": animation(side_by_side(clip.made, clip.real), clip.fps),
        "strip": film_strip(clip.made, clip.real) if len(clip.made) > 1 else "",
        "error": error_map(clip.error),
        "chart": chart,
        "values": [
            (DEFINITIONS[name].title, _number(DEFINITIONS[name], clip.values[name]))
            for name in _CLIP_VALUES
            if name in clip.values
        ],
    }


def _section(section: ReportSection) -> dict[str, object]:
    pictures = []
    for caption, video in section.clips:
        frames = shrink(to_frames_u8(composite_on_white(video.float())))
        pictures.append((caption, animation(frames, section.fps)))
    return {"title": section.title, "html": section.html, "clips": pictures}
