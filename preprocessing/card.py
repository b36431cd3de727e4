"""``card.md``: a dataset card with the header that Hugging Face reads.

The questions are those of Gebru et al., "Datasheets for Datasets" (2021); those that data cannot answer are listed as
open, for whoever publishes the store.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from temporal_gan.expressions import CLASSES

from .report_page import duration, number, percent
from .store_figures import UNLABELLED
from .store_summary import NO_LICENCE, Count, StoreSummary, all_names, leak_words, plural, reasons, warnings

_MOST = 25
"""Rows of a table; the page and clips.csv have more."""

_HUB_LICENCES = (
    "mit apache-2.0 bsd-2-clause bsd-3-clause cc0-1.0 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-4.0 "
    "cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-nc-nd-4.0 unlicense wtfpl"
).split()
"""Names the hub knows; it calls everything else ``other``."""

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_OPEN_QUESTIONS = (
    "For what purpose, by whom and with whose money was it made?",
    "Do the pictures show or caricature real people, and did they agree?",
    "Did the authors agree to training, beyond what the licence says?",
    "What must it not be used for?",
    "Who answers questions, mends errors and takes pictures out when asked?",
)


def dataset_card(summary: StoreSummary) -> str:
    """The card as Markdown; what comes from files is escaped and cannot become markup."""
    info, clips = summary.store.info, summary.clips
    size = f"{info.width} × {info.height} px{' at most' if info.mixed_sizes else ''}"
    parts = [
        f"---\n{yaml.safe_dump(_header(summary), sort_keys=False, allow_unicode=True)}---",
        f"# {plain(summary.title)}",
        f"{plural(len(clips), 'clip')} of {plural(len(info.characters), 'character')}, {info.frames:,} frames, "
        f"{duration(summary.seconds)}, {size}, {'RGBA' if info.channels == 4 else 'RGB'}, {info.fps:.4g} frames/s. "
        f"Every frame has {len(info.skeleton.joints)} joints ({plain(info.skeleton.name)}) and "
        f"{plural(len(info.expressions), 'expression channel')}, each with a confidence (0 = not known). "
        f"Content {info.content_hash[:16]}.",
        _bullets(plain(line) for line in warnings(summary)),
        "## Composition",
        _counts("split", summary.counts(lambda row: row.split), []),
        _counts("character", summary.counts(lambda row: row.character), summary.splits),
        _counts("licence", summary.by_licence(), summary.splits),
        _counts("source", summary.counts(lambda row: row.source or "not named"), summary.splits),
        "## Provenance",
        _provenance(summary),
        "## Collection and preprocessing",
        _ends(summary),
        "## Labels",
        _labels(summary),
        "## Expressions",
        _expressions(summary),
        "## Splits and leaks",
        _leaks(summary),
        "## Open questions",
        "Only the publisher can answer these:",
        _bullets(_OPEN_QUESTIONS),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """Text from outside as one line of Markdown that shows just this text: no markup, no HTML, no table cell's end."""
    line = " ".join("".join(" " if unicodedata.category(c)[0] == "C" else c for c in text).split())
    line = re.sub(r"([\\`*_{}\[\]#|~:@$])", r"\\\1", html.escape(line, quote=False))
    # The start of a list or a rule, and what some readers make a link of without being asked.
    line = re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", line)
    return re.sub(r"(?i)(www)\.", r"\1\\.", line)


def _header(summary: StoreSummary) -> dict[str, Any]:
    licences = [licence for licence in summary.by_licence() if licence != NO_LICENCE]
    one = licences[0] if len(summary.by_licence()) == 1 and licences else ""
    known = one.lower() in _HUB_LICENCES
    header: dict[str, Any] = {"pretty_name": summary.title, "license": one.lower() if known else "other"}
    if not known:
        header["license_name"] = one or ("mixed" if licences else "unknown")
    header["size_categories"] = [next((label for most, label in _SIZES if len(summary.clips) < most), "n>1M")]
    return header | {
        "task_categories": ["text-to-video", "video-classification"],
        "tags": ["anime", "pose", "facial-expression", "temporal_gan"],
    }


def _counts(title: str, counts: dict[str, Count], splits: Sequence[str]) -> str:
    rows = [
        [
            plain(name), f"{count.clips:,}", f"{count.frames:,}", duration(count.seconds),
            *(f"{count.splits[split]:,}" for split in splits),
        ]
        for name, count in list(counts.items())[:_MOST]
    ]  # fmt: skip
    table = _table([title, "clips", "frames", "time", *splits], rows)
    more = len(counts) - _MOST
    return f"{table}\n\nand {more:,} more, with fewer frames" if more > 0 else table


def _provenance(summary: StoreSummary) -> str:
    if not summary.sources:
        return "No `sources.csv`: where pictures come from is known from the table of clips alone."
    unlicensed = sum(not row.licence for row in summary.sources)
    rows = []
    for row in summary.sources[:_MOST]:
        told = (row.file, row.licence, row.licence_evidence, row.author, row.page or row.url)
        rows.append([plain(value or "–") for value in told])
    more = len(summary.sources) - _MOST
    lead = f"{plural(len(summary.sources), 'source')}, {unlicensed:,} without a licence."
    if more > 0:
        lead += f" The first {_MOST}; all are in `sources.csv`."
    return f"{lead}\n\n{_table(['source', 'licence', 'evidence', 'author', 'page'], rows, ':---')}"


def _ends(summary: StoreSummary) -> str:
    if summary.outcomes is None:
        return "Not made by `temporal-gan-preprocess run`: nothing is known of what was left out."
    clip_names, source_names = all_names(summary)
    lines = [f"{plural(len(summary.ended('kept')), 'clip')} kept"]
    for state in ("left out", "failed"):
        ended = summary.ended(state)
        told = [f"{plain(why)} ({times})" for why, times in reasons(ended, [*clip_names, *source_names])]
        more = f", {len(told) - 12} other reasons" if len(told) > 12 else ""
        lines.append(f"{len(ended):,} {state}{': ' if told else ''}{', '.join(told[:12])}{more}")
    enlarged = summary.enlargements()
    if enlarged:
        lines.append(
            f"{sum(v > 1 for v in enlarged):,} of {plural(len(enlarged), 'clip')} enlarged by the crop"
        )
    decided = len(summary.decisions.clips) + len(summary.decisions.sources)
    if decided:
        lines.append(f"{plural(decided, 'decision')} by a person, in `decisions.csv`")
    return _bullets(lines)


def _labels(summary: StoreSummary) -> str:
    coverage = summary.coverage
    pose, joints = (
        summary.share_of_frames(lambda c: c.pose),
        summary.share_of_frames(lambda c: c.joints),
    )
    speeds = sorted(c.drawings_per_second for c in summary.clips if c.drawings_per_second is not None)
    lines = [
        f"{percent(pose)} of frames have a pose, {percent(joints)} of joints are known",
        "labels come from: "
        + ", ".join(
            f"{plain(name)} {percent(count / coverage.frames)}"
            for name, count in coverage.origins.most_common()
        ),
    ]
    if verdicts := summary.verdicts():
        whole = sum(verdicts.values())
        gates = (f"{plain(n or 'kept')} {percent(c / whole)}" for n, c in verdicts.most_common(12))
        lines.append(f"gates: {', '.join(gates)}")
    if speeds:
        ends = f"{number(speeds[0], 1)} to {number(speeds[-1], 1)}"
        lines.append(f"{number(speeds[len(speeds) // 2], 1)} drawings per second in the median clip ({ends})")
    return _bullets(lines)


def _expressions(summary: StoreSummary) -> str:
    coverage = summary.coverage
    rows = []
    for channel, name in enumerate(coverage.expressions):
        counts = coverage.intensity[channel]
        strongest = f"{coverage.classes[name]:,}" if name in CLASSES else "–"
        half = int(counts[len(counts) // 2 :].sum())
        rows.append([plain(name), strongest, f"{int(counts.sum()):,}", f"{half:,}"])
    unlabelled = f"{UNLABELLED}: {coverage.classes[UNLABELLED]:,} of {coverage.frames:,} frames"
    methods = ", ".join(f"{plain(name)} {frames:,}" for name, frames in summary.methods().most_common())
    how = f". Read by, in frames: {methods}" if methods else ""
    return (
        _table(["channel", "strongest class, frames", "known, frames", "intensity ≥ 0.5, frames"], rows)
        + f"\n\nClass {unlabelled}{how}."
    )


def _leaks(summary: StoreSummary) -> str:
    lines = [plain(leak_words(leak)) for leak in (*summary.leaks, *summary.look_alikes.leaks)]
    looked = summary.look_alikes
    if looked.held_out:
        compared = f"{plural(looked.held_out, 'held-out clip')} with {plural(looked.train, 'training clip')}"
        lines.append(f"{plural(len(looked.leaks), 'pair')} look alike, comparing {compared}")
    if not summary.leaks:
        lines.append("no source, file, video or promised new character is in two splits")
    kept = lines[:_MOST]
    return _bullets([*kept, f"and {len(lines) - _MOST:,} more"] if len(lines) > _MOST else kept)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], side: str = "---:") -> str:
    lines = [names, ["---", *[side] * (len(names) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
