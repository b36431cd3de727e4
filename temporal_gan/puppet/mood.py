"""What the face is told: the controls of a track, and what its classes do beyond them."""

from dataclasses import dataclass

import numpy as np

from ..expressions import EXPRESSIONS


@dataclass(frozen=True)
class Mood:
    """float64 [T] each, in [0, 1]: six controls, then the classes that change more than the controls."""

    blink_right: np.ndarray
    blink_left: np.ndarray
    jaw: np.ndarray
    smile: np.ndarray
    brow_up: np.ndarray
    brow_down: np.ndarray
    happy: np.ndarray
    sad: np.ndarray
    angry: np.ndarray
    surprised: np.ndarray
    scared: np.ndarray
    disgusted: np.ndarray
    embarrassed: np.ndarray

    @staticmethod
    def of(expression: np.ndarray) -> "Mood":
        """From a track [T, E] in the order of expressions.EXPRESSIONS."""
        value = {name: expression[:, i].astype(float) for i, name in enumerate(EXPRESSIONS)}
        return Mood(
            blink_right=value["eyeBlinkRight"],
            blink_left=value["eyeBlinkLeft"],
            jaw=value["jawOpen"],
            smile=value["mouthSmile"],
            brow_up=value["browInnerUp"],
            brow_down=value["browDown"],
            happy=value["happy"],
            sad=value["sad"],
            angry=value["angry"],
            surprised=value["surprised"],
            scared=value["scared"],
            disgusted=value["disgusted"],
            embarrassed=value["embarrassed"],
        )

    @property
    def wide(self) -> np.ndarray:
        """How far the eyes are torn open, [T]."""
        return np.minimum(self.surprised + 0.85 * self.scared, 1.0)

    @property
    def frown(self) -> np.ndarray:
        """How far the mouth's corners are drawn down, [T]."""
        return np.minimum(self.sad + 0.8 * self.angry + 0.75 * self.disgusted + 0.45 * self.scared, 1.2)

    @property
    def droop(self) -> np.ndarray:
        """How far the outer corners of the lids hang, [T]."""
        return np.minimum(self.sad + 0.5 * self.embarrassed + 0.3 * self.disgusted, 1.0)
