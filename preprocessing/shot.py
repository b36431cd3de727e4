"""A stretch of one source between two cuts, as plain values."""

import re
import unicodedata
from dataclasses import asdict, dataclass, fields

from temporal_gan.errors import StoreError

from .clip import Source

_FINDING = ("fingerprint", "score", "near_cuts", "left_out")


@dataclass(frozen=True)
class Shot:
    """One shot, or a part of a long one. Everything is plain, for JSON.

    Attributes:
        first_frame, end_frame: decoded frames of the source, the end not included.
        first_pts: time stamp of the first frame in the file's own units; None where the file has no usable ones.
        start, end: seconds within the source; ``end`` is when the last frame stops being shown.
        fps: frames per second that the clip is to have.
        width, height: pixels that the clip is to have.
        source_width, source_height: pixels of the source's pictures.
        has_alpha: the source is somewhere transparent.
        fingerprint: see :mod:`preprocessing.dedupe`.
        score: of the cut it begins with, 0 to 100, 0 where a person set it; None = it begins without a cut.
        near_cuts: (second, score) of the changes within it that came near to a cut.
        left_out: why it is not to become a clip; "" = it is.
    """

    first_frame: int
    end_frame: int
    first_pts: int | None
    start: float
    end: float
    fps: float
    width: int
    height: int
    source_width: int
    source_height: int
    has_alpha: bool
    fingerprint: str
    score: float | None = None
    near_cuts: tuple[tuple[float, float], ...] = ()
    left_out: str = ""

    def to_dict(self) -> dict[str, object]:
        """Plain types for JSON."""
        return asdict(self) | {"near_cuts": [list(cut) for cut in self.near_cuts]}

    def stretch(self) -> dict[str, object]:
        """What the clip's frames follow from, plain: not how the shot was found, nor what it is compared by."""
        return {name: value for name, value in asdict(self).items() if name not in _FINDING}

    @staticmethod
    def from_dict(data: dict) -> "Shot":
        """Inverse of :meth:`to_dict`. Raises StoreError where a field is missing or unknown."""
        names = {f.name for f in fields(Shot)}
        if set(data) != names:
            raise StoreError(
                f"shot: fields missing {sorted(names - set(data))}, unknown {sorted(set(data) - names)}"
            )
        return Shot(**data | {"near_cuts": tuple((float(t), float(s)) for t, s in data["near_cuts"])})


def clip_id(source: Source, first_frame: int) -> str:
    """Id of the clip that a shot becomes: the source's name as far as it is safe, 8 digits of its sha256, the shot's
    first frame; a cut elsewhere renames nothing. Names that differ only in case or accents give ids that differ in
    more."""
    plain = unicodedata.normalize("NFKD", source.name).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9-]+", "_", plain.rsplit(".", 1)[0] if "." in plain else plain).strip("_-")
    return f"{safe[:80] or 'clip'}_{source.sha256[:8]}_f{first_frame:06d}"
