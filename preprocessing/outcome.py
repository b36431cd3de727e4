"""What became of a source or of a clip; the report is made from these."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from temporal_gan.errors import StoreError

OUTCOMES_FILE = "outcomes.jsonl"
"""Beside ``store.json``: a line per outcome."""


@dataclass(frozen=True)
class Outcome:
    """The end of one source's or clip's way.

    Attributes:
        source: the source's name.
        clip: id; "" where the whole source is meant.
        state: ``kept``; ``left out`` by a rule or a person (licence, duplicate, decision); ``failed`` = broken input.
        reason: one line; "" where kept.
        frames: of the clip; 0 where unknown.
        facts: the clip's figures.
        verdicts: pose verdict ("" = kept) -> frames.
        method: how the expression was read.
    """

    source: str
    clip: str
    state: Literal["kept", "left out", "failed"]
    reason: str = ""
    frames: int = 0
    facts: dict[str, float] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=dict)
    method: str = ""


def told_without_folder(reason: str, file: Path, name: str) -> str:
    """What is said of a source's file, without saying where that lies: a store is the same wherever its inputs are.

    Args:
        reason: one line, which may begin with the file's path.
        file, name: of the source.
    """
    return reason.replace(str(file), name).removeprefix(f"{name}: ")


def write_outcomes(folder: Path, outcomes: Iterable[Outcome]) -> None:
    """Write ``OUTCOMES_FILE`` into a store's folder."""
    lines = [json.dumps(asdict(outcome), sort_keys=True, ensure_ascii=False) for outcome in outcomes]
    (folder / OUTCOMES_FILE).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_outcomes(folder: Path) -> list[Outcome]:
    """Inverse of :func:`write_outcomes`. Raises StoreError naming file and line; a missing file is an error too."""
    file = folder / OUTCOMES_FILE
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{file}: cannot be read ({error}); was this store made by run?") from None
    outcomes = []
    for number, line in enumerate(lines, 1):
        try:
            outcomes.append(Outcome(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise StoreError(f"{file}, line {number}: is no outcome ({error})") from None
    return outcomes
