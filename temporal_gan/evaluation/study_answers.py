"""Answer files that raters sent back: read with suspicion, and judged by the attention checks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from scipy.stats import binom

from ..config import Section
from ..errors import UserError
from .study_key import StudyKey
from .study_plan import rater_seed

LARGEST_FILE = 4 * 2**20
PASSED_BY_CHANCE = 0.05
"""As many checks must be right that somebody who answers at random gets through this often at most."""

HIGHEST_RATING_OF_BROKEN = 2


class Answer(Section, strict=True):
    """One answer: the trial, what stood left and right, the id that was chosen or the rating, and how it was given."""

    trial: int
    shown: list[str]
    choice: str | int
    seconds: Annotated[float, Field(ge=0)]
    plays: Annotated[int, Field(ge=0)]
    at: Annotated[str, Field(max_length=40)]


class AnswerFile(Section, strict=True):
    """What the page exports."""

    version: Literal[1]
    page: str
    kind: str
    rater: Annotated[str, Field(min_length=1, max_length=64)]
    seed: int
    started: Annotated[str, Field(max_length=40)]
    finished: Annotated[str, Field(max_length=40)] | None
    screen: Annotated[list[float], Field(max_length=2)]
    answers: list[Answer]


@dataclass(frozen=True)
class CheckOutcome:
    """How a rater did.

    Attributes:
        right, seen, needed: attention checks answered rightly, shown, and to be right.
        reason: why the rater is excluded; empty: is not.
    """

    right: int
    seen: int
    needed: int
    reason: str


def read_answers(path: Path, key: StudyKey) -> AnswerFile:
    """Read one rater's file and check every answer against what that rater was shown.

    Raises:
        UserError: unreadable, damaged, of another page, or with answers that do not fit; one line, naming the file.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(
                f"{path}: {path.stat().st_size >> 20} MB; an answer file has a few hundred kilobytes at most"
            )
        file = AnswerFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        first = error.errors()[0]
        # Only names that this schema knows are repeated: the others come from the file, and may hold anything.
        where = [str(part) if part in _NAMES or isinstance(part, int) else "?" for part in first["loc"]]
        raise UserError(
            f"{path}: not an answer file ({' '.join(where) + ': ' if where else ''}{_printable(first['msg'])})"
        ) from None
    if file.page != key.page:
        raise UserError(f"{path}: answers to another page than the key's ({key.page[:8]})")
    if file.kind != key.kind:
        raise UserError(f"{path}: says it is a {_printable(file.kind)} study, the key says {key.kind}")
    if file.rater != file.rater.strip() or file.seed != rater_seed(key.page, file.rater):
        raise UserError(f"{path}: its seed is not that of its rater; the name was changed afterwards")
    plan = key.plan(file.rater)
    if not 0 < len(file.answers) <= len(plan):
        raise UserError(f"{path}: {len(file.answers)} answers, expected 1 to {len(plan)}")
    for number, (answer, showing) in enumerate(zip(file.answers, plan, strict=False), 1):
        shown = key.trials[showing.trial]
        shown = shown[::-1] if showing.swapped else shown
        if answer.trial != showing.trial or answer.shown != shown:
            raise UserError(f"{path}: answer {number} is to something this rater was not shown there")
        if key.kind == "2afc" and answer.choice not in shown:
            raise UserError(f"{path}: answer {number} chooses something that was not shown")
        if key.kind == "mos" and answer.choice not in (1, 2, 3, 4, 5):
            raise UserError(f"{path}: answer {number} is not a rating from 1 to 5")
    return file


def judge(file: AnswerFile, key: StudyKey) -> CheckOutcome:
    """Whether a rater looked.

    A check is right if, 2afc, the intact clip was chosen; mos, the broken one got 1 or 2, and less than this rater's
    mean of the others.
    """
    checks = [answer for answer in file.answers if key.is_check(answer.trial)]
    if not key.checks:
        return CheckOutcome(0, 0, 0, "")
    if not checks:
        return CheckOutcome(0, 0, 0, "stopped before the first attention check")
    if key.kind == "2afc":
        right = sum(not key.items[str(answer.choice)].broken for answer in checks)
    else:
        ratings = [int(a.choice) for a in file.answers if not key.is_check(a.trial)]
        mean = sum(ratings) / len(ratings) if ratings else 5.0
        right = sum(int(a.choice) <= min(HIGHEST_RATING_OF_BROKEN, mean - 1e-9) for a in checks)
    needed = checks_needed(len(checks), key)
    reason = "" if right >= needed else f"{right} of {len(checks)} attention checks right, {needed} needed"
    return CheckOutcome(right, len(checks), needed, reason)


def chance_of_passing(seen: int, needed: int, key: StudyKey) -> float:
    """How often somebody who answers at random gets at least ``needed`` of ``seen`` checks right."""
    return float(binom.sf(needed - 1, seen, 0.5 if key.kind == "2afc" else HIGHEST_RATING_OF_BROKEN / 5))


def checks_needed(seen: int, key: StudyKey) -> int:
    """The least number that random answers reach at most once in twenty; all, where there are too few for that."""
    enough = [n for n in range(seen + 1) if chance_of_passing(seen, n, key) <= PASSED_BY_CHANCE]
    return enough[0] if enough else seen


_NAMES = {*AnswerFile.model_fields, *Answer.model_fields}


def _printable(text: str) -> str:
    """Short, on one line, without control characters that would move a terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in text)[:120]
