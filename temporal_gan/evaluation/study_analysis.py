"""``study analyse``: what people's answers say about methods, and whether automatic metrics say the same."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import rng
from ..errors import UserError
from ..metrics.agreement import krippendorff_alpha
from ..metrics.crossed_bootstrap import crossed_intervals
from ..metrics.preference import bradley_terry
from ..metrics.statistics import wilson_interval
from .study_answers import AnswerFile
from .study_key import StudyKey

PRIOR = 0.5
"""Wins added in each direction to every pair that met: a method that always won keeps a finite strength."""


@dataclass(frozen=True)
class Choices:
    """Answers to a 2AFC study. ``wins`` float [R, C, K, K]: rater r, on clip c, preferred method i to j."""

    raters: list[str]
    clips: list[str]
    methods: list[str]
    wins: np.ndarray


@dataclass(frozen=True)
class Ratings:
    """Answers to a MOS study. ``values`` float [R, C, K], 1 to 5, NaN where not shown."""

    raters: list[str]
    clips: list[str]
    methods: list[str]
    values: np.ndarray


def gather(files: Sequence[AnswerFile], key: StudyKey) -> Choices | Ratings:
    """Tables of all answers but those to attention checks."""
    clips = list(dict.fromkeys(item.clip for item in key.items.values()))
    clips.sort()
    shape = (len(files), len(clips), len(key.methods))
    wins, values = np.zeros((*shape, len(key.methods))), np.full(shape, np.nan)
    for rater, file in enumerate(files):
        for answer in file.answers:
            if key.is_check(answer.trial):
                continue
            items = [key.items[name] for name in answer.shown]
            clip = clips.index(items[0].clip)
            methods = [key.methods.index(item.method) for item in items]
            if key.kind == "2afc":
                chosen = answer.shown.index(str(answer.choice))
                wins[rater, clip, methods[chosen], methods[1 - chosen]] += 1
            else:
                values[rater, clip, methods[0]] = int(answer.choice)
    raters = [file.rater for file in files]
    if key.kind == "2afc":
        return Choices(raters, clips, key.methods, wins)
    return Ratings(raters, clips, key.methods, values)


def strengths(wins: np.ndarray) -> np.ndarray:
    """Bradley-Terry strengths of a table of wins [K, K], with half a win more each way for every pair that met.

    Raises:
        UserError: methods that no chain of comparisons connects.
    """
    return bradley_terry(wins + PRIOR * ((wins + wins.T) > 0))


def resampled_strengths(choices: Choices, raters: np.ndarray, clips: np.ndarray) -> np.ndarray | None:
    """Strengths [K] where raters [R] and clips [C] count that often; None where they do not connect the methods."""
    try:
        return strengths(np.einsum("r,c,rcij->ij", raters, clips, choices.wins))
    except UserError:
        return None


def resampled_means(ratings: Ratings, raters: np.ndarray, clips: np.ndarray) -> np.ndarray:
    """Mean opinion [K] where raters [R] and clips [C] count that often; NaN for a method nobody rated."""
    weight = np.einsum("r,c,rck->rck", raters, clips, np.isfinite(ratings.values))
    total, sum_ = weight.sum((0, 1)), (weight * np.nan_to_num(ratings.values)).sum((0, 1))
    return np.divide(sum_, total, out=np.full(len(total), np.nan), where=total > 0)


def analyse_choices(choices: Choices, seed: int = 0) -> dict[str, Any]:
    """Strengths, pairwise win rates and agreement, as in study.json."""
    count, (raters, clips) = len(choices.methods), choices.wins.shape[:2]
    table = choices.wins.sum((0, 1))
    found: dict[str, Any] = {"answers": int(table.sum())}
    pairs = list(itertools.combinations(range(count), 2))

    def shares(rater: np.ndarray, clip: np.ndarray) -> np.ndarray:
        wins = np.einsum("r,c,rcij->ij", rater, clip, choices.wins)
        met = wins + wins.T
        share = np.divide(wins, met, out=np.full_like(wins, np.nan), where=met > 0)
        return np.array([share[pair] for pair in pairs])

    intervals = crossed_intervals(shares, raters, clips, rng.numpy_generator(seed, "study", "pairs"))
    found["pairs"] = [
        _pair(choices.methods[i], choices.methods[j], table[i, j], table[j, i], _plain(intervals, number))
        for number, (i, j) in enumerate(pairs)
    ]
    try:
        strength: np.ndarray | None = strengths(table)
        reason = ""
    except UserError:
        strength, reason = None, "no chain of comparisons connects all methods; ask for more answers"
    bounds = None
    if strength is not None:
        bounds = crossed_intervals(
            lambda r, c: resampled_strengths(choices, r, c),
            raters,
            clips,
            rng.numpy_generator(seed, "study", "strengths"),
        )
    found["strengths"] = [
        {
            "method": method,
            "strength": None if strength is None else float(strength[i]),
            "interval": _plain(bounds, i),
            "against_average": None if strength is None else float(1 / (1 + np.exp(-strength[i]))),
            "wins": int(table[i].sum()),
            "answers": int(table[i].sum() + table[:, i].sum()),
            **({"reason": reason} if reason else {}),
        }
        for i, method in enumerate(choices.methods)
    ]
    found["agreement"] = _agreement_of_choices(choices, pairs)
    return found


def analyse_ratings(ratings: Ratings, seed: int = 0) -> dict[str, Any]:
    """Mean opinions, their differences and agreement, as in study.json."""
    count, (raters, clips) = len(ratings.methods), ratings.values.shape[:2]
    pairs = list(itertools.combinations(range(count), 2))
    means = resampled_means(ratings, np.ones(raters), np.ones(clips))

    def both(rater: np.ndarray, clip: np.ndarray) -> np.ndarray:
        mean = resampled_means(ratings, rater, clip)
        return np.concatenate([mean, [mean[i] - mean[j] for i, j in pairs]])

    bounds = crossed_intervals(both, raters, clips, rng.numpy_generator(seed, "study", "opinions"))
    opinions = []
    for i, method in enumerate(ratings.methods):
        given = ratings.values[:, :, i][np.isfinite(ratings.values[:, :, i])]
        opinions.append(
            {
                "method": method,
                "mean": float(means[i]) if len(given) else None,
                "interval": _plain(bounds, i),
                "answers": len(given),
                "counts": [int((given == rating).sum()) for rating in range(1, 6)],
            }
        )
    units = ratings.values.reshape(raters, -1)
    alpha = krippendorff_alpha(units, "ordinal")
    return {
        "answers": int(np.isfinite(units).sum()),
        "opinions": opinions,
        "differences": [
            {
                "first": ratings.methods[i],
                "second": ratings.methods[j],
                "difference": float(means[i] - means[j]) if np.isfinite(means[[i, j]]).all() else None,
                "interval": _plain(bounds, count + number),
            }
            for number, (i, j) in enumerate(pairs)
        ],
        "agreement": {
            "name": "krippendorff_alpha_ordinal",
            "value": alpha,
            **({} if alpha is not None else {"reason": _NO_AGREEMENT}),
        },
    }


_NO_AGREEMENT = "no two raters saw the same, or all answers are the same"


def _agreement_of_choices(choices: Choices, pairs: list[tuple[int, int]]) -> dict[str, Any]:
    columns = []
    for i, j in pairs:
        first, second = choices.wins[:, :, i, j], choices.wins[:, :, j, i]
        columns.append(np.where(first + second > 0, first > second, np.nan).astype(float))
    units = np.concatenate(columns, axis=1)
    # Which of two methods is called the first is arbitrary: each unit stands there both ways, so that agreement by
    # chance is that of a fair coin, whatever the methods' order and strengths.
    alpha = krippendorff_alpha(np.concatenate([units, 1 - units], axis=1), "nominal")
    ones = np.nansum(units, axis=0)
    seen = np.isfinite(units).sum(axis=0)
    same = (ones * (ones - 1) + (seen - ones) * (seen - ones - 1)).sum()
    met = (seen * (seen - 1)).sum()
    return {
        "name": "krippendorff_alpha_nominal",
        "value": alpha,
        "same_answer": float(same / met) if met else None,
        **({} if alpha is not None else {"reason": _NO_AGREEMENT}),
    }


def _pair(
    first: str, second: str, wins: float, losses: float, interval: list[float] | None
) -> dict[str, Any]:
    answers = int(wins + losses)
    return {
        "first": first,
        "second": second,
        "first_wins": int(wins),
        "answers": answers,
        "share": float(wins / answers) if answers else None,
        "wilson": list(wilson_interval(int(wins), answers)) if answers else None,
        "interval": interval,
    }


def _plain(intervals: np.ndarray | None, number: int) -> list[float] | None:
    if intervals is None or not np.isfinite(intervals[number]).all():
        return None
    return [float(bound) for bound in intervals[number]]
