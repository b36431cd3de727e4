"""report.html: one file with numbers, pictures and their meaning, that opens anywhere with no network."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..batch import composite_on_white
from ..pages import page_template
from .charts import line_chart
from .clip_results import ClipResult
from .confusion_table import confusion_table
from .definitions import ANCHOR_MEANINGS, ANCHOR_TITLES, CARDS, DEFINITIONS
from .keypoint_transfer import to_frames_u8
from .metric_definition import MetricDefinition
from .pictures import ERROR_SCALE, ShownClip, animation, error_map, film_strip, shrink, side_by_side
from .reader_metrics import (
    COHERENCE_METRICS,
    EDIT_METRICS,
    EXPRESSION_METRICS,
    IDENTITY_METRICS,
    POOLED_METRICS,
    POSE_METRICS,
    READER_METRICS,
)
from .report_warnings import find_set_warnings, find_warnings
from .results import Results, versions, write_atomically
from .set_results import SetResults

_GROUPS = (
    (
        "Pictures",
        (
            "foreground_psnr",
            "foreground_psnr_pooled",
            "foreground_ssim",
            "psnr",
            "ssim",
            "lpips",
            "sharpness_ratio",
            "checkerboard_ratio",
        ),
    ),
    (
        "Movement",
        (
            "motion_ratio",
            "flow_distance",
            "foreground_flow_distance",
            "acceleration_ratio",
            "keypoint_jerk_ratio",
            "keypoint_acceleration_error",
        ),
    ),
    (
        "Steadiness",
        (
            "warping_error_reference_flow",
            "warping_error_real",
            "foreground_warping_error_reference_flow",
            "warping_error_own_flow",
            "flicker_static",
            "flicker_static_real",
            "perceptual_change_distance",
            "perceptual_change_excess",
        ),
    ),
    ("Pose", ("pck@0.1", "pck@0.05", "average_keypoint_distance", "missing_keypoint_rate")),
    ("Pose, read by a network", tuple(m.name for m in POSE_METRICS)),
    ("Expression, read by a network", tuple(m.name for m in EXPRESSION_METRICS)),
    ("Identity, seen by a network", tuple(m.name for m in IDENTITY_METRICS)),
    ("Does one command leave the rest alone", tuple(m.name for m in EDIT_METRICS)),
    ("Face and body together", tuple(m.name for m in COHERENCE_METRICS)),
)
_SET_GROUPS = (
    ("Distance", ("fid", "fid_of_halves", "kid", "kernel_distance", "fvd", "fvd_of_halves")),
    ("What is made, what is missed", ("precision", "recall", "density", "coverage")),
    (
        "Pose and expression, judged by the reader",
        (
            "reader_fid",
            "reader_fid_of_halves",
            "reader_kid",
            "reader_kernel_distance",
            "reader_fvd",
            "reader_fvd_of_halves",
            "reader_video_kernel_distance",
        ),
    ),
    ("Motion, judged by the reader", ("pose_motion_distance", "pose_motion_distance_of_halves")),
    (
        "What is made, what is missed, judged by the reader",
        (
            "reader_precision",
            "reader_recall",
            "reader_density",
            "reader_coverage",
            "mode_coverage",
            "mode_overlap",
            "diversity",
            "diversity_real",
        ),
    ),
    ("For comparison with the literature", ("inception_score", "inception_score_real")),
)
_SET_HEADLINE = (
    "fid",
    "fid_of_halves",
    "kid",
    "recall",
    "fvd",
    "fvd_of_halves",
    "reader_fid",
    "reader_fid_of_halves",
    "reader_recall",
    "mode_overlap",
    "reader_fvd",
    "reader_fvd_of_halves",
    "pose_motion_distance",
    "pose_motion_distance_of_halves",
)
_CLIP_VALUES = (
    "foreground_psnr",
    "foreground_ssim",
    "sharpness_ratio",
    "motion_ratio",
    "flow_distance",
    "pck@0.1",
)
_LISTED_CLIPS = 200
"""Rows of the table of clips; more would make a page no browser opens gladly."""


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
    results: Results | SetResults,
    path: Path,
    title: str = "Evaluation report",
    command: str = "",
    sections: Sequence[ReportSection] = (),
) -> None:
    """Write a self-contained HTML page.

    Args:
        results: from :func:`temporal_gan.evaluation.run.evaluate`, or of two sets.
        path: the .html file; written whole or not at all.
        title: heading of the page.
        command: the command line that made it.
        sections: shown between the headline and the clips.
    """
    anchors = results.anchor_values()
    definitions = results.definitions
    entries = {m.name: results.metric(m.name) for m in definitions}
    paired = isinstance(results, Results)
    clips = results.clips if isinstance(results, Results) else []
    page = page_template(Path(__file__).with_name("report.html.jinja")).render(
        title=title,
        command=command,
        protocol=results.protocol_dict(),
        versions=versions(),
        paired=paired,
        counts=results.counts() if isinstance(results, SetResults) else {},
        clips=clips[:_LISTED_CLIPS],
        clip_count=len(clips),
        frames=sum(clip.frames for clip in clips),
        characters=sorted({clip.character for clip in clips if clip.character}),
        failed=results.failed,
        missing=results.missing,
        warnings=(
            find_warnings(results, entries, anchors)
            if isinstance(results, Results)
            else find_set_warnings(results)
        ),
        cards=[_row(DEFINITIONS[n], entries[n], anchors) for n in _cards(entries)],
        groups=_groups(entries, anchors, _GROUPS if paired else _SET_GROUPS),
        anchors=[(ANCHOR_TITLES[name], ANCHOR_MEANINGS[name]) for name in results.anchor_names],
        over_time=_over_time(clips),
        confusion=_confusion(entries),
        metrics=definitions,
        clip_metrics=[m for m in definitions if m.name not in POOLED_METRICS],
        direction=_direction,
        number=_number,
        shown=[_shown(clip) for clip in results.shown] if isinstance(results, Results) else [],
        error_scale=ERROR_SCALE,
        sections=[_section(section) for section in sections],
    )
    write_atomically(path, page)


def _groups(
    entries: dict[str, dict[str, object]],
    anchors: dict[str, dict[str, float | None]],
    groups: Sequence[tuple[str, Sequence[str]]],
) -> list[tuple[str, list[dict[str, object]]]]:
    """Rows under their headings; a reason that several rows share is told once."""
    told: set[object] = set()
    made = []
    for title, names in groups:
        rows = [_row(DEFINITIONS[n], entries[n], anchors) for n in names if n in entries]
        for row in rows:
            reason = row["reason"]
            if reason in told:
                row["reason"] = "as above"
            elif reason is not None:
                told.add(reason)
        if rows:
            made.append((title, rows))
    return made


def _confusion(entries: dict[str, dict[str, object]]) -> str:
    found = entries.get("expression_accuracy", {}).get("confusion")
    return confusion_table(found["classes"], found["commanded_by_read"]) if isinstance(found, dict) else ""


def _note(metric: MetricDefinition, entry: dict[str, object]) -> str:
    """What a value is to be held against, where that is no anchor."""
    beside = [(name, entry.get(key)) for name, key in (("real", "real"), ("shuffled pairs", "shuffled"))]
    return ", ".join(f"{name} {_number(metric, value)}" for name, value in beside if value is not None)


def _over_time(clips: Sequence[ClipResult]) -> str:
    """Does it get worse towards the end? Mean over the clips that are at least that long."""
    longest = max((len(clip.made.psnr_per_frame) for clip in clips), default=0)
    if longest < 2:
        return ""
    means = []
    for frame in range(longest):
        known = [clip.made.psnr_per_frame[frame] for clip in clips if len(clip.made.psnr_per_frame) > frame]
        means.append(math.fsum(known) / len(known))
    return line_chart([("PSNR", means)], "frame", "mean PSNR of the whole frame, dB", width=640)


def _cards(entries: dict[str, dict[str, object]]) -> list[str]:
    """Names for the top of the page; no temporal score stands there without the motion ratio beside it."""
    moving = "motion_ratio" in entries and entries["motion_ratio"]["value"] is not None
    return [
        name
        for name in (*CARDS, *_SET_HEADLINE)
        if name in entries
        and entries[name]["value"] is not None
        and (moving or not DEFINITIONS[name].temporal)
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
        "p_value": entry.get("p_value"),
        # What a network reads is at most as good as what it reads from the real clip.
        "read": metric in READER_METRICS,
        "note": _note(metric, entry) if metric.name == "event_alignment" else "",
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
    if not metric.name.endswith("_real"):
        return ("", "no score by itself: read what stands beside it")
    return ("floor", "not a score, but the level to compare the score above with")


def _shown(clip: ShownClip) -> dict[str, object]:
    series, chart = clip.psnr_per_frame, ""
    if len(series) > 1:
        chart = line_chart([("PSNR", series)], "frame", "PSNR of the whole frame, dB", width=400)
    if clip.motion is not None:
        made, real = clip.motion
        chart += line_chart([("made", made), ("real", real)], "frame", "motion, px", width=400)
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
