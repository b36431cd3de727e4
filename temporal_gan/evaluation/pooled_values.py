"""What only all clips together can say: a confusion of expressions, and whether face and body belong together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ..expressions import CLASSES, EXPRESSIONS
from ..metrics import coherence
from ..metrics.expression import SMALLEST_CHANGE, macro_f1
from .clip_curves import ClipCurves, ScriptCurves
from .measurement_values import Measurement
from .reader_metrics import COHERENCE_METRICS, POOLED_METRICS


@dataclass(frozen=True)
class PooledValue:
    """One number for all clips.

    Attributes:
        value: None where there is none.
        reason: why, or "".
        clips, frames: that it was taken from.
        details: what is said beside it in results.json.
    """

    value: float | None
    reason: str = ""
    clips: int = 0
    frames: int = 0
    details: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadClip:
    """One clip as far as it is pooled.

    Attributes:
        measurement: of the candidate.
        script: curves of its command and its real clip, or None.
        fps: frames a second.
    """

    measurement: Measurement
    script: ScriptCurves | None
    fps: float


def pool(clips: Sequence[ReadClip], seed: int) -> dict[str, PooledValue]:
    """Every pooled metric -> its value.

    Args:
        clips: of one candidate, the made clips or an anchor.
        seed: of the shuffled pairs.
    """
    if not any(clip.measurement.against for clip in clips):
        reasons = [clip.measurement.reasons.get("reader_pck@0.1", "nothing was read") for clip in clips]
        return dict.fromkeys(
            POOLED_METRICS, PooledValue(None, reasons[0] if reasons else "no clip was scored")
        )
    return {"expression_macro_f1": _pool_confusion(clips), **_pool_coherence(clips, seed)}


def confusion(clips: Sequence[Measurement]) -> Tensor:
    """int64 [8, 8], frames by commanded class and class read."""
    total = torch.zeros(len(CLASSES), len(CLASSES), dtype=torch.int64)
    for clip in clips:
        for row, column, count in clip.confusion:
            total[row, column] += count
    return total


def _pool_confusion(clips: Sequence[ReadClip]) -> PooledValue:
    counted = [clip.measurement for clip in clips if clip.measurement.confusion]
    if not counted:
        return PooledValue(None, "no frame has a visible face and a command of 0.5 or more")
    total = confusion(counted)
    return PooledValue(macro_f1(total), clips=len(counted), frames=int(total.sum()))


def _pool_coherence(clips: Sequence[ReadClip], seed: int) -> dict[str, PooledValue]:
    names = [metric.name for metric in COHERENCE_METRICS]
    whole = [
        (clip.measurement.curves, clip.script, clip.fps)
        for clip in clips
        if clip.measurement.curves is not None and clip.script is not None
    ]
    frames = min((len(made.intensity) for made, _, _ in whole), default=0)
    rates = {fps for _, _, fps in whole}
    if frames * len(whole) < coherence.FEWEST_POOLED or len(rates) > 1:
        why = (
            f"needs clips of {coherence.FEWEST_FRAMES} frames or more with the face in sight, "
            f"{coherence.FEWEST_POOLED} frames in all at one frame rate; there are {len(whole)} such clips"
        )
        return dict.fromkeys(names, PooledValue(None, why))
    # Sums over clips weigh them alike: all are cut to the shortest.
    group = _Group([made for made, _, _ in whole], [script for _, script, _ in whole], frames, rates.pop())
    values: dict[str, PooledValue] = {}
    for measured in (group.lag, group.recognised, group.alignment, lambda: group.gap(seed)):
        values |= measured()
    return values


@dataclass(frozen=True)
class _Group:
    """Clips of one length and rate."""

    made: list[ClipCurves]
    scripts: list[ScriptCurves]
    frames: int
    fps: float

    def lag(self) -> dict[str, PooledValue]:
        """Every channel of every clip whose command changes is one curve."""
        wanted, read = [], []
        for clip, script in zip(self.made, self.scripts, strict=True):
            for name, curve in script.commanded.items():
                if np.ptp(curve[: self.frames]) >= SMALLEST_CHANGE:
                    wanted.append(curve[: self.frames])
                    read.append(clip.intensity[: self.frames, EXPRESSIONS.index(name)])
        names = ("command_lag_frames", "command_lag_peak")
        if not wanted:
            return dict.fromkeys(names, PooledValue(None, "no command changes by 0.1 or more"))
        try:
            found = coherence.command_lag(_stack(wanted), _stack(read))
        except UserError as error:
            return dict.fromkeys(names, PooledValue(None, str(error)))
        beside = {"curves": len(wanted), "at_zero": found.at_zero, "peak": found.peak}
        return {
            names[0]: self._value(float(found.frames), beside),
            names[1]: self._value(found.peak, beside | {"lag_frames": found.frames}),
        }

    def recognised(self) -> dict[str, PooledValue]:
        """A channel without a command says nothing on either side."""
        name = "swapped_label_auc"
        wanted = np.zeros((len(self.made), self.frames, len(EXPRESSIONS)))
        read = wanted.copy()
        for row, (clip, script) in enumerate(zip(self.made, self.scripts, strict=True)):
            for channel, curve in script.commanded.items():
                e = EXPRESSIONS.index(channel)
                wanted[row, :, e] = curve[: self.frames]
                read[row, :, e] = clip.intensity[: self.frames, e]
        if not any(script.commanded for script in self.scripts):
            return {name: PooledValue(None, "the real clips carry no expression labels")}
        try:
            auc = coherence.swapped_label_auc(torch.from_numpy(wanted), torch.from_numpy(read))
            return {name: self._value(auc, {})}
        except UserError as error:
            return {name: PooledValue(None, str(error))}

    def alignment(self) -> dict[str, PooledValue]:
        """Beside it the same of the real clips, and of faces dealt to the next clip's body."""
        made = self._onsets(self.made)
        real = self._onsets([script.real for script in self.scripts])
        values = [
            coherence.event_alignment(*made),
            coherence.event_alignment(*real),
            coherence.event_alignment(made[0], made[1][1:] + made[1][:1]),
        ]
        if not np.isfinite(values[0]):
            return {"event_alignment": PooledValue(None, "no face begins to change")}
        names = ("real", "shuffled")
        beside = {n: v if np.isfinite(v) else None for n, v in zip(names, values[1:], strict=True)}
        return {"event_alignment": self._value(values[0], beside)}

    def gap(self, seed: int) -> dict[str, PooledValue]:
        """Beside it both correlations, and the null of faces dealt to other clips."""
        real = [script.real for script in self.scripts]
        try:
            found = coherence.coherence_gap(
                self._motion(self.made), self._rate(self.made), self._motion(real), self._rate(real), seed
            )
        except UserError as error:
            return {"coherence_gap": PooledValue(None, str(error))}
        beside = {
            "made": found.made,
            "real": found.real,
            "null_mean": found.null_mean,
            "null_spread": found.null_spread,
            "z": found.z if np.isfinite(found.z) else None,
            "p_value": found.p_value,
        }
        return {"coherence_gap": self._value(found.gap, beside)}

    def _value(self, value: float, details: Mapping[str, object]) -> PooledValue:
        count = len(self.made)
        return PooledValue(value, "", count, count * self.frames, {"frames_each": self.frames, **details})

    def _motion(self, clips: list[ClipCurves]) -> Tensor:
        return _stack([clip.motion[: self.frames - 1] for clip in clips])

    def _rate(self, clips: list[ClipCurves]) -> Tensor:
        return coherence.expression_rate(_stack([clip.intensity[: self.frames] for clip in clips]), self.fps)

    def _onsets(self, clips: list[ClipCurves]) -> tuple[list[Tensor], list[Tensor]]:
        return coherence.onsets(self._rate(clips), self.fps), coherence.onsets(self._motion(clips), self.fps)


def _stack(curves: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(curves))
