"""Expression from MediaPipe's 52 blendshapes, by the rules of facial action coding."""

import numpy as np
from pydantic import Field, field_validator

from temporal_gan.config import Section
from temporal_gan.expressions import CLASSES, CONTROLS, EXPRESSIONS

BLENDSHAPES = (
    "_neutral browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff "
    "cheekSquintLeft cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight "
    "eyeLookInLeft eyeLookInRight eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight "
    "eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose "
    "mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft "
    "mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight "
    "mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight "
    "mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight"
).split()
"""In MediaPipe's order."""

_SIDELESS = tuple(dict.fromkeys(name.removesuffix("Left").removesuffix("Right") for name in BLENDSHAPES))

_RANGES = {
    "mouthSmile": (0.4, 0.6),
    "jawOpen": (0.1, 0.4),
    "eyeBlink": (0.0, 0.8),
    "eyeWide": (0.0, 0.5),
    "browDown": (0.0, 0.4),
    "mouthFrown": (0.0, 0.6),
    "mouthFunnel": (0.25, 0.5),
    "cheekSquint": (0.1, 0.7),
}
_WEIGHTS = {
    "happy": {"mouthSmile": 0.8, "cheekSquint": 0.2},
    "sad": {"mouthFrown": 0.45, "browInnerUp": 0.35, "browDown": 0.2},
    "angry": {"browDown": 0.5, "eyeSquint": 0.2, "mouthPress": 0.2, "noseSneer": 0.1},
    "surprised": {"browOuterUp": 0.35, "browInnerUp": 0.15, "eyeWide": 0.25, "jawOpen": 0.25},
    "scared": {"browInnerUp": 0.3, "eyeWide": 0.3, "mouthStretch": 0.2, "browDown": 0.2},
    "disgusted": {"noseSneer": 0.4, "mouthUpperUp": 0.3, "mouthFrown": 0.3},
}
_VETOES = {"sad": "mouthSmile", "angry": "browInnerUp"}
_DEAD = {"cheekPuff", "eyeWide", "noseSneer"}


class BlendshapeConfig(Section):
    """Rules from blendshapes, named without Left and Right: the two are averaged.

    ``weights`` follow EMFACS (Friesen & Ekman 1983; ARKit's names by Ozel's "ARKit to FACS cheat sheet"): happy AU
    6+12, sad 1+4+15, angry 4+7+9+24, surprised 1+2+5+26, scared 1+4+5+20, disgusted 9+10+15. ``ranges`` are the values
    between which a drawn face goes from nothing to all, published with talking-head-anime-3-demo
    (``IFacialMocapPoseConverter25Args``); whatever is not named goes from 0 to 1. Response on anime faces is not
    measured: the published ranges are for people who drive anime characters.

    MediaPipe's ``cheekPuff`` stays near 0 and ``eyeWide``, ``noseSneer`` seldom pass 0.05 (its issues 4436 and
    4450): no class depends on them alone, and their classes are given with less confidence.
    """

    ranges: dict[str, tuple[float, float]] = Field(default=_RANGES)
    weights: dict[str, dict[str, float]] = Field(default=_WEIGHTS)
    vetoes: dict[str, str] = Field(default=_VETOES, description="class -> blendshape that rules it out")
    percentile: float = Field(default=10, ge=0, le=100, description="of the clip's drawings: a face at rest")
    rest: float = Field(
        default=0.15,
        ge=0,
        le=1,
        description="at most taken for a trait of the face: so a lasting smile of 0.9 is no face at rest",
    )

    @field_validator("ranges")
    @classmethod
    def _ranges_rise(cls, ranges: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, (low, high) in ranges.items():
            if not 0 <= low < high:
                raise ValueError(f"{name}: {low} to {high} does not rise from 0 or above")
        return cls._known(ranges)

    @field_validator("weights")
    @classmethod
    def _weights_known(cls, weights: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for name, terms in weights.items():
            if (
                name not in CLASSES[1:]
                or any(value < 0 for value in terms.values())
                or sum(terms.values()) <= 0
            ):
                raise ValueError(
                    f"{name}: expected one of {', '.join(CLASSES[1:])} with weights of 0 or above"
                )
            cls._known(terms)
        return weights

    @field_validator("vetoes")
    @classmethod
    def _vetoes_known(cls, vetoes: dict[str, str]) -> dict[str, str]:
        cls._known(dict.fromkeys(vetoes.values()))
        return vetoes

    @staticmethod
    def _known(names: dict) -> dict:
        unknown = sorted(set(names) - set(_SIDELESS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: not among {', '.join(_SIDELESS)}")
        return names


def read_blendshapes(
    values: np.ndarray, seen: np.ndarray, config: BlendshapeConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Expression of the drawings of one clip.

    What a face shows at rest is taken off first, up to ``config.rest``. Each class scores the weighted mean of its
    blendshapes; the strongest score is the strength of the mood, ``neutral`` the rest, and it is shared among the
    classes by the squares of their scores.

    Args:
        values: float [D, 52] in [0, 1], in the order of BLENDSHAPES, a row per drawing of one clip.
        seen: float [D], how surely there is a face.
        config: rules.
    Returns:
        intensity and confidence, float32 [D, 14] in the order of EXPRESSIONS. ``embarrassed`` is a blush, which no
        blendshape tells: confidence 0.
    """
    known = values[seen > 0]
    if len(known):
        rest = np.minimum(np.percentile(known, config.percentile, axis=0), config.rest)
        values = np.clip((values - rest) / (1 - rest).clip(1e-6), 0, 1)
    amount = dict(zip(BLENDSHAPES, values.T.astype(np.float64), strict=True))
    for name in _SIDELESS:
        if name not in amount:
            amount[name] = (amount[f"{name}Left"] + amount[f"{name}Right"]) / 2
    full = {name: _scaled(amount[name], name, config) for name in amount}
    scores = np.zeros((len(values), len(CLASSES)))
    for name, terms in config.weights.items():
        score = sum(weight * full[term] for term, weight in terms.items()) / sum(terms.values())
        if name in config.vetoes:
            score = score * (1 - full[config.vetoes[name]])
        scores[:, CLASSES.index(name)] = score
    strength = scores.max(axis=1, keepdims=True)
    shares = scores**2 / np.maximum((scores**2).sum(axis=1, keepdims=True), 1e-12)
    intensity = np.zeros((len(values), len(EXPRESSIONS)), np.float32)
    intensity[:, : len(CLASSES)] = shares * strength
    intensity[:, 0] = 1 - strength[:, 0]
    for name in CONTROLS:
        intensity[:, EXPRESSIONS.index(name)] = full[name]
    confidence = np.repeat(seen[:, None].astype(np.float32), len(EXPRESSIONS), axis=1)
    for column, name in enumerate(CLASSES[1:], 1):
        terms = config.weights.get(name, {})
        alive = sum(weight for term, weight in terms.items() if term not in _DEAD)
        confidence[:, column] *= alive / sum(terms.values()) if terms else 0.0
    return intensity, confidence


def _scaled(values: np.ndarray, name: str, config: BlendshapeConfig) -> np.ndarray:
    sideless = name.removesuffix("Left").removesuffix("Right")
    low, high = config.ranges.get(sideless, (0.0, 1.0))
    return np.asarray(np.clip((values - low) / (high - low), 0, 1))
