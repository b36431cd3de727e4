"""The numbers of one candidate, as they are collected."""

import math
from dataclasses import dataclass, field

from torch import Tensor

from .clip_curves import ClipCurves


@dataclass
class Measurement:
    """Values of one candidate: a name is in ``values`` or, with a sentence, in ``reasons``; never in both.

    Attributes:
        values, reasons: by metric.
        psnr_per_frame: dB.
        kept_fraction, own_kept_fraction: of the pixels, of the warping errors.
        against: what the joints that were read are held against, ``labels`` or ``reading``; None: nothing was read.
        confusion: (commanded class, class read, frames).
        curves: of a long clip, for what is compared over all clips.
    """

    values: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    psnr_per_frame: list[float] = field(default_factory=list)
    kept_fraction: float | None = None
    own_kept_fraction: float | None = None
    against: str | None = None
    confusion: list[tuple[int, int, int]] = field(default_factory=list)
    curves: ClipCurves | None = None

    def put(self, name: str, value: Tensor, reason: str) -> None:
        """Record a one-clip metric [1], or the reason where it is not defined."""
        number = float(value)
        if math.isfinite(number):
            self.values[name] = number
        else:
            self.reasons[name] = reason

    def skip(self, names: tuple[str, ...], reason: str) -> None:
        """Record why several metrics are not there."""
        self.reasons.update(dict.fromkeys(names, reason))

    def reading_row(self) -> dict[str, object]:
        """What the journal keeps beside values and reasons: plain types."""
        curves = None if self.curves is None else self.curves.to_row()
        return {"against": self.against, "confusion": self.confusion, "curves": curves}

    def take_reading_row(self, row: dict) -> None:
        """Inverse of :meth:`reading_row`. Raises ValueError, KeyError, TypeError."""
        self.against = row["against"]
        self.confusion = [(int(a), int(b), int(count)) for a, b, count in row["confusion"]]
        self.curves = None if row["curves"] is None else ClipCurves.from_row(row["curves"])
