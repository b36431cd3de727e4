"""Tables of where files come from: read from CSV or JSON, and from a small JSON file beside a source."""

import csv
import difflib
import io
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath

from temporal_gan.errors import StoreError, UserError

from .source_name import name_within


@dataclass(frozen=True)
class Provenance:
    """What may be known of a source; see :class:`preprocessing.clip.Source`. "" = unknown."""

    url: str = ""
    page: str = ""
    author: str = ""
    licence: str = ""
    licence_evidence: str = ""
    character: str = ""

    def over(self, other: "Provenance") -> "Provenance":
        """This, and where it knows nothing, the other. Evidence goes with the licence that it was given for."""
        mine, others = asdict(self), asdict(other)
        values = {name: mine[name].strip() or others[name].strip() for name in mine}
        if values["licence"]:
            holders = [known for known in (self, other) if known.licence.strip() == values["licence"]]
            evidence = (known.licence_evidence.strip() for known in holders)
            values["licence_evidence"] = next(filter(None, evidence), "")
        return Provenance(**values)


@dataclass(frozen=True)
class Entry:
    """A line of a table.

    Attributes:
        name: of the source, as written.
        known: what the line tells of it.
        sha256: that its bytes must have; "" = any.
        where: file and line.
    """

    name: str
    known: Provenance
    sha256: str
    where: str


VALUES = tuple(f.name for f in fields(Provenance))
COLUMNS = ("file", *VALUES, "sha256")


def name_key(name: str) -> str:
    """Names are compared by this: an accented letter may be one character or two, by who wrote it."""
    return unicodedata.normalize("NFC", name)


def read_sidecar(file: Path, roots: Sequence[Path]) -> dict[str, Entry]:
    """Read a table: CSV with a header, or a JSON list of objects, with any of ``COLUMNS``, ``file`` among them.

    Args:
        file: ``.csv`` or ``.json``.
        roots: the inputs, resolved.
    Returns:
        :func:`name_key` of the source's name -> entry. ``file`` in the table is that name, as in ``sources.csv``: the
        path within an input folder; or the path from the table's own folder.
    Raises:
        UserError: unreadable, unknown or missing columns, a file listed twice, or a path that is absolute, has ``..``
            in it or leads out of the inputs by a link; file and line are named.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        rows = _json_rows(file, text) if file.suffix.lower() == ".json" else _csv_rows(file, text)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{file}: cannot be read ({reason}); expected CSV or JSON") from None
    entries: dict[str, Entry] = {}
    for where, row in rows:
        values = _checked(row, COLUMNS, where)
        name = values.pop("file", "").strip()
        if not name:
            raise UserError(f"{where}: names no file")
        key = name_key(_within(name, file, roots, where))
        if key in entries:
            raise UserError(f"{where}: {name} is listed before, in {entries[key].where}")
        sha256 = values.pop("sha256", "").strip().lower()
        entries[key] = Entry(name, Provenance(**values), sha256, where)
    return entries


def read_own_sidecar(source: Path) -> Provenance:
    """``<source>.json``, an object with any of ``VALUES``; without one, nothing is known.

    Raises:
        UserError: it is there but wrong.
    """
    file = source.with_name(f"{source.name}.json")
    if not file.is_file():
        return Provenance()
    try:
        data = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file}: cannot be read ({error}); expected JSON") from None
    return Provenance(**_checked(data, VALUES, str(file)))


def write_table(file: Path, rows: list[dict[str, str]]) -> None:
    """Write rows of ``COLUMNS`` as a CSV that :func:`read_sidecar` reads."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    try:
        file.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{file}: cannot be written ({error.strerror})") from None


def _csv_rows(file: Path, text: str) -> list[tuple[str, object]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    _checked(dict.fromkeys(reader.fieldnames or (), ""), COLUMNS, f"{file}, line 1")
    rows: list[tuple[str, object]] = []
    for row in reader:
        where = f"{file}, line {reader.line_num}"
        if None in row or None in row.values():
            raise UserError(f"{where}: expected {len(reader.fieldnames or ())} values, as in the header")
        rows.append((where, row))
    return rows


def _json_rows(file: Path, text: str) -> list[tuple[str, object]]:
    data = json.loads(text)
    if not isinstance(data, list):
        raise UserError(f"{file}: expected a list of objects, got {type(data).__name__}")
    return [(f"{file}, entry {number}", row) for number, row in enumerate(data, 1)]


def _checked(row: object, known: tuple[str, ...], where: str) -> dict[str, str]:
    if not isinstance(row, Mapping):
        raise UserError(f"{where}: expected an object with any of {', '.join(known)}")
    for column, value in row.items():
        if column not in known:
            close = difflib.get_close_matches(str(column), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
            raise UserError(f"{where}: unknown column {column!r}; {hint}")
        if not isinstance(value, str):
            raise UserError(f"{where}: {column} is {value!r}, expected text")
    return dict(row)


def _within(name: str, file: Path, roots: Sequence[Path], where: str) -> str:
    """A source's name for a path in a table."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:[\\/]|\\", name):
        raise UserError(
            f"{where}: {name!r} must be a path within the inputs, neither absolute nor with '..' in it"
        )
    for folder in (*roots, file.resolve().parent):
        place = folder / path
        root = next((root for root in roots if place.is_relative_to(root)), None)
        if root is None or not place.exists():
            continue
        if not place.resolve().is_relative_to(root):
            raise UserError(f"{where}: {name!r} leads out of the inputs by a link")
        return name_within(place, root)
    return path.as_posix()
