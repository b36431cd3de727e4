"""``sources.csv`` of a store: whence its sources come, and on what evidence they may be used."""

import csv
import io
from dataclasses import dataclass, fields
from pathlib import Path

from temporal_gan.errors import StoreError

SOURCES_FILE = "sources.csv"


@dataclass(frozen=True)
class SourceRow:
    """One line; "" = unknown.

    Attributes:
        file: the source's name.
        url, page: of the file itself, and of the page that shows it.
        author, licence: as stated.
        licence_evidence: where or how the licence is stated.
        character: whom it shows.
        sha256: of its bytes.
    """

    file: str
    url: str = ""
    page: str = ""
    author: str = ""
    licence: str = ""
    licence_evidence: str = ""
    character: str = ""
    sha256: str = ""


def read_sources(folder: Path) -> list[SourceRow]:
    """The rows of a store's ``sources.csv`` in order; [] where it has none.

    Raises:
        StoreError: unreadable, or another header; file and line are named.
    """
    file = folder / SOURCES_FILE
    if not file.is_file():
        return []
    names = [f.name for f in fields(SourceRow)]
    try:
        reader = csv.reader(io.StringIO(file.read_text(encoding="utf-8"), newline=""), strict=True)
        header = next(reader, [])
        if header != names:
            raise StoreError(f"{file}:1: header is {','.join(header)}, expected {','.join(names)}")
        rows = []
        for values in reader:
            if len(values) != len(names):
                raise StoreError(f"{file}:{reader.line_num}: {len(values)} values, expected {len(names)}")
            rows.append(SourceRow(*values))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StoreError(f"{file}: cannot be read ({error})") from None
    return rows
