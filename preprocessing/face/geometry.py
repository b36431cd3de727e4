"""Expression from the lengths of a face, held against those of the same face at rest."""

import numpy as np
from pydantic import Field
from scipy.optimize import nnls

from temporal_gan.config import Section
from temporal_gan.expressions import CLASS_CONTROLS, CLASSES, CONTROLS, EXPRESSIONS

from .measures import MEASURES

_FEATURES = ("blink", "jawOpen", "mouthSmile", "frown", "browInnerUp", "browDown", "browUp", "stretch")
_WEIGHTS = np.array([0.3, 0.4, 1.0, 1.0, 1.0, 1.0, 0.7, 0.6])
"""How much each says of the mood: eyes blink and mouths speak for other reasons too."""

_BEYOND_CONTROLS = {
    "happy": {"stretch": 1.0, "lips": 0.35},
    "sad": {"frown": 1.0},
    "angry": {"frown": 0.15, "stretch": 0.9, "lips": 0.35},
    "surprised": {"browUp": 0.8},
    "scared": {"frown": 0.2, "browUp": 0.45, "stretch": 0.9, "lips": -0.2},
    "disgusted": {"frown": 0.4, "stretch": 0.35, "lips": 0.35, "browDown": 0.1},
    "embarrassed": {"stretch": 0.6},
}
"""What classes do that the controls have no name for: corners of the mouth drawn down (AU15), the whole brow raised
(AU1+2), the mouth drawn wide (AU12, AU20, bared teeth), lips that part without the jaw (AU10, AU25); Ekman & Friesen's
EMFACS, in the measure of drawings."""

_CERTAINTY = {"neutral": 0.8, "disgusted": 0.5, "embarrassed": 0.3}
"""Of classes whose marks geometry does not see whole: a nose that wrinkles, a blush. The others 0.8."""


class Rest(Section):
    """A measure in a face at rest: what is usual, and how far a character may differ by design, in widths of the face.

    How far, because a clip may show nothing but one mood: then its most restful drawings are not at rest.
    """

    usual: float
    differs: float = Field(ge=0)


class GeometryConfig(Section):
    """Faces at rest, and how far they go from there; lengths in widths of the face.

    Read off 60 sampled puppets with exact points. Their lids are opened to 0.25 to 0.34, those of MediaPipe's mesh to
    0.05, which holds every face to human measure: so eyes are compared with themselves only. The spans are least
    spans: a clip that goes beyond is full at its own extreme, one that does less is never stretched.
    """

    restful: float = Field(default=0.15, gt=0, le=1, description="part of the drawings that show rest best")
    open_percentile: float = Field(
        default=85, ge=0, le=100, description="of the lids' opening: eyes wide open"
    )
    least_open: float = Field(default=0.03, gt=0, description="below, eyes are shut all the time")
    mouth_width: Rest = Rest(usual=0.155, differs=0.06)
    mouth_lift: Rest = Rest(usual=0.015, differs=0.02)
    brow_slant: Rest = Rest(usual=0.033, differs=0.025)
    brow_height: Rest = Rest(usual=0.48, differs=0.03)
    mouth_open_span: float = Field(default=0.16, gt=0)
    mouth_width_span: float = Field(default=0.11, gt=0)
    smile_span: float = Field(default=0.09, gt=0)
    frown_span: float = Field(default=0.08, gt=0)
    brow_up_span: float = Field(default=0.125, gt=0, description="of the slant, inner ends up")
    brow_down_span: float = Field(default=0.12, gt=0, description="of the slant, inner ends down")
    brow_raise_span: float = Field(default=0.08, gt=0)


def read_geometry(
    values: np.ndarray, trust: np.ndarray, config: GeometryConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Expression of the drawings of one clip.

    Controls come from the measures, classes from the nearest mixture of what the classes do
    (``expressions.CLASS_CONTROLS``, and :data:`_BEYOND_CONTROLS`), by non-negative least squares (Lawson & Hanson 1974)
    in which ``neutral`` takes what the others leave.

    Args:
        values, trust: float [D, 7] of :func:`.measures.measure_faces`, a row per drawing of one clip.
        config: what counts as rest.
    Returns:
        intensity and confidence, float32 [D, 14] in the order of EXPRESSIONS; confidence 0 where the face could not be
        measured.
    """
    seen, sure = (dict(zip(MEASURES, columns.T, strict=True)) for columns in (values, trust))

    rest = _rest(seen, trust.min(axis=-1) > 0, config)

    def gone(name: str, span: float, sign: float = 1.0) -> np.ndarray:
        way = sign * (seen[name] - rest[name])
        known = way[sure[name] > 0]
        farthest = float(np.percentile(known, 98)) if len(known) else 0.0
        return np.asarray(np.clip(way / max(span, farthest), 0, 1))

    smile = gone("mouth_lift", config.smile_span)
    raised = gone("brow_height", config.brow_raise_span)
    # A full smile narrows the eye from below (AU6) without a blink.
    open_eye = 1 - 0.6 * smile
    blinks = {
        side: np.clip(1 - seen[f"{side}_eye"] / (rest[f"{side}_eye"] * open_eye), 0, 1)
        for side in ("left", "right")
    }
    features = {
        "blink": np.minimum(blinks["left"], blinks["right"]),
        "jawOpen": gone("mouth_open", config.mouth_open_span),
        "mouthSmile": smile,
        "frown": gone("mouth_lift", config.frown_span, -1.0),
        "browInnerUp": np.maximum(gone("brow_slant", config.brow_up_span), 0.8 * raised),
        "browDown": gone("brow_slant", config.brow_down_span, -1.0),
        "browUp": raised,
        "stretch": gone("mouth_width", config.mouth_width_span),
    }
    intensity = np.zeros((len(values), len(EXPRESSIONS)), np.float32)
    classes = _mixtures(np.stack([features[name] for name in _FEATURES], axis=-1))
    intensity[:, : len(CLASSES)] = classes
    lips = classes @ [_BEYOND_CONTROLS.get(name, {}).get("lips", 0.0) for name in CLASSES]
    controls = {
        "eyeBlinkLeft": blinks["left"],
        "eyeBlinkRight": blinks["right"],
        "jawOpen": np.clip(features["jawOpen"] - lips, 0, 1),
    } | {name: features[name] for name in ("mouthSmile", "browInnerUp", "browDown")}
    for name, amount in controls.items():
        intensity[:, EXPRESSIONS.index(name)] = amount
    everything = trust.min(axis=-1)
    confidence = np.zeros_like(intensity)
    for column, name in enumerate(CLASSES):
        confidence[:, column] = _CERTAINTY.get(name, 0.8) * everything
    for name, needs in zip(CONTROLS, _CONTROL_NEEDS, strict=True):
        confidence[:, EXPRESSIONS.index(name)] = np.min([sure[need] for need in needs], axis=0)
    return intensity, confidence


_CONTROL_NEEDS = (
    ("left_eye",), ("right_eye",), ("mouth_open",), ("mouth_lift",), ("brow_slant", "brow_height"), ("brow_slant",),
)  # fmt: skip


def _rest(seen: dict[str, np.ndarray], known: np.ndarray, config: GeometryConfig) -> dict[str, float]:
    """Each measure of this face at rest: the median of the most restful drawings, within what is usual."""
    usual = {
        "mouth_width": (config.mouth_width, config.mouth_width_span),
        "mouth_lift": (config.mouth_lift, config.smile_span),
        "brow_slant": (config.brow_slant, config.brow_down_span),
        "brow_height": (config.brow_height, config.brow_raise_span),
    }
    if not known.any():
        known = np.ones_like(known)
    away = seen["mouth_open"] / config.mouth_open_span
    away = away + sum(np.abs(seen[name] - rest.usual) / span for name, (rest, span) in usual.items())
    count = max(1, round(config.restful * known.sum()))
    restful = np.argsort(np.where(known, away, np.inf), kind="stable")[:count]
    found = {"mouth_open": 0.0}
    for name, (rest, _) in usual.items():
        own = float(np.median(seen[name][restful]))
        found[name] = float(np.clip(own, rest.usual - rest.differs, rest.usual + rest.differs))
    for name in ("left_eye", "right_eye"):
        found[name] = max(float(np.percentile(seen[name][known], config.open_percentile)), config.least_open)
    return found


def _mixtures(features: np.ndarray) -> np.ndarray:
    """Features [D, 8] -> classes [D, 8] that sum to 1."""
    prototypes = np.zeros((len(_FEATURES), len(CLASSES)))
    for column, name in enumerate(CLASSES):
        table, beyond = CLASS_CONTROLS[name], _BEYOND_CONTROLS.get(name, {})
        does = {feature: table.get(feature, 0.0) + beyond.get(feature, 0.0) for feature in _FEATURES}
        does |= {
            "blink": table.get("eyeBlinkLeft", 0.0),
            "jawOpen": does["jawOpen"] + beyond.get("lips", 0.0),
        }
        prototypes[:, column] = [does[feature] for feature in _FEATURES]
    # The last row holds the sum at 1.
    matrix = np.vstack([prototypes * _WEIGHTS[:, None], np.full(len(CLASSES), 30.0)])
    shares = np.zeros((len(features), len(CLASSES)))
    for row, seen in zip(shares, features, strict=True):
        row[:] = nnls(matrix, np.append(seen * _WEIGHTS, 30.0))[0]
    return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9))
