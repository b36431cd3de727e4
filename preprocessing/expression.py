"""What the face of a clip says: read by one method, smoothed over its drawings, told with its confidence."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field
from scipy.ndimage import median_filter

from temporal_gan.config import Section
from temporal_gan.data.manifest import ORIGINS
from temporal_gan.expressions import CLASSES, EXPRESSIONS
from temporal_gan.models.reader import Reader
from temporal_gan.models.reader_file import load_reader

from .clip import Clip, Expression
from .face.blendshapes import BlendshapeConfig, read_blendshapes
from .face.geometry import GeometryConfig, read_geometry
from .face.measures import measure_faces
from .face.reading import read_faces
from .face.tags import TagConfig, Tagger, read_tags

Method = Literal["auto", "blendshapes", "geometry", "tags", "reader", "none"]

_QUICK = tuple(EXPRESSIONS.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen"))
"""A blink and a syllable may be over within one drawing: these are not smoothed."""


class ExpressionConfig(Section):
    """How expressions are read.

    ``auto`` takes for each clip the first that can be had: blendshapes (the backend measured them), geometry (it gave
    points), tags (a tagger is configured) and the reader, both only where a face was found: the reader alone finds a
    sure expression in every picture. The store tells which. Any other method is taken or nothing: a clip for which it
    cannot be had has no expression.
    """

    method: Method = "auto"
    blendshapes: BlendshapeConfig = BlendshapeConfig()
    geometry: GeometryConfig = GeometryConfig()
    tags: TagConfig = TagConfig()
    reader: Path | Literal["metrics", "loss"] = Field(
        default="loss",
        description="reader's file; labels read by the copy that judges would flatter whoever learns from them",
    )
    smoothing: float = Field(
        default=0.06,
        ge=0,
        description="seconds, standard deviation over time; a mood takes 0.2 s and more to come, on the puppet",
    )


@dataclass(frozen=True)
class ExpressionTools:
    """What is loaded once per process; None where the method does not need it."""

    reader: Reader | None = None
    tagger: Tagger | None = None


def open_expression_tools(config: ExpressionConfig) -> ExpressionTools:
    """Load what the method may need.

    Raises:
        UserError: a tagger's or reader's file is missing or broken; method ``tags`` without its files.
    """
    wants_tags = config.method == "tags" or (
        config.method == "auto" and (config.tags.model is not None or config.tags.vocabulary is not None)
    )
    return ExpressionTools(
        load_reader(config.reader) if config.method in ("auto", "reader") else None,
        Tagger(config.tags) if wants_tags else None,
    )


def read_expression(clip: Clip, tools: ExpressionTools, config: ExpressionConfig) -> Clip:
    """Read the expression of each drawing; frames that show the same drawing share it.

    Args:
        clip: with its faces.
        tools: from :func:`open_expression_tools` with the same settings.
        config: how.
    Returns:
        with ``expression``; confidence 0 where no face was found. Facts: ``frames_with_expression``.
    """
    method = _method(clip, tools, config.method)
    frames = len(clip.frames_u8)
    if method == "":
        return replace(clip, expression=Expression.unknown(frames)).with_facts(frames_with_expression=0.0)
    intensity, confidence = _read(clip, method, tools, config)
    smooth = smooth_drawings(intensity, confidence, clip.time[clip.drawings], config.smoothing)
    row = np.searchsorted(np.unique(clip.hold), clip.hold)
    origin = np.full(frames, ORIGINS.index("detected"), np.uint8)
    made = Expression(smooth[row], confidence[row], origin, method)
    known = float((made.confidence > 0).any(axis=1).sum())
    return replace(clip, expression=made).with_facts(frames_with_expression=known)


def smooth_drawings(
    intensity: np.ndarray, confidence: np.ndarray, time: np.ndarray, seconds: float
) -> np.ndarray:
    """Smooth what changes slowly, both ways in time and so without delay: a median of three drawings against single
    mistakes, then a mean weighted by confidence and a Gaussian of time. Blinks and the jaw stay as they are.

    Args:
        intensity, confidence: float32 [D, 14], a row per drawing; rows of confidence 0 are neither used nor changed.
        time: float [D] seconds, growing.
        seconds: standard deviation; 0 leaves the median alone.
    Returns:
        float32 [D, 14] in [0, 1]; classes sum to at most 1 where they did, ``neutral`` is what they leave.
    """
    smooth = intensity.astype(np.float64)
    known = np.flatnonzero((confidence > 0).any(axis=1))
    if len(known) == 0:
        return intensity
    slow = np.setdiff1d(np.arange(len(EXPRESSIONS)), _QUICK)
    values = smooth[np.ix_(known, slow)]
    if len(known) >= 3:
        values = median_filter(values, size=(3, 1), mode="nearest")
    if seconds > 0:
        values = _gaussian(values, confidence[np.ix_(known, slow)], time[known], seconds)
    smooth[np.ix_(known, slow)] = values
    moods = smooth[known, 1 : len(CLASSES)]
    moods = moods / np.maximum(moods.sum(axis=1, keepdims=True), 1)
    smooth[known, 1 : len(CLASSES)] = moods
    smooth[known, 0] = 1 - moods.sum(axis=1)
    return np.clip(smooth, 0, 1).astype(np.float32)


def _gaussian(values: np.ndarray, confidence: np.ndarray, time: np.ndarray, seconds: float) -> np.ndarray:
    """[K, C] averaged over neighbours within three standard deviations."""
    out = np.empty_like(values)
    first = np.searchsorted(time, time - 3 * seconds)
    last = np.searchsorted(time, time + 3 * seconds, side="right")
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        near = np.exp(-0.5 * ((time[a:b] - time[i]) / seconds) ** 2)[:, None]
        # A column that nobody is sure of is averaged by time alone.
        weight = near * np.maximum(confidence[a:b], 1e-6)
        out[i] = (weight * values[a:b]).sum(axis=0) / weight.sum(axis=0)
    return out


def _method(clip: Clip, tools: ExpressionTools, wanted: Method) -> str:
    """The method that is taken; "" = none can be had."""
    face = clip.face
    found = face is not None and bool((face.confidence > 0).any())
    can = {
        "blendshapes": face is not None and face.blendshapes is not None,
        "geometry": face is not None and face.points is not None,
        "tags": tools.tagger is not None and found,
        "reader": tools.reader is not None and (found or wanted == "reader"),
        "none": False,
    }
    if wanted != "auto":
        return wanted if can[wanted] else ""
    return next((method for method, possible in can.items() if possible), "")


def _read(
    clip: Clip, method: str, tools: ExpressionTools, config: ExpressionConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Intensity and confidence, float32 [D, 14]."""
    face, drawings = clip.face, clip.drawings
    if method == "reader":
        assert tools.reader is not None
        return read_faces(tools.reader, clip)
    if method == "tags":
        assert tools.tagger is not None
        return read_tags(tools.tagger, clip)
    assert face is not None
    seen = face.confidence[drawings]
    if method == "blendshapes":
        assert face.blendshapes is not None
        return read_blendshapes(face.blendshapes[drawings], seen, config.blendshapes)
    assert face.points is not None
    height, width = clip.frames_u8.shape[1:3]
    values, trust = measure_faces(face.points[drawings], width, height)
    return read_geometry(values, trust * (seen > 0)[:, None], config.geometry)
