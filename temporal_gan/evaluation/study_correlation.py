"""Does an automatic metric say what people say? Rank correlations over methods, and over clips."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import rng
from ..errors import UserError
from ..metrics.agreement import rank_correlations
from ..metrics.crossed_bootstrap import crossed_intervals
from .results_file import ResultsFile, ScoredMetric, read_results
from .study_analysis import Choices, Ratings, resampled_means, resampled_strengths

FEWEST_METHODS = 3
"""Two methods are ordered alike or not: a correlation of +1 or -1 that says nothing."""

FEWEST_ITEMS = 5
DRAWS = 500


@dataclass(frozen=True)
class MethodScores:
    """What a results.json says about a method, turned so that more is always better.

    Attributes:
        means: metric -> score over all its clips.
        clips: metric -> clip -> score.
    """

    means: dict[str, float]
    clips: dict[str, dict[str, float]]


def read_scores(paths: dict[str, Path]) -> dict[str, MethodScores]:
    """Read each method's results.json (or its folder), written by ``temporal-gan evaluate``.

    Lower-is-better metrics change sign; a metric with an ideal value counts as minus the distance from it; metrics
    that are no score (floors) are left out.

    Raises:
        UserError: see :func:`.results_file.read_results`; or two were measured by different protocols.
    """
    files = {method: read_results(path) for method, path in paths.items()}
    first = next(iter(paths), "")
    for method, file in files.items():
        here, there = file.protocol, files[first].protocol
        if here.settings() != there.settings():
            raise UserError(
                f"{paths[method]}: measured by protocol {here.name!r}, {paths[first]} by {there.name!r} or with other "
                "settings; such scores are not compared"
            )
    return {method: _scores(file) for method, file in files.items()}


def correlate(
    people: Choices | Ratings, scores: dict[str, MethodScores], seed: int = 0
) -> list[dict[str, Any]]:
    """Every metric against people, as in study.json: over methods, and over single clips.

    Over methods: the metric's mean against strength or mean opinion; the interval resamples raters and clips. Over
    clips: for choices, the difference of two methods' scores on a clip against the share that preferred the one, and
    ``agreement``, how often the metric would have chosen as people did (a coin: 0.5); for ratings, the score of a
    clip against its mean rating.
    """
    metrics = list(dict.fromkeys(name for score in scores.values() for name in score.means))
    found = []
    for metric in metrics:
        found.append({"metric": metric, "over": "methods", **_over_methods(people, scores, metric, seed)})
        found.append({"metric": metric, "over": "clips", **_over_clips(people, scores, metric, seed)})
    return found


def _over_methods(
    people: Choices | Ratings, scores: dict[str, MethodScores], metric: str, seed: int
) -> dict[str, Any]:
    known = [i for i, m in enumerate(people.methods) if m in scores and metric in scores[m].means]
    if len(known) < FEWEST_METHODS:
        return _nothing(len(known), f"needs {FEWEST_METHODS} methods with this metric")
    score = np.array([scores[people.methods[i]].means[metric] for i in known])

    def statistic(raters: np.ndarray, clips: np.ndarray) -> np.ndarray | None:
        if isinstance(people, Choices):
            opinion = resampled_strengths(people, raters, clips)
        else:
            opinion = resampled_means(people, raters, clips)
        if opinion is None or not np.isfinite(opinion[known]).all():
            return None
        # Scores that differ by rounding only are a tie.
        return np.array(rank_correlations(score, opinion[known].round(9)))

    return _entry(
        people, statistic, len(known), ("spearman", "kendall"), rng.numpy_generator(seed, "study", "methods")
    )


def _over_clips(
    people: Choices | Ratings, scores: dict[str, MethodScores], metric: str, seed: int
) -> dict[str, Any]:
    count = len(people.methods)
    score = np.full((len(people.clips), count), np.nan)
    for (c, clip), (k, method) in itertools.product(enumerate(people.clips), enumerate(people.methods)):
        if method in scores:
            score[c, k] = scores[method].clips.get(metric, {}).get(clip, np.nan)
    if isinstance(people, Choices):
        pairs = np.array(list(itertools.combinations(range(count), 2)))
        score = score[:, pairs[:, 0]] - score[:, pairs[:, 1]]
        won, lost = people.wins[..., pairs[:, 0], pairs[:, 1]], people.wins[..., pairs[:, 1], pairs[:, 0]]
        seen, total = won + lost, won
    else:
        seen, total = np.isfinite(people.values).astype(float), np.nan_to_num(people.values)
    usable = np.isfinite(score) & (seen.sum(axis=0) > 0)
    items = int(usable.sum())
    if items < FEWEST_ITEMS:
        reason = (
            "results.json has no values of the study's clips"
            if not np.isfinite(score).any()
            else (f"needs {FEWEST_ITEMS} clips with answers and this metric")
        )
        return _nothing(items, reason)
    choices = isinstance(people, Choices)

    def statistic(raters: np.ndarray, clips: np.ndarray) -> np.ndarray | None:
        weight, sums = np.einsum("r,rck->ck", raters, seen), np.einsum("r,rck->ck", raters, total)
        there = usable & (weight > 0)
        times = np.broadcast_to(clips[:, None], there.shape)[there].astype(int)
        if (times > 0).sum() < 2:
            return None
        x, y = score[there], sums[there] / weight[there]
        if not choices:
            return np.array(rank_correlations(np.repeat(x, times), np.repeat(y, times)))
        # Which method is called the first is arbitrary: every pair stands there both ways.
        y = y - 0.5
        x_both, y_both = (np.concatenate([np.repeat(v, times), -np.repeat(v, times)]) for v in (x, y))
        chosen = np.where(x > 0, sums[there], np.where(x < 0, weight[there] - sums[there], weight[there] / 2))
        agreement = (times * chosen).sum() / (times * weight[there]).sum()
        return np.array([*rank_correlations(x_both, y_both), agreement])

    names = ("spearman", "kendall", "agreement") if choices else ("spearman", "kendall")
    return _entry(people, statistic, items, names, rng.numpy_generator(seed, "study", "clips"))


def _entry(
    people: Choices | Ratings,
    statistic: Any,
    items: int,
    names: tuple[str, ...],
    generator: np.random.Generator,
) -> dict[str, Any]:
    raters, clips = len(people.raters), len(people.clips)
    values = statistic(np.ones(raters, int), np.ones(clips, int))
    if values is None or not np.isfinite(values).all():
        return _nothing(items, "people or the metric give every item the same value")
    bounds = crossed_intervals(statistic, raters, clips, generator, DRAWS)
    entry: dict[str, Any] = {"items": items}
    for number, name in enumerate(names):
        known = bounds is not None and np.isfinite(bounds[number]).all()
        entry[name] = float(values[number])
        entry[f"{name}_interval"] = (
            [float(b) for b in bounds[number]] if known and bounds is not None else None
        )
    return entry


def _nothing(items: int, reason: str) -> dict[str, Any]:
    return {"items": items, "spearman": None, "kendall": None, "reason": reason}


def _scores(results: ResultsFile) -> MethodScores:
    means: dict[str, float] = {}
    clips: dict[str, dict[str, float]] = {}
    for metric in results.metrics:
        if metric.higher_is_better is None and metric.ideal is None:
            continue
        if metric.value is not None:
            means[metric.name] = _score(metric, metric.value)
        values = [(clip.clip_id, clip.values.get(metric.name)) for clip in results.clips]
        clips[metric.name] = {name: _score(metric, value) for name, value in values if value is not None}
    return MethodScores(means, clips)


def _score(metric: ScoredMetric, value: float) -> float:
    if metric.higher_is_better is None:
        return -abs(value - (metric.ideal or 0.0))
    return value if metric.higher_is_better else -value
