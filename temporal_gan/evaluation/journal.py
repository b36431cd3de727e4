"""Finished clips beside the results, so that an interrupted evaluation goes on where it stopped."""

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path


class Journal:
    """``clips.jsonl``: a line for each scored clip, with a key that names all that decides its numbers.

    A line that a kill cut short is dropped. Lines of other inputs, protocols or versions are kept and not used.
    """

    def __init__(self, path: Path) -> None:
        """Read what is there. Raises OSError where the folder cannot be written."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._rows: dict[str, dict] = {}
        whole = 0
        if path.is_file():
            with path.open("rb") as file:
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    whole += len(line)
                    self._read(line)
        self._path, self._file = path, path.open("ab")
        self._file.truncate(whole)

    def find(self, key: str) -> dict | None:
        """What an earlier evaluation found out about the clip, or None; it is handed out once."""
        return self._rows.pop(key, None)

    def add(self, key: str, clip: dict[str, object]) -> None:
        """Append one clip: plain types, no NaN. A kill right after this loses nothing."""
        line = json.dumps({"key": key, "clip": clip}, allow_nan=False)
        self._file.write(line.encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file; one that nothing was ever written to goes again."""
        empty = os.fstat(self._file.fileno()).st_size == 0
        self._file.close()
        if empty:
            self._path.unlink(missing_ok=True)

    def _read(self, line: bytes) -> None:
        try:
            content = json.loads(line)
            self._rows[str(content["key"])] = dict(content["clip"])
        except (ValueError, KeyError, TypeError):
            # Damaged: that clip is scored again.
            return


def row_key(*parts: object) -> str:
    """One name for everything that decides a clip's numbers."""
    text = json.dumps([*parts, code_hash()], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(1)
def code_hash() -> str:
    """SHA-256 of the package's sources: whoever changes a metric must not be shown its old numbers."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
