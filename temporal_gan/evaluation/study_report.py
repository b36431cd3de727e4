"""study.html: a study's findings for a reader, one file that opens anywhere with no network."""

import math
from pathlib import Path
from typing import Any

from ..pages import page_template
from .definitions import DEFINITIONS
from .results import write_atomically


def write_study_report(study: dict[str, Any], path: Path) -> None:
    """Write a self-contained page.

    Args:
        study: content of study.json, from :meth:`.study_results.StudyResults.to_dict`.
        path: the .html file; written whole or not at all.
    """
    paired = study["kind"] == "2afc"
    rows = _strengths(study) if paired else _opinions(study)
    page = page_template(Path(__file__).with_name("study_report.html.jinja")).render(
        study=study,
        paired=paired,
        used=[rater for rater in study["raters"] if not rater["excluded"]],
        excluded=[rater for rater in study["raters"] if rater["excluded"]],
        rows=rows,
        ticks=_ticks(rows, paired),
        verdicts=_verdicts(study, paired),
        metrics=_metrics(study["metrics"]),
        orders=math.factorial(len(study["methods"])),
        percent=_percent,
        span=_span,
        number=_number,
        bounds=_bounds,
    )
    write_atomically(path, page)


def _strengths(study: dict[str, Any]) -> list[dict[str, Any]]:
    known = [entry for entry in study["strengths"] if entry["strength"] is not None]
    return _placed([(e, e["strength"], e["interval"]) for e in known])


def _opinions(study: dict[str, Any]) -> list[dict[str, Any]]:
    known = [entry for entry in study["opinions"] if entry["mean"] is not None]
    return _placed([(e, e["mean"], e["interval"]) for e in known], 1.0, 5.0)


def _placed(
    entries: list[tuple[dict[str, Any], float, list[float] | None]],
    low: float = math.inf,
    high: float = -math.inf,
) -> list[dict[str, Any]]:
    """Best first, with places in percent of a common axis."""
    ends = [bound for _, value, interval in entries for bound in (value, *(interval or ()))]
    if low > high:
        reach = max(0.5, *map(abs, ends)) * 1.1 if ends else 1.0
        low, high = -reach, reach

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    return [
        {
            "entry": entry,
            "value": value,
            "interval": interval,
            "at": place(value),
            "from": place(interval[0]) if interval else None,
            "width": round(place(interval[1]) - place(interval[0]), 2) if interval else None,
        }
        for entry, value, interval in sorted(entries, key=lambda e: -e[1])
    ]


def _ticks(rows: list[dict[str, Any]], paired: bool) -> list[tuple[float, str]]:
    """(place in percent, label) of the axis below the chart."""
    if not paired:
        return [(25.0 * i, str(i + 1)) for i in range(5)]
    return [(50.0, "average method")] if rows else []


def _verdicts(study: dict[str, Any], paired: bool) -> list[str]:
    """What can and cannot be said of each two methods, by the interval over raters and clips."""
    found = []
    for pair in study["pairs"] if paired else study["differences"]:
        value, interval, even = (
            (pair["share"], pair["interval"], 0.5) if paired else (pair["difference"], pair["interval"], 0.0)
        )
        if value is None:
            found.append(f"{pair['first']} and {pair['second']} were never compared.")
            continue
        first, second = (pair["first"], pair["second"]) if value >= even else (pair["second"], pair["first"])
        share = max(value, 1 - value) if paired else abs(value)
        amount = f"in {_percent(share)} of {pair['answers']} answers" if paired else f"by {share:.2f} points"
        if interval is None:
            found.append(f"{first} was liked better than {second} {amount}; too few raters to say more.")
        elif interval[0] <= even <= interval[1]:
            found.append(f"{first} and {second} cannot be told apart ({first} better {amount}).")
        else:
            found.append(f"{first} is liked better than {second}, {amount}.")
    return found


def _metrics(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a metric, those that agree most first."""
    rows: dict[str, dict[str, Any]] = {}
    for entry in entries:
        name = entry["metric"]
        title = DEFINITIONS[name].title if name in DEFINITIONS else name
        rows.setdefault(name, {"name": name, "title": title})[entry["over"]] = entry

    def agreement(row: dict[str, Any]) -> float:
        known = [row[over]["kendall"] for over in ("clips", "methods") if row[over]["kendall"] is not None]
        return known[0] if known else -2.0

    return sorted(rows.values(), key=agreement, reverse=True)


def _bounds(entry: dict[str, Any], name: str) -> str:
    """An interval; of few methods whose order is certain, their number, as an interval of no width misleads."""
    interval = entry[f"{name}_interval"]
    if interval and interval[0] == interval[1]:
        return f"{entry['items']} {entry['over']}"
    return _span(interval)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _number(value: float | None, digits: int = 2) -> str:
    # No "-0.00".
    return "–" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def _span(interval: list[float] | None, percent: bool = False) -> str:
    if interval is None:
        return ""
    low, high = interval
    return f"{100 * low:.0f} to {100 * high:.0f} %" if percent else f"{_number(low)} to {_number(high)}"
