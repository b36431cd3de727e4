"""What was found out about one clip."""

from dataclasses import dataclass, field

from .clip_curves import ScriptCurves
from .definitions import PAIRED_METRICS
from .measurement_values import Measurement
from .reader_metrics import POOLED_METRICS

CLIP_VALUES = tuple(metric.name for metric in PAIRED_METRICS if metric.name not in POOLED_METRICS)
"""What a single clip has."""


@dataclass(frozen=True)
class FailedClip:
    """A clip that could not be scored, and why, in one line that names the file or the clip."""

    clip_id: str
    reason: str


@dataclass
class ClipResult:
    """Numbers of one clip.

    Attributes:
        clip_id, character, fps, frames, width, height: of the real clip.
        resized_from: (width, height) of the made clip where it differed, else None.
        flow: reference flow of the warping error: ``exact``, ``dis`` or ``none``.
        real_hash: names the real clip by what it shows.
        made: measurement of the made clip.
        anchors: name -> measurement of the anchor on this clip; empty where they were not measured.
        script: of a long clip, curves of its command and its real clip.
    """

    clip_id: str
    character: str
    fps: float
    frames: int
    width: int
    height: int
    resized_from: tuple[int, int] | None
    flow: str
    real_hash: str
    made: Measurement
    anchors: dict[str, Measurement] = field(default_factory=dict)
    script: ScriptCurves | None = None

    def score(self) -> float:
        """By which the worst and the best clips are chosen: foreground PSNR, or PSNR where there is none."""
        return self.made.values.get("foreground_psnr", self.made.values["psnr"])

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
            "real_hash": self.real_hash,
            "kept_fraction": self.made.kept_fraction,
            "own_kept_fraction": self.made.own_kept_fraction,
            "values": {name: self.made.values.get(name) for name in CLIP_VALUES},
            "reasons": dict(self.made.reasons),
            "psnr_per_frame": self.made.psnr_per_frame,
            "anchors": {name: dict(anchor.values) for name, anchor in self.anchors.items()},
        }

    def to_row(self) -> dict[str, object]:
        """Plain types for the journal: also what is pooled over clips."""
        return self.to_dict() | {
            "made_reading": self.made.reading_row(),
            "anchor_readings": {name: anchor.reading_row() for name, anchor in self.anchors.items()},
            "script": None if self.script is None else self.script.to_row(),
        }

    @staticmethod
    def from_row(data: dict) -> "ClipResult":
        """Inverse of :meth:`to_row`, but for the anchors' reasons and series.

        Raises KeyError, TypeError, ValueError.
        """
        made = Measurement(
            values={name: float(value) for name, value in data["values"].items() if value is not None},
            reasons=dict(data["reasons"]),
            psnr_per_frame=[float(value) for value in data["psnr_per_frame"]],
            kept_fraction=data["kept_fraction"],
            own_kept_fraction=data["own_kept_fraction"],
        )
        made.take_reading_row(data["made_reading"])
        anchors = {name: Measurement(values=dict(values)) for name, values in data["anchors"].items()}
        for name, anchor in anchors.items():
            anchor.take_reading_row(data["anchor_readings"][name])
        return ClipResult(
            clip_id=data["clip_id"],
            character=data["character"],
            fps=data["fps"],
            frames=data["frames"],
            width=data["width"],
            height=data["height"],
            resized_from=tuple(data["resized_from"]) if data["resized_from"] else None,
            flow=data["flow"],
            real_hash=data["real_hash"],
            made=made,
            anchors=anchors,
            script=None if data["script"] is None else ScriptCurves.from_row(data["script"]),
        )
