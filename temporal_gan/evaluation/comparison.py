"""Is one evaluation better than another? Only where both are about the same clips under the same protocol."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import rng
from ..errors import UserError
from ..metrics.comparison import holm, paired_difference
from .definitions import DEFINITIONS
from .metric_definition import MetricDefinition, closeness
from .results import SCHEMA, versions, write_atomically
from .results_file import ResultsFile, read_results


@dataclass(frozen=True)
class MetricComparison:
    """One metric of two evaluations, over the clips where both have it.

    Attributes:
        metric: its definition.
        clips: how many.
        first, second: means.
        difference: mean of first - second.
        interval: of that mean, or None with fewer than three clips (or characters).
        p_value: of a sign-flip permutation test of closeness to the ideal.
        adjusted: the same after Holm's correction over all metrics of the table.
        better: ``first`` or ``second`` where the adjusted value is below 0.05, else None.
    """

    metric: MetricDefinition
    clips: int
    first: float
    second: float
    difference: float
    interval: tuple[float, float] | None
    p_value: float
    adjusted: float
    better: str | None

    def to_dict(self) -> dict[str, object]:
        """Plain types for JSON."""
        return {
            "name": self.metric.name,
            "clips": self.clips,
            "first": self.first,
            "second": self.second,
            "difference": self.difference,
            "interval": list(self.interval) if self.interval else None,
            "p_value": self.p_value,
            "p_value_holm": self.adjusted,
            "better": self.better,
        }


SIGNIFICANT = 0.05

NO_SCORES = ("warping_error_own_flow", "expression_flip_rate", "subject_consistency")
"""A frozen clip wins them: they say nothing about which is better."""


def compare_results(first: Path, second: Path) -> list[MetricComparison]:
    """Paired differences of two ``results.json``, metric by metric.

    Args:
        first, second: files, or folders that hold ``results.json``.
    Returns:
        metrics that are scores and that both have on two clips or more, in the order of the report.
    Raises:
        UserError: a file that is no results.json, two protocols, other real clips, or nothing to compare; one line
            names the difference.
    """
    a, b = read_results(first), read_results(second)
    _check_same(a, b, first, second)
    rows_a, rows_b = ({clip.clip_id: clip for clip in side.clips} for side in (a, b))
    # A frozen or scrambled made clip may lack a value that the other has: only what both have is compared.
    found = []
    for metric in DEFINITIONS.values():
        if (metric.higher_is_better is None and metric.ideal is None) or metric.name in NO_SCORES:
            continue
        names = [
            n for n in rows_a if all(rows[n].values.get(metric.name) is not None for rows in (rows_a, rows_b))
        ]
        if len(names) >= 2:
            found.append((metric, names))
    if not found:
        raise UserError(f"{first} and {second}: no metric has values of two clips or more in both")
    compared = []
    for metric, names in found:
        values = [np.array([rows[n].values[metric.name] for n in names]) for rows in (rows_a, rows_b)]
        near = [np.array([closeness(metric, v) or 0.0 for v in side]) for side in values]
        # A ratio of 0 is infinitely far from 1: as far as the farthest number there is room for.
        near = [np.clip(side, -1e3, None) for side in near]
        by_character = a.protocol.interval_unit == "character"
        clusters = np.array([rows_a[n].character for n in names]) if by_character else None
        seed = a.protocol.seed
        plain = paired_difference(
            values[0], values[1], rng.numpy_generator(seed, "compare"), clusters=clusters
        )
        test = paired_difference(near[0], near[1], rng.numpy_generator(seed, "compare"), clusters=clusters)
        compared.append((metric, values, plain, test))
    adjusted = holm(np.array([test.p_value for *_, test in compared]))
    return [
        MetricComparison(
            metric,
            len(values[0]),
            float(values[0].mean()),
            float(values[1].mean()),
            plain.mean,
            plain.interval,
            test.p_value,
            float(p),
            None if p >= SIGNIFICANT else ("first" if test.mean > 0 else "second"),
        )
        for (metric, values, plain, test), p in zip(compared, adjusted, strict=True)
    ]


def too_few_to_tell(found: list[MetricComparison]) -> bool:
    """Whether not even the largest difference on every clip could pass the corrected test."""
    most = max(row.clips for row in found)
    return len(found) * 2.0 ** (1 - most) >= SIGNIFICANT


def write_comparison(found: list[MetricComparison], first: Path, second: Path, path: Path) -> None:
    """Write ``comparison.json``."""
    content = {
        "schema": SCHEMA,
        "first": str(first),
        "second": str(second),
        "method": (
            "paired differences over clips; percentile bootstrap interval; sign-flip permutation test of the "
            "closeness to the ideal; Holm's correction over all metrics"
        ),
        "metrics": [row.to_dict() for row in found],
        "versions": versions(),
    }
    write_atomically(path, [json.dumps(content, indent=1, allow_nan=False), "\n"])


def _check_same(a: ResultsFile, b: ResultsFile, first: Path, second: Path) -> None:
    who = f"{first} and {second} cannot be compared"
    left, right = a.protocol.settings(), b.protocol.settings()
    for key in {**left, **right}:
        if left.get(key) != right.get(key):
            raise UserError(f"{who}: protocols differ in {key}: {left.get(key)!r} and {right.get(key)!r}")
    pictures = [{clip.clip_id: clip.real_hash for clip in side.clips} for side in (a, b)]
    alone = sorted(pictures[0].keys() ^ pictures[1].keys())
    if alone:
        where = first if alone[0] in pictures[0] else second
        raise UserError(f"{who}: {len(alone)} clips are only in one of them, {alone[0]!r} only in {where}")
    other = [name for name in pictures[0] if pictures[0][name] != pictures[1][name]]
    if other:
        raise UserError(f"{who}: {len(other)} real clips show different pictures, first {other[0]!r}")
    if not pictures[0]:
        raise UserError(
            f"{who} clip by clip: protocol {a.protocol.name} scores whole sets; compare its values by eye"
        )
