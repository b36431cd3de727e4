"""What an evaluation found, and its results.json."""

import json
import math
import os
import platform
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import torch

from .. import rng
from ..metrics.statistics import bootstrap_interval
from .definitions import ANCHOR_MEANINGS, DEFINITIONS, METRICS, MetricDefinition
from .keypoint_transfer import READER
from .measurement import Measurement
from .pictures import ShownClip
from .protocols import Protocol

SCHEMA = 1


@dataclass
class ClipResult:
    """Numbers of one clip.

    Attributes:
        clip_id, character, fps, frames, width, height: of the real clip.
        resized_from: (width, height) of the made clip where it differed, else None.
        flow: reference flow of the warping error: ``exact``, ``dis`` or ``none``.
        made: measurement of the made clip.
        anchors: name -> measurement of the anchor on this clip.
    """

    clip_id: str
    character: str
    fps: float
    frames: int
    width: int
    height: int
    resized_from: tuple[int, int] | None
    flow: str
    made: Measurement
    anchors: dict[str, Measurement] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Plain types for JSON."""
        return {
            "clip_id": self.clip_id,
            "character": self.character,
            "frames": self.frames,
            "fps": self.fps,
            "width": self.width,
            "height": self.height,
            "resized_from": list(self.resized_from) if self.resized_from else None,
            "flow": self.flow,
            "kept_fraction": self.made.kept_fraction,
            "values": {m.name: self.made.values.get(m.name) for m in METRICS},
            "reasons": dict(self.made.reasons),
            "psnr_per_frame": self.made.psnr_per_frame,
            "anchors": {name: dict(anchor.values) for name, anchor in self.anchors.items()},
        }


@dataclass
class Results:
    """Everything :func:`temporal_gan.evaluation.run.evaluate` found.

    Attributes:
        protocol: the protocol that was followed.
        clips: one entry a clip, in the order they came.
        anchor_names: anchors that were asked for.
        shown: pictures of the worst and the best clips, worst first; not part of results.json.
    """

    protocol: Protocol
    clips: list[ClipResult]
    anchor_names: tuple[str, ...]
    shown: list[ShownClip] = field(default_factory=list)

    def metric(self, name: str) -> dict[str, object]:
        """The entry of one metric, as in results.json. Raises KeyError for an unknown name."""
        if name not in DEFINITIONS:
            raise KeyError(f"no metric {name!r}; there are: {', '.join(DEFINITIONS)}")
        return self._entry(DEFINITIONS[name])

    def anchor_values(self) -> dict[str, dict[str, float | None]]:
        """Anchor -> metric -> mean over clips (None where it is not defined)."""
        return {
            anchor: {
                m.name: _mean(
                    [c.anchors[anchor].values.get(m.name) for c in self.clips if anchor in c.anchors]
                )
                for m in METRICS
            }
            for anchor in self.anchor_names
        }

    def to_dict(self) -> dict[str, object]:
        """The content of results.json: plain types, no NaN."""
        protocol = self.protocol.to_dict()
        protocol["anchors"] = {name: ANCHOR_MEANINGS[name] for name in self.anchor_names}
        return {
            "schema": SCHEMA,
            "protocol": protocol,
            "metrics": [self._entry(m) for m in METRICS],
            "anchors": self.anchor_values(),
            "clips": [clip.to_dict() for clip in self.clips],
            "versions": versions(),
        }

    def write(self, path: Path) -> None:
        """Write results.json whole or not at all."""
        write_atomically(path, json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")

    def _entry(self, metric: MetricDefinition) -> dict[str, object]:
        scored = [clip for clip in self.clips if metric.name in clip.made.values]
        values = np.array([clip.made.values[metric.name] for clip in scored])
        entry: dict[str, object] = {
            "name": metric.name,
            "value": float(values.mean()) if scored else None,
            "interval": None,
            "std": float(values.std(ddof=1)) if len(scored) > 1 else None,
            "unit": metric.unit,
            "higher_is_better": metric.higher_is_better,
            "ideal": metric.ideal,
            "clips": len(scored),
            "frames": sum(clip.frames for clip in scored),
        }
        if not scored:
            entry["reason"] = self._reason(metric.name)
        # Every metric draws the same resamples of clips, so intervals of one report belong together.
        generator = rng.numpy_generator(self.protocol.seed, "bootstrap")
        interval = bootstrap_interval(
            values, generator, self.protocol.bootstrap_draws, self.protocol.interval_level
        )
        entry["interval"] = list(interval) if interval else None
        if metric.temporal:
            # A temporal score is never quoted alone: a frozen clip would win it.
            entry["motion_ratio"] = _mean([clip.made.values.get("motion_ratio") for clip in self.clips])
        if metric.name.startswith("warping_error"):
            entry["flow"] = dict(Counter(clip.flow for clip in scored))
            entry["kept_fraction"] = _mean([clip.made.kept_fraction for clip in scored])
        if metric.name in ("motion_ratio", "acceleration_ratio"):
            entry["method"] = "flow_dis"
        if metric.name.startswith("pck"):
            entry["reader"] = READER
        return entry

    def _reason(self, name: str) -> str:
        reasons = Counter(clip.made.reasons[name] for clip in self.clips if name in clip.made.reasons)
        return reasons.most_common(1)[0][0] if reasons else "no clip was scored"


def versions() -> dict[str, str]:
    """Versions of everything that can move a number."""
    try:
        own = metadata.version("temporal_gan")
    except metadata.PackageNotFoundError:
        own = "not installed (run from a source tree)"
    return {
        "temporal_gan": own,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def write_atomically(path: Path, text: str) -> None:
    """Write a text file through a temporary neighbour: a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # mkstemp makes the file private; results are meant to be read like any other file.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return math.fsum(known) / len(known) if known else None
