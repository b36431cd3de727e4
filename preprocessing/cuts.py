"""The list of cuts: written from what was detected, read back with what a person changed."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from temporal_gan.errors import StoreError, UserError

from .shot import Shot

_COLUMNS = ("source", "second", "score", "keep")


@dataclass(frozen=True)
class Cut:
    """A change from one shot to the next, or what looked like one.

    Attributes:
        second: when the new shot begins, within the source.
        score: of the detector, 0 to 100; 0 = set by hand.
        keep: cut here.
        where: file and line it was read from; "" = detected.
    """

    second: float
    score: float
    keep: bool
    where: str = ""


def cuts_of(shots: Sequence[Shot]) -> list[Cut]:
    """The cuts between a source's shots, and, not kept, what came near to being one; in order of time."""
    cuts = [Cut(shot.start, shot.score, True) for shot in shots if shot.score is not None]
    cuts += [Cut(second, score, False) for shot in shots for second, score in shot.near_cuts]
    return sorted(cuts, key=lambda cut: cut.second)


def cut_values(cuts: Sequence[Cut]) -> list[list[str]]:
    """Second, score and keep of cuts as they are written: cuts with the same values are the same."""
    return [[f"{cut.second:.3f}", f"{cut.score:.1f}", "yes" if cut.keep else "no"] for cut in cuts]


def write_cuts(file: Path, cuts: Mapping[str, Sequence[Cut]]) -> None:
    """Write source name -> cuts as CSV: ``source, second, score, keep`` (yes or no).

    To take a cut away set ``keep`` to no, to add one write a line with its second (the nearest frame counts; the score
    may be empty). A source with any line is cut where its lines say and nowhere else; one with none is detected anew.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for source in sorted(cuts):
        writer.writerows((source, *values) for values in cut_values(cuts[source]))
    try:
        file.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{file}: cannot be written ({error.strerror})") from None


def read_cuts(file: Path) -> dict[str, list[Cut]]:
    """Inverse of :func:`write_cuts`.

    Raises:
        UserError: the file cannot be read, or is wrong; file and line are named.
    """
    try:
        reader = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""), strict=True)
        header = tuple(reader.fieldnames or ())
        if set(header) != set(_COLUMNS):
            raise UserError(f"{file}, line 1: columns {', '.join(header)}; expected {', '.join(_COLUMNS)}")
        cuts: dict[str, list[Cut]] = {}
        for row in reader:
            cuts.setdefault(row["source"], []).append(_cut(row, f"{file}, line {reader.line_num}"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{file}: cannot be read ({reason}); expected a CSV like STORE/cuts.csv") from None
    return cuts


def _cut(row: Mapping[str | None, str | None], where: str) -> Cut:
    if None in row or None in row.values() or not row["source"]:
        raise UserError(f"{where}: expected {len(_COLUMNS)} values: {', '.join(_COLUMNS)}")
    keep = str(row["keep"]).strip().lower()
    if keep not in ("yes", "no"):
        raise UserError(f"{where}: keep is {row['keep']!r}, expected yes or no")
    return Cut(
        # As precise as it is written again.
        round(_number(row["second"], "second", where), 3),
        _number(row["score"] or "0", "score", where),
        keep == "yes",
        where,
    )


def _number(text: str | None, name: str, where: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise UserError(f"{where}: {name} is {text!r}, expected a number from 0")
    return value
