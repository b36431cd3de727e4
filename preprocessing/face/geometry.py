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

_EYES = ("left_eye", "right_eye")

_CERTAINTY = {"neutral": 0.8, "disgusted": 0.5, "embarrassed": 0.3}
"""Of classes whose marks geometry does not see whole: a nose that wrinkles, a blush. The others 0.8."""


class Rest(Section):
    """A measure in a face at rest: what is usual, and how far a character may differ by design, in widths of the face.

    How far, because a clip may show nothing but one mood: then its most restful drawings are not at rest.
    """

    usual: float
    differs: float = Field(ge=0)


class Proportions(Section):
    """Faces of one kind at rest, and how far a full expression takes them from there; in widths of the face.

    The spans are least spans: a clip that goes beyond is full at its own extreme, one that does less is never
    stretched.
    """

    mouth_width: Rest
    mouth_lift: Rest
    brow_slant: Rest
    brow_height: Rest
    open_span: float = Field(gt=0, description="the mouth opens")
    stretch_span: float = Field(gt=0, description="it grows wider")
    smile_span: float = Field(gt=0, description="its corners rise")
    frown_span: float = Field(gt=0, description="they sink")
    slant_up_span: float = Field(gt=0, description="the brows' inner ends rise")
    slant_down_span: float = Field(gt=0, description="they sink")
    raise_span: float = Field(gt=0, description="the whole brows rise")


class GeometryConfig(Section):
    """Which proportions a face has.

    ``drawn`` was read off 60 sampled puppets with exact points, ``human`` off six clips under MediaPipe's mesh, which
    gives every face human measure: it opens lids to 0.05 to 0.09, a puppet's are open to 0.25 to 0.34; a
    broad smile lifts the corners of its mouth by 0.04, a puppet's by 0.09. Brows move by as much when it nods as when
    it raises them, so that span stays.
    """

    drawn: Proportions = Proportions(
        mouth_width=Rest(usual=0.155, differs=0.06),
        mouth_lift=Rest(usual=0.015, differs=0.02),
        brow_slant=Rest(usual=0.033, differs=0.025),
        brow_height=Rest(usual=0.48, differs=0.03),
        open_span=0.16,
        stretch_span=0.11,
        smile_span=0.09,
        frown_span=0.08,
        slant_up_span=0.125,
        slant_down_span=0.12,
        raise_span=0.08,
    )
    human: Proportions = Proportions(
        mouth_width=Rest(usual=0.28, differs=0.05),
        mouth_lift=Rest(usual=0.02, differs=0.015),
        brow_slant=Rest(usual=0.01, differs=0.03),
        brow_height=Rest(usual=0.495, differs=0.03),
        open_span=0.16,
        stretch_span=0.1,
        smile_span=0.04,
        frown_span=0.04,
        slant_up_span=0.06,
        slant_down_span=0.06,
        raise_span=0.08,
    )
    human_eyes: float = Field(default=0.15, ge=0, description="eyes that never open further are human")
    least_open: float = Field(default=0.03, gt=0, description="those that never open to this are shut")
    open_percentile: float = Field(default=85, ge=0, le=100, description="of the clip: eyes wide open")
    restful: float = Field(default=0.15, gt=0, le=1, description="part of the drawings that show rest best")


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

    known = trust.min(axis=-1) > 0
    known = known if known.any() else np.ones_like(known)
    eyes = {side: float(np.percentile(seen[side][known], config.open_percentile)) for side in _EYES}
    kind = config.human if max(eyes.values()) < config.human_eyes else config.drawn
    rest = _rest(seen, known, kind, config.restful)

    def gone(name: str, span: float, sign: float = 1.0) -> np.ndarray:
        way = sign * (seen[name] - rest[name])
        known = way[sure[name] > 0]
        farthest = float(np.percentile(known, 98)) if len(known) else 0.0
        return np.asarray(np.clip(way / max(span, farthest), 0, 1))

    smile = gone("mouth_lift", kind.smile_span)
    raised = gone("brow_height", kind.raise_span)
    # A full smile narrows the eye from below (AU6) without a blink.
    open_eye = 1 - 0.6 * smile
    blinks = {
        side: np.clip(1 - seen[side] / (max(eyes[side], config.least_open) * open_eye), 0, 1)
        for side in _EYES
    }
    features = {
        "blink": np.minimum(blinks["left_eye"], blinks["right_eye"]),
        "jawOpen": gone("mouth_open", kind.open_span),
        "mouthSmile": smile,
        "frown": gone("mouth_lift", kind.frown_span, -1.0),
        "browInnerUp": np.maximum(gone("brow_slant", kind.slant_up_span), 0.8 * raised),
        "browDown": gone("brow_slant", kind.slant_down_span, -1.0),
        "browUp": raised,
        "stretch": gone("mouth_width", kind.stretch_span),
    }
    intensity = np.zeros((len(values), len(EXPRESSIONS)), np.float32)
    classes = _mixtures(np.stack([features[name] for name in _FEATURES], axis=-1))
    intensity[:, : len(CLASSES)] = classes
    lips = classes @ [_BEYOND_CONTROLS.get(name, {}).get("lips", 0.0) for name in CLASSES]
    controls = {
        "eyeBlinkLeft": blinks["left_eye"],
        "eyeBlinkRight": blinks["right_eye"],
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


def _rest(
    seen: dict[str, np.ndarray], known: np.ndarray, kind: Proportions, restful: float
) -> dict[str, float]:
    """Each measure of this face at rest: the median of the most restful drawings, within what is usual."""
    usual = {
        "mouth_width": (kind.mouth_width, kind.stretch_span),
        "mouth_lift": (kind.mouth_lift, kind.smile_span),
        "brow_slant": (kind.brow_slant, kind.slant_down_span),
        "brow_height": (kind.brow_height, kind.raise_span),
    }
    away = seen["mouth_open"] / kind.open_span
    away = away + sum(np.abs(seen[name] - rest.usual) / span for name, (rest, span) in usual.items())
    count = max(1, round(restful * known.sum()))
    calm = np.argsort(np.where(known, away, np.inf), kind="stable")[:count]
    found = {"mouth_open": 0.0}
    for name, (rest, _) in usual.items():
        own = float(np.median(seen[name][calm]))
        found[name] = float(np.clip(own, rest.usual - rest.differs, rest.usual + rest.differs))
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
