"""What a source is called: decisions, cuts, labels, tables and splits go by it."""

import re
from pathlib import Path


def name_within(file: Path, root: Path) -> str:
    """Path from the input it was found in, with ``/``; that of the input itself is its own name."""
    return one_line(file.name if file == root else file.relative_to(root).as_posix())


def one_line(text: str) -> str:
    """On one line and as UTF-8. File names may be any bytes: one that is no character is written ``%83``, lest two
    names become the same."""
    text = re.sub("[\ud800-\udfff]", lambda odd: f"%{ord(odd[0]) & 0xFF:02X}", text)
    return re.sub(r"[\x00-\x1f\x7f]", " ", text).strip()
