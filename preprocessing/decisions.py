"""What a person decided: clips and sources to keep or to reject, from a CSV file.

The file always wins. A ``keep`` undoes what a rule says: near-duplicate, too short a shot, and, of a source, that it
has no licence (the card still counts its clips as without one); a clip's own ``keep`` is no leave to use its source. It
mends no broken file. A ``reject`` of a source rejects all its clips but those with a line of their own.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from temporal_gan.drawings import did_you_mean
from temporal_gan.errors import UserError

DECISIONS_FILE = "decisions.csv"
"""Beside ``store.json``: the decisions a store was made with, if there were any."""

COLUMNS = ("clip", "source", "decision", "why", "who", "when")
_NEEDED = ("decision",)
Verdict = Literal["keep", "reject"]


@dataclass(frozen=True)
class Decision:
    """One line of the file.

    Attributes:
        verdict: ``keep`` or ``reject``.
        why, who, when: as the person wrote them; may be empty.
        line: of the file, from 1.
    """

    verdict: Verdict
    why: str = ""
    who: str = ""
    when: str = ""
    line: int = 0

    def reason(self) -> str:
        """For :class:`.outcome.Outcome`, such as ``decision: two people in it (Kim)``."""
        text = f"decision: {self.why or 'no reason given'}"
        return f"{text} ({self.who})" if self.who else text


@dataclass(frozen=True)
class Decisions:
    """A read file; without arguments, nothing was decided.

    Attributes:
        file: for messages.
        clips: clip id -> decision.
        sources: source name -> decision.
    """

    file: str = ""
    clips: dict[str, Decision] = field(default_factory=dict)
    sources: dict[str, Decision] = field(default_factory=dict)

    def find(self, clip: str, source: str) -> Decision | None:
        """The decision that holds for a clip: its own, else its source's, else None."""
        return self.clips.get(clip) or self.sources.get(source)

    def decide(self, clip: str, source: str) -> Verdict | None:
        """``keep``, ``reject`` or None = the rules decide."""
        found = self.find(clip, source)
        return found.verdict if found else None

    def unknown(self, clips: Iterable[str], sources: Iterable[str]) -> list[str]:
        """A line for every decision about something that is not there, in the order of the file.

        Args:
            clips: ids of all clips there are, those left out too.
            sources: names of all sources.
        """
        missing = []
        for kind, decisions, names in (
            ("clip", self.clips, set(clips)),
            ("source", self.sources, set(sources)),
        ):
            for name, decision in decisions.items():
                if name not in names:
                    hint = did_you_mean(name, sorted(names))
                    missing.append((decision.line, f"{self.file}:{decision.line}: no {kind} {name!r}{hint}"))
        return [text for _, text in sorted(missing)]


def read_decisions(file: Path | str) -> Decisions:
    """Read a file of decisions.

    Args:
        file: CSV in UTF-8 with a header: ``decision`` (keep or reject), ``clip`` (id) or ``source`` (name), of which
            each line fills one, and ``why``, ``who``, ``when`` as one likes. Empty lines are skipped.
    Raises:
        UserError: names file and line: unreadable, a column unknown or missing, a line that names nothing or two
            things, a word that is no decision, two lines that contradict each other.
    """
    file = Path(file)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{file}: no such file of decisions") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read as UTF-8 text ({error})") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    clips: dict[str, Decision] = {}
    sources: dict[str, Decision] = {}
    try:
        _check_header(file, [name.strip() for name in reader.fieldnames or []])
        reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
        for row in reader:
            where = f"{file}:{reader.line_num}"
            if None in row or None in row.values():
                raise UserError(
                    f"{where}: has not as many values as the header ({len(reader.fieldnames)}); put text that "
                    "has a comma into double quotes"
                )
            values = {name: value.strip() for name, value in row.items()}
            if not any(values.values()):
                continue
            kind, name, decision = _decision(where, values, reader.line_num)
            known = clips if kind == "clip" else sources
            if name in known and known[name].verdict != decision.verdict:
                other = known[name]
                raise UserError(
                    f"{where}: {decision.verdict} {kind} {name!r}, but line {other.line} says {other.verdict}; "
                    "remove one of them"
                )
            known[name] = decision
    except csv.Error as error:
        raise UserError(f"{file}:{reader.reader.line_num}: is no CSV ({error})") from None
    return Decisions(str(file), clips, sources)


def _check_header(file: Path, names: list[str]) -> None:
    expected = f"expected some of: {','.join(COLUMNS)}"
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or len(set(names)) < len(names):
        wrong = f"unknown column {unknown[0]!r}" if unknown else "a column twice"
        raise UserError(f"{file}:1: {wrong}; {expected}")
    if not set(_NEEDED) <= set(names) or not {"clip", "source"} & set(names):
        raise UserError(f"{file}:1: needs a column 'decision' and one of 'clip' and 'source'; {expected}")


def _decision(where: str, values: dict[str, str], line: int) -> tuple[str, str, Decision]:
    named = [(kind, values[kind]) for kind in ("clip", "source") if values.get(kind)]
    if len(named) != 1:
        got = "both" if named else "neither"
        raise UserError(f"{where}: fill one of 'clip' and 'source', got {got}")
    verdict = values["decision"].lower()
    if verdict not in ("keep", "reject"):
        raise UserError(f"{where}: decision {values['decision']!r} is not keep or reject")
    why, who, when = (values.get(name, "") for name in ("why", "who", "when"))
    kind, name = named[0]
    return kind, name, Decision(cast(Verdict, verdict), why, who, when, line)
