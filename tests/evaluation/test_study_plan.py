"""Who sees what: balanced within a rater and over raters, and the same in the page as in Python."""

import itertools
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from study_room import key_without_page

from temporal_gan.evaluation import study_plan
from temporal_gan.evaluation.study_plan import rater_plan, rater_seed

RATERS = [f"rater {i}" for i in range(400)]


def test_seed_is_fnv_1a() -> None:
    # Published test vectors of FNV-1a, 32 bits: "" and "foobar"; here with the page's slash.
    assert rater_seed("", "") == (0x811C9DC5 ^ ord("/")) * 0x01000193 % 2**32
    assert rater_seed("foo", "bar") == rater_seed("foo", "bar")
    assert len({rater_seed("page", name) for name in RATERS}) == len(RATERS)
    assert rater_seed("page", "Ärger 愛") != rater_seed("page", "Ärger 恋")


def test_a_plan_is_a_function_of_page_and_rater() -> None:
    key = key_without_page(3, 5)
    assert key.plan("Rin") == key.plan("Rin")
    assert key.plan("Rin") != key.plan("Len")
    assert key.model_copy(update={"page": "1" * 64}).plan("Rin") != key.plan("Rin")


@pytest.mark.parametrize("shown", [12, 1000])
def test_each_rater_sees_trials_once_all_checks_and_half_swapped(shown: int) -> None:
    key = key_without_page(4, 6, checks=5, shown=shown)
    for rater in RATERS[:50]:
        plan = key.plan(rater)
        trials = [step.trial for step in plan]
        assert len(set(trials)) == len(trials) == min(shown, 36) + 5
        assert sum(key.is_check(trial) for trial in trials) == 5
        assert abs(2 * sum(step.swapped for step in plan) - len(plan)) <= 1


def test_every_comparison_equally_often_within_a_rater() -> None:
    key = key_without_page(4, 10, shown=24)
    for rater in RATERS[:50]:
        ordinary = [key.trials[step.trial] for step in key.plan(rater) if not key.is_check(step.trial)]
        pairs = Counter(frozenset(key.items[name].method for name in trial) for trial in ordinary)
        # 24 of 60 trials, six kinds of pairs: four each, one more or less where the run starts inside a round.
        assert set(pairs) == {frozenset(p) for p in itertools.combinations(key.methods, 2)}
        assert all(3 <= count <= 5 for count in pairs.values())
        clips = Counter(key.items[trial[0]].clip for trial in ordinary)
        assert max(clips.values()) <= 6


def test_sides_and_order_are_balanced_over_raters() -> None:
    key = key_without_page(3, 6, checks=3, shown=9)
    seen, left, place = Counter[int](), Counter[int](), Counter[tuple[int, bool]]()
    for rater in RATERS:
        plan = key.plan(rater)
        for i, step in enumerate(plan):
            seen[step.trial] += 1
            left[step.trial] += step.swapped
            place[i, key.is_check(step.trial)] += 1
    ordinary = range(18)
    # 400 raters x 9 of 18 trials: 200 each; swapped in half of them, so 100; five standard deviations of a coin.
    assert all(150 <= seen[t] <= 250 for t in ordinary)
    assert all(abs(left[t] - seen[t] / 2) < 5 * (seen[t] / 4) ** 0.5 for t in range(21))
    # A check is as likely anywhere: 100 of 400 at each of the 12 places.
    assert all(60 <= place[i, True] <= 140 for i in range(12))


def test_neighbours_show_different_clips() -> None:
    key = key_without_page(4, 6, shown=12)
    number = {trial: key.items[names[0]].clip for trial, names in enumerate(key.trials)}
    same = total = 0
    for rater in RATERS[:100]:
        clips = [number[step.trial] for step in key.plan(rater)]
        same += sum(a == b for a, b in itertools.pairwise(clips))
        total += len(clips) - 1
    assert same / total < 0.02  # a bare shuffle: about 0.13


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_the_page_plans_as_python_does(tmp_path: Path) -> None:
    cases = [
        (rater_seed("0" * 64, name), [t % clips for t in range(total)], checks, shown)
        for name in ("Rin", "Ärger 愛", "😀", "x" * 64)
        for total, clips, checks, shown in ((23, 6, 5, 40), (50, 1, 0, 7), (3, 3, 2, 1), (400, 37, 8, 40))
    ]
    script = Path(study_plan.__file__).with_name("study.js").read_text(encoding="utf-8")
    script += f"\nconst cases = {json.dumps(cases)};\n"
    script += 'const seeds = ["Rin", "Ärger 愛", "😀"].map((r) => raterSeed("0".repeat(64), r));\n'
    script += "console.log(JSON.stringify([seeds, cases.map((c) => raterPlan(...c))]));\n"
    (tmp_path / "plan.js").write_text(script, encoding="utf-8")
    done = subprocess.run(["node", str(tmp_path / "plan.js")], capture_output=True, text=True, check=True)
    seeds, plans = json.loads(done.stdout)
    assert seeds == [rater_seed("0" * 64, name) for name in ("Rin", "Ärger 愛", "😀")]
    expected = [[{"trial": s.trial, "swapped": s.swapped} for s in rater_plan(*case)] for case in cases]
    assert plans == expected
