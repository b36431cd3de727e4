"""What an evaluation found, and its results.json."""

import hashlib
import json
import math
import os
import platform
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import torch

from .. import rng
from ..expressions import CLASSES
from ..metrics.statistics import bootstrap_interval
from .clip_results import ClipResult, FailedClip
from .definitions import ANCHOR_MEANINGS, DEFINITIONS, PAIRED_METRICS
from .keypoint_transfer import READER
from .metric_definition import MetricDefinition
from .pictures import ShownClip
from .pooled_values import PooledValue, ReadClip, confusion, pool
from .protocols import Protocol
from .reader_metrics import POOLED_METRICS, POSE_METRICS, READER_METRICS

SCHEMA = 1

_KEYPOINT_METRICS = ("pck", "average_keypoint", "missing_keypoint", "keypoint_")
_DIS_METRICS = ("motion_ratio", "acceleration_ratio", "flow_distance", "foreground_flow_distance")
_READER_NAMES = {metric.name for metric in READER_METRICS}
_READER_POSE = {metric.name for metric in POSE_METRICS}
_LPIPS_METRICS = ("lpips", "perceptual_change_distance", "perceptual_change_excess")


@dataclass
class Results:
    """Everything :func:`temporal_gan.evaluation.run.evaluate` found.

    Attributes:
        protocol: the protocol that was followed.
        clips: one entry a scored clip, in the order they came.
        anchor_names: anchors that were asked for.
        failed: clips that could not be scored.
        missing: names of real clips for which nothing was made.
        split: which clips of the store these are; "" where that was not said.
        lpips_hash: SHA-256 of the LPIPS weights, or None.
        reader_hash: SHA-256 of the reader, or None.
        reader_is_for_losses: it is the copy that training may be against.
        shown: pictures of the worst and the best clips, worst first; not part of results.json.
    """

    protocol: Protocol
    clips: list[ClipResult]
    anchor_names: tuple[str, ...]
    failed: list[FailedClip] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    split: str = ""
    lpips_hash: str | None = None
    reader_hash: str | None = None
    reader_is_for_losses: bool = False
    shown: list[ShownClip] = field(default_factory=list)

    definitions = PAIRED_METRICS

    def metric(self, name: str) -> dict[str, object]:
        """The entry of one metric, as in results.json. Raises KeyError for an unknown name."""
        names = [m.name for m in PAIRED_METRICS]
        if name not in names:
            raise KeyError(f"no metric {name!r}; there are: {', '.join(names)}")
        return self._entry(DEFINITIONS[name])

    def anchor_values(self) -> dict[str, dict[str, float | None]]:
        """Anchor -> metric -> mean over clips (None where it is not defined)."""
        return {
            anchor: {
                m.name: pooled[m.name].value
                if m.name in POOLED_METRICS
                else _mean(
                    clip.anchors[anchor].values.get(m.name) for clip in self.clips if anchor in clip.anchors
                )
                for m in PAIRED_METRICS
            }
            for anchor, pooled in zip(self.anchor_names, self._pooled_anchors, strict=True)
        }

    @cached_property
    def _pooled(self) -> dict[str, PooledValue]:
        clips = [ReadClip(clip.made, clip.script, clip.fps) for clip in self.clips]
        return pool(clips, self.protocol.seed)

    @cached_property
    def _pooled_anchors(self) -> list[dict[str, PooledValue]]:
        return [
            pool(
                [
                    ReadClip(clip.anchors[anchor], clip.script, clip.fps)
                    for clip in self.clips
                    if anchor in clip.anchors
                ],
                self.protocol.seed,
            )
            for anchor in self.anchor_names
        ]

    def shortfall(self) -> str | None:
        """Why the protocol gives no values for these clips; None where it does."""
        protocol = self.protocol
        lost = len(self.missing) + len(self.failed)
        if protocol.whole_split and lost:
            first = self.failed[0].clip_id if self.failed else self.missing[0]
            return (
                f"{protocol.name} scores the whole split {protocol.split}, but {lost} of its clips could not be "
                f"scored or were not made (first: {first})"
            )
        if len(self.clips) < protocol.fewest_clips:
            return (
                f"{protocol.name} asks for {protocol.fewest_clips} clips or more, got {len(self.clips)}; make a larger "
                f"store, or use clips_v1 with --split {protocol.split}"
            )
        return None

    def protocol_dict(self) -> dict[str, object]:
        """The protocol as results.json has it, with everything that was left to the caller."""
        protocol = self.protocol.to_dict()
        protocol["anchors"] = {name: ANCHOR_MEANINGS[name] for name in self.anchor_names}
        protocol["split"] = self.split or self.protocol.split or "not named"
        protocol["weights"] = {"lpips": self.lpips_hash, "reader": self.reader_hash}
        return protocol

    def reference(self) -> dict[str, object]:
        """Which real clips these numbers are about; equal hashes mean the same clips with the same pictures."""
        pictures = sorted(f"{clip.clip_id}\0{clip.real_hash}" for clip in self.clips)
        sizes = Counter(f"{clip.width}x{clip.height}" for clip in self.clips)
        return {
            "hash": hashlib.sha256("\n".join(pictures).encode()).hexdigest(),
            "clips": len(self.clips),
            "frames": sum(clip.frames for clip in self.clips),
            "fps": sorted({clip.fps for clip in self.clips}),
            "sizes": dict(sorted(sizes.items())),
        }

    def to_dict(self) -> dict[str, object]:
        """The content of results.json: plain types, no NaN."""
        return {**self._head(), "clips": [clip.to_dict() for clip in self.clips], "versions": versions()}

    def write(self, path: Path) -> None:
        """Write results.json whole or not at all, a clip at a time."""
        rows = (json.dumps(clip.to_dict(), allow_nan=False) for clip in self.clips)
        write_atomically(path, _json_with_rows(self._head(), rows, {"versions": versions()}))

    def _head(self) -> dict[str, object]:
        return {
            "schema": SCHEMA,
            "protocol": self.protocol_dict(),
            "reference": self.reference(),
            "metrics": [self._entry(m) for m in PAIRED_METRICS],
            "anchors": self.anchor_values(),
            "failed": [{"clip_id": clip.clip_id, "reason": clip.reason} for clip in self.failed],
            "missing": self.missing,
        }

    def _entry(self, metric: MetricDefinition) -> dict[str, object]:
        if metric.name in POOLED_METRICS:
            return self._pooled_entry(metric)
        scored = [clip for clip in self.clips if metric.name in clip.made.values]
        shortfall = self.shortfall()
        values = np.array([clip.made.values[metric.name] for clip in scored])
        known = bool(scored) and shortfall is None
        entry: dict[str, object] = {
            "name": metric.name,
            "value": float(values.mean()) if known else None,
            "interval": None,
            "std": float(values.std(ddof=1)) if known and len(scored) > 1 else None,
            "unit": metric.unit,
            "higher_is_better": metric.higher_is_better,
            "ideal": metric.ideal,
            "clips": len(scored),
            "frames": sum(clip.frames for clip in scored),
        }
        if not known:
            entry["reason"] = shortfall or self._reason(metric.name)
        else:
            entry |= self._interval(values, [clip.character for clip in scored])
        if metric.temporal:
            # A temporal score is never quoted alone: a frozen clip would win it.
            entry["motion_ratio"] = _mean(clip.made.values.get("motion_ratio") for clip in self.clips)
        entry |= self._method(metric.name, scored)
        return entry

    def _pooled_entry(self, metric: MetricDefinition) -> dict[str, object]:
        found, shortfall = self._pooled[metric.name], self.shortfall()
        known = found.value is not None and shortfall is None
        entry: dict[str, object] = {
            "name": metric.name,
            "value": found.value if known else None,
            "interval": None,
            "interval_reason": "one value for all clips together",
            "unit": metric.unit,
            "higher_is_better": metric.higher_is_better,
            "ideal": metric.ideal,
            "clips": found.clips,
            "frames": found.frames,
            "weights_sha256": self.reader_hash,
        }
        entry |= found.details if known else {"reason": shortfall or found.reason}
        if metric.temporal:
            entry["motion_ratio"] = _mean(clip.made.values.get("motion_ratio") for clip in self.clips)
        return entry

    def _interval(self, values: np.ndarray, characters: list[str]) -> dict[str, object]:
        protocol = self.protocol
        # Every metric draws the same resamples of clips, so intervals of one report belong together.
        generator = rng.numpy_generator(protocol.seed, "bootstrap")
        clusters = np.array(characters) if protocol.interval_unit == "character" else None
        found = bootstrap_interval(
            values, generator, protocol.bootstrap_draws, protocol.interval_level, clusters
        )
        if found is not None:
            return {"interval": list(found)}
        groups = len(values) if clusters is None else len(set(characters))
        return {
            "interval": None,
            "interval_reason": f"{groups} {protocol.interval_unit}(s); a bootstrap needs three or more",
        }

    def _method(self, name: str, scored: list[ClipResult]) -> dict[str, object]:
        if name == "warping_error_own_flow":
            beside = [clip.made.values.get("warping_error_reference_flow") for clip in scored]
            kept = [clip.made.own_kept_fraction for clip in scored]
            flow = {"dis, made clip": len(scored)}
            return {"flow": flow, "kept_fraction": _mean(kept), "warping_error_reference_flow": _mean(beside)}
        if "warping_error" in name or name.startswith("flicker"):
            kept = [clip.made.kept_fraction for clip in scored]
            return {"flow": dict(Counter(clip.flow for clip in scored)), "kept_fraction": _mean(kept)}
        if name in _DIS_METRICS:
            return {"method": "flow_dis"}
        if name in _LPIPS_METRICS:
            return {"weights_sha256": self.lpips_hash}
        if name in _READER_NAMES:
            return {"weights_sha256": self.reader_hash} | self._reader_method(name, scored)
        return {"reader": READER} if name.startswith(_KEYPOINT_METRICS) else {}

    def _reader_method(self, name: str, scored: list[ClipResult]) -> dict[str, object]:
        if name in _READER_POSE:
            return {"against": dict(Counter(str(clip.made.against) for clip in scored))}
        if name == "expression_accuracy" and scored:
            counts = confusion([clip.made for clip in scored])
            return {"confusion": {"classes": list(CLASSES), "commanded_by_read": counts.tolist()}}
        return {}

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


def write_atomically(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Write a file through a temporary neighbour: a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                file.writelines(
                    part.encode() for part in ([content] if isinstance(content, str) else content)
                )
        # mkstemp makes the file private; results are meant to be read like any other file.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _json_with_rows(head: dict[str, object], rows: Iterable[str], tail: dict[str, object]) -> Iterator[str]:
    """A JSON object whose ``clips`` are written one by one, a line each."""
    yield json.dumps(head, indent=1, allow_nan=False)[:-2]
    between = ',\n "clips": [\n'
    for row in rows:
        yield f"{between}  {row}"
        between = ",\n"
    yield "\n ]," + json.dumps(tail, indent=1, allow_nan=False)[1:] + "\n"


def _mean(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return math.fsum(known) / len(known) if known else None
