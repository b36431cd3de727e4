"""What one number of the report is: name, unit, direction, and what it means in plain words."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class MetricDefinition:
    """One row of results.json and of the report.

    Attributes:
        name: key in results.json.
        title: what people call it.
        unit: of the value.
        higher_is_better: None where neither end is good (ratios, floors).
        ideal: the value of a perfect clip, or None where it depends on the clip.
        temporal: judges frames against each other; shown only with the motion ratio beside it.
        digits: decimals to print.
        meaning: what it measures, for a reader who never met it.
        good: what a good value is.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool | None
    ideal: float | None
    temporal: bool
    digits: int
    meaning: str
    good: str


def closeness(metric: MetricDefinition, value: float) -> float | None:
    """The value on a scale where larger is better; None where it is no score."""
    if metric.higher_is_better is not None:
        return value if metric.higher_is_better else -value
    if metric.ideal is None:
        return None
    if metric.unit == "ratio":
        # Twice as much is as far off as half as much, and nothing at all is infinitely far.
        return -abs(math.log(value)) if value > 0 else -math.inf
    return -abs(value - metric.ideal)
