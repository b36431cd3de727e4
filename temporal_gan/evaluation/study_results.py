"""What a study found: who answered, who was left out and why, what people prefer, and which metrics agree."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UserError
from .results import versions, write_atomically
from .study_analysis import Choices, analyse_choices, analyse_ratings, gather
from .study_answers import AnswerFile, CheckOutcome, chance_of_passing, checks_needed, judge, read_answers
from .study_correlation import correlate, read_scores
from .study_key import StudyKey, read_key

SCHEMA = 1


@dataclass(frozen=True)
class StudyResults:
    """Attributes:
    key: of the study.
    raters: (answer file, how its rater did), everybody whose file could be read.
    refused: one line for each file that could not be used.
    people: preferences or opinions and agreement of the raters who passed, see :mod:`.study_analysis`.
    metrics: see :func:`.study_correlation.correlate`.
    """

    key: StudyKey
    raters: list[tuple[AnswerFile, CheckOutcome]]
    refused: list[str]
    people: dict[str, Any]
    metrics: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """The content of study.json: plain types, no NaN."""
        key, needed = self.key, checks_needed(self.key.checks, self.key)
        return {
            "schema": SCHEMA,
            "page": key.page,
            "kind": key.kind,
            "question": key.question,
            "methods": key.methods,
            "clips": len({item.clip for item in key.items.values()}),
            "checks": {
                "shown": key.checks,
                "needed": needed,
                "passed_at_random": chance_of_passing(key.checks, needed, key) if key.checks else 1.0,
            },
            "raters": [_rater(file, outcome, key) for file, outcome in self.raters],
            "refused": self.refused,
            **self.people,
            "metrics": self.metrics,
            "versions": versions(),
        }

    def write(self, path: Path) -> None:
        """Write study.json whole or not at all."""
        write_atomically(path, json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")


def analyse_study(
    answers: Sequence[Path], key_path: Path, results: dict[str, Path], warn: Callable[[str], None]
) -> StudyResults:
    """Read and analyse everything.

    Args:
        answers: one file a rater.
        key_path: the key that ``study make`` wrote.
        results: method -> its results.json; may be empty.
        warn: told one line for each answer file that cannot be used; the others are analysed.
    Raises:
        UserError: the key or a results.json is unusable, or no rater is left.
    """
    key = read_key(key_path)
    for method in results:
        if method not in key.methods:
            raise UserError(f"--results {method}: no method of this study; it has {', '.join(key.methods)}")
    scores = read_scores(results)
    raters: dict[str, tuple[AnswerFile, CheckOutcome]] = {}
    sources: dict[str, Path] = {}
    refused: list[str] = []
    for path in answers:
        try:
            file = read_answers(path, key)
            if file.rater in raters:
                raise UserError(f"{path}: the same rater as in {sources[file.rater]}; a rater counts once")
        except UserError as error:
            refused.append(str(error))
            continue
        raters[file.rater], sources[file.rater] = (file, judge(file, key)), path
    used = [file for file, outcome in raters.values() if not outcome.reason]
    if not used:
        why = f"{len(raters)} failed the attention checks, {len(refused)} files could not be used"
        first = f" (first: {refused[0]})" if refused else ""
        raise UserError(f"no rater is left to analyse: {why}{first}")
    for line in refused:
        warn(line)
    people = gather(used, key)
    found = analyse_choices(people) if isinstance(people, Choices) else analyse_ratings(people)
    return StudyResults(key, list(raters.values()), refused, found, correlate(people, scores))


def _rater(file: AnswerFile, outcome: CheckOutcome, key: StudyKey) -> dict[str, Any]:
    seconds = sorted(answer.seconds for answer in file.answers)
    return {
        "rater": file.rater,
        "excluded": outcome.reason or None,
        "checks_right": outcome.right,
        "checks_seen": outcome.seen,
        "answers": len(file.answers),
        "of": key.shown + key.checks,
        "median_seconds": seconds[len(seconds) // 2],
    }
