"""A JSON file somebody else wrote, read element by element: whatever is wrong is named by its place."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from temporal_gan.errors import UserError

MOST_PIXELS = 10**6
"""Beyond this a number in a file is damage, no place in a picture."""


@dataclass(frozen=True)
class Element:
    """A value of a JSON file and where it stands.

    Attributes:
        value: as :mod:`json` gives it.
        file: it is from.
        path: to it, such as ``annotations[3].keypoints[5]``; "" = the whole file.
    """

    value: object
    file: Path
    path: str = ""

    @property
    def where(self) -> str:
        """For the beginning of an error message."""
        return f"{self.file}: {self.path}" if self.path else str(self.file)

    def wrong(self, expected: str) -> UserError:
        """The error that says what was expected here."""
        if isinstance(self.value, dict | list):
            got = "an object" if isinstance(self.value, dict) else f"a list of {len(self.value)}"
        elif isinstance(self.value, int) and abs(self.value) > 10**15:
            got = "an enormous number"
        else:
            got = json.dumps(self.value)
            got = got if len(got) < 60 else got[:57] + "..."
        return UserError(f"{self.where} is {got}, expected {expected}")

    def find(self, name: str) -> "Element | None":
        """The field of an object, or None where it is missing or null. Raises UserError where this is no object."""
        if not isinstance(self.value, dict):
            raise self.wrong(f"an object with {name!r}")
        found = self.value.get(name)
        return None if found is None else Element(found, self.file, f"{self.path}.{name}".lstrip("."))

    def get(self, name: str) -> "Element":
        """The field of an object. Raises UserError where it is missing."""
        found = self.find(name)
        if found is None:
            raise UserError(f"{self.where}{' ' if self.path else ': '}has no {name!r}")
        return found

    def items(self) -> Iterator["Element"]:
        """The elements of a list. Raises UserError where this is none."""
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        for number, value in enumerate(self.value):
            yield Element(value, self.file, f"{self.path}[{number}]")

    def fields(self) -> Iterator[tuple[str, "Element"]]:
        """Names and elements of an object. Raises UserError where this is none."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        for name, value in self.value.items():
            yield name, Element(value, self.file, f"{self.path}.{name}".lstrip("."))

    def text(self) -> str:
        """A text that is not empty, and that can be written again as UTF-8."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.wrong("a text")
        try:
            self.value.encode()
        except UnicodeEncodeError:
            raise self.wrong("a text of whole characters") from None
        return self.value

    def number(self, low: float, high: float) -> float:
        """A finite number in [low, high]."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.wrong(f"a number from {low:g} to {high:g}")
        return float(value)

    def whole(self, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        value = self.number(low, high)
        if value != math.floor(value):
            raise self.wrong(f"a whole number from {low} to {high}")
        return int(self.value)  # type: ignore[call-overload]

    def triples(self, counts: tuple[int, ...], most: float) -> np.ndarray:
        """A flat list ``x0 y0 c0 x1 ...`` -> float64 [J, 3].

        Args:
            counts: the J there may be.
            most: how far from 0 an x or y may lie; no c may lie further than MOST_PIXELS.
        Raises:
            UserError: another count, or an element that is no finite number in these bounds.
        """
        values = self.value
        if not isinstance(values, list) or len(values) not in [3 * count for count in counts]:
            lengths = " or ".join(str(3 * count) for count in counts)
            raise self.wrong(f"a list of {lengths} numbers (x, y, confidence of each point)")
        if all(type(value) in (int, float) and abs(value) <= MOST_PIXELS for value in values):
            points = np.array(values, np.float64).reshape(-1, 3)
            if (np.abs(points[:, :2]) <= most).all():
                return points
        for number, element in enumerate(self.items()):
            limit = MOST_PIXELS if number % 3 == 2 else most
            element.number(-limit, limit)
        raise AssertionError(f"{self.where}: no element is wrong")


def read_json(file: Path) -> Element:
    """Read a whole file.

    Raises:
        UserError: missing, not UTF-8, not JSON (the line is named), or nested beyond all sense.
    """
    try:
        return Element(json.loads(file.read_text(encoding="utf-8-sig")), file)
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: byte {error.start} is not UTF-8 text, which JSON is") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{file}:{error.lineno}: is no JSON ({error.msg}, column {error.colno})") from None
    except RecursionError:
        raise UserError(f"{file}: is nested too deeply for a file of labels") from None
    except ValueError:
        raise UserError(f"{file}: holds a number of thousands of digits") from None
