"""Expression from the tags that a WD14 tagger gives a picture: what illustrators call it.

Needs onnxruntime (extra ``anime``) and two files by path: a tagger's ``model.onnx`` and its ``selected_tags.csv``, for
example those of SmilingWolf/wd-swinv2-tagger-v3 (Apache-2.0).
"""

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import Field

from temporal_gan.alpha import over_white
from temporal_gan.config import Section
from temporal_gan.errors import UserError
from temporal_gan.expressions import CLASS_CONTROLS, CLASSES, CONTROLS, EXPRESSIONS

from ..clip import Clip
from .looking import grown

_PORTRAIT = 2.6
"""Sides of the face's box that are shown: hair and shoulders, as portraits are tagged."""

_MOODS: dict[str, dict[str, float]] = {
    "happy": {
        "light_smile": 0.4, "smile": 0.6, ":3": 0.5, "happy": 0.8, ";d": 0.9, "grin": 0.9, ":d": 0.9, "^_^": 0.9,
        "laughing": 1.0,
    },
    "sad": {
        "gloom_(expression)": 0.5, "frown": 0.4, "wavy_mouth": 0.3, "sad": 0.7, "teardrop": 0.6, "tearing_up": 0.6,
        "tears": 0.8, "crying": 1.0, "crying_with_eyes_open": 1.0, "streaming_tears": 1.0,
    },
    "angry": {
        "pout": 0.3, "annoyed": 0.4, "glaring": 0.6, "scowl": 0.7, "v-shaped_eyebrows": 0.5, "clenched_teeth": 0.6,
        "angry": 0.8, "anger_vein": 0.9, ">:(": 0.8,
    },
    "surprised": {
        ":o": 0.4, "wide-eyed": 0.6, "constricted_pupils": 0.5, "surprised": 0.8, "o_o": 0.8,
        "spoken_exclamation_mark": 0.6,
    },
    "scared": {
        "sweatdrop": 0.3, "flying_sweatdrops": 0.4, "nervous_smile": 0.3, "nervous": 0.5, "turn_pale": 0.8,
        "trembling": 0.7, "scared": 0.9,
    },
    "embarrassed": {
        "light_blush": 0.3, "blush": 0.4, "nose_blush": 0.5, "shy": 0.6, "embarrassed": 0.9, "full-face_blush": 1.0,
    },
}  # fmt: skip
"""Class -> tag -> how strong the mood is that it names: scores of tags say how sure they are, not how strong. Every
name is in a WD14 vocabulary of 6,909 general tags. ``blush_stickers`` belong to a character's design, not to a mood."""

_VETOES = {"sad": "happy_tears"}

_DEEDS: dict[str, dict[str, float]] = {
    "closed_eyes": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
    ">_<": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
    "half-closed_eyes": {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5},
    "closed_mouth": {"jawOpen": 0.0},
    "parted_lips": {"jawOpen": 0.3},
    "open_mouth": {"jawOpen": 0.7},
    "light_smile": {"mouthSmile": 0.4},
    "smile": {"mouthSmile": 0.7},
    "grin": {"mouthSmile": 1.0},
    "v-shaped_eyebrows": {"browDown": 0.8},
}
"""Tag -> controls it tells. ``one_eye_closed`` does not say which."""

_TOLD, _GUESSED = 0.6, 0.3
"""Confidence of a control that a tag names, and of one that follows from the mood."""


class TagConfig(Section):
    """A tagger, by its two files."""

    model: Path | None = Field(default=None, description="model.onnx")
    vocabulary: Path | None = Field(default=None, description="selected_tags.csv of the same model")
    threshold: float = Field(default=0.35, gt=0, lt=1, description="of a tag's score, as its authors use it")


class Tagger:
    """A model and the names of what it tells."""

    def __init__(self, config: TagConfig) -> None:
        """Load the model; warns of tags that its vocabulary lacks.

        Raises:
            UserError: a file is missing or broken, they do not belong together, or onnxruntime is not installed.
        """
        if config.model is None or config.vocabulary is None:
            raise UserError(
                "expression.tags: model and vocabulary must both be given (model.onnx, selected_tags.csv)"
            )
        try:
            import onnxruntime
        except ImportError:
            raise UserError("expression.tags: needs onnxruntime; pip install 'temporal_gan[anime]'") from None
        if not config.model.is_file():
            raise UserError(f"expression.tags.model {config.model}: no such file")
        names = _read_vocabulary(config.vocabulary)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            # Its errors share no class but Exception.
            self._session: Any = onnxruntime.InferenceSession(
                str(config.model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            reason = " ".join(str(error).split())[:120]
            raise UserError(f"expression.tags.model {config.model}: is no ONNX model ({reason})") from None
        entry, answer = self._session.get_inputs()[0], self._session.get_outputs()[0]
        if len(entry.shape) != 4 or entry.shape[3] != 3:
            raise UserError(
                f"expression.tags.model {config.model}: takes {entry.shape}, expected [N, side, side, 3]"
            )
        if isinstance(answer.shape[-1], int) and answer.shape[-1] != len(names):
            raise UserError(
                f"expression.tags: {config.model} gives {answer.shape[-1]} scores, {config.vocabulary} has "
                f"{len(names)} tags; do they belong together?"
            )
        self.threshold = config.threshold
        self._entry, self._side = entry.name, entry.shape[1] if isinstance(entry.shape[1], int) else 448
        wanted = {tag for tags in _MOODS.values() for tag in tags} | set(_DEEDS) | set(_VETOES.values())
        self._places = {name: place for place, name in enumerate(names) if name in wanted}
        missing = sorted(wanted - set(self._places))
        if missing:
            warnings.warn(f"{config.vocabulary}: has no {', '.join(missing)}", stacklevel=2)

    def scores(self, picture_u8: np.ndarray) -> dict[str, float]:
        """Scores in [0, 1] of the tags that matter here: uint8 [H, W, 3] RGB -> tag -> score."""
        entry = prepared(picture_u8, self._side)
        answer = self._session.run(None, {self._entry: entry[None]})[0][0]
        return {name: float(answer[place]) for name, place in self._places.items()}


def prepared(picture_u8: np.ndarray, side: int) -> np.ndarray:
    """As WD14 taggers want it: uint8 [H, W, 3] RGB -> float32 [side, side, 3] BGR, 0 to 255, centred on a white square
    and scaled bicubically."""
    height, width = picture_u8.shape[:2]
    extent = max(height, width)
    square = np.full((extent, extent, 3), 255, np.uint8)
    top, left = (extent - height) // 2, (extent - width) // 2
    square[top : top + height, left : left + width] = picture_u8
    scaled = np.asarray(Image.fromarray(square).resize((side, side), Image.Resampling.BICUBIC))
    return np.ascontiguousarray(scaled[..., ::-1]).astype(np.float32)


def read_tags(tagger: Tagger, clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """Expression of each drawing of a clip.

    Args:
        tagger: looks at a portrait where a face was found, at nothing else.
        clip: with its faces.
    Returns:
        intensity and confidence, float32 [D, 14] in the order of EXPRESSIONS.
    """
    intensity = np.zeros((len(clip.drawings), len(EXPRESSIONS)), np.float32)
    confidence = np.zeros_like(intensity)
    if clip.face is None:
        return intensity, confidence
    for row, t in enumerate(clip.drawings):
        if clip.face.confidence[t] > 0:
            picture = over_white(clip.frames_u8[t])
            portrait = _cut(picture, grown(clip.face.box[t], _PORTRAIT, picture))
            intensity[row], confidence[row] = tagged_expression(tagger.scores(portrait), tagger.threshold)
    return intensity, confidence


def tagged_expression(scores: dict[str, float], threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """What tags say of a face: tag -> score, to intensity and confidence, float32 [14] in the order of EXPRESSIONS.

    A class is as strong as the strongest mood among its tags, and as sure as the surest of them; several share 1 by
    the squares of their strengths. ``disgusted`` has no tag: confidence 0.
    """
    present = {tag: score for tag, score in scores.items() if score >= threshold}
    moods = np.zeros(len(CLASSES))
    sure = np.zeros(len(CLASSES))
    for name, tags in _MOODS.items():
        if _VETOES.get(name) in present:
            continue
        told = [tag for tag in tags if tag in present]
        moods[CLASSES.index(name)] = max((tags[tag] for tag in told), default=0.0)
        sure[CLASSES.index(name)] = max((present[tag] for tag in told), default=0.0)
    strength = moods.max()
    shares = moods**2 / max(float((moods**2).sum()), 1e-12) * strength
    shares[0] = 1 - strength
    intensity = np.zeros(len(EXPRESSIONS), np.float32)
    confidence = np.zeros(len(EXPRESSIONS), np.float32)
    intensity[: len(CLASSES)] = shares
    # What is not named is not there, as surely as the threshold goes.
    confidence[: len(CLASSES)] = np.where(sure > 0, sure, 1 - threshold)
    confidence[0] = sure.max() if strength > 0 else 1 - threshold
    confidence[CLASSES.index("disgusted")] = 0
    for name in CONTROLS:
        column = EXPRESSIONS.index(name)
        amounts = [deed[name] for tag, deed in _DEEDS.items() if name in deed and tag in present]
        mixed = sum(
            CLASS_CONTROLS[c].get(name, 0.0) * share for c, share in zip(CLASSES, shares, strict=True)
        )
        intensity[column] = max(amounts) if amounts else min(1.0, mixed)
        confidence[column] = _TOLD if amounts else _GUESSED
    return intensity, confidence


def _cut(picture: np.ndarray, box: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    x0, x1 = (int(np.clip(round(float(edge) * width), 0, width)) for edge in box[[0, 2]])
    y0, y1 = (int(np.clip(round(float(edge) * height), 0, height)) for edge in box[[1, 3]])
    return picture[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]


def _read_vocabulary(file: Path) -> list[str]:
    try:
        rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"expression.tags.vocabulary {file}: cannot be read ({error})") from None
    names = [row["name"] for row in rows if row.get("name")]
    if not names or len(names) < len(rows):
        raise UserError(
            f"expression.tags.vocabulary {file}: expected a CSV file with a column 'name' and a row per tag"
        )
    return names
