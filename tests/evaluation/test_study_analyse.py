"""``study analyse``: simulated raters are recovered, careless ones are caught, damaged files are named."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import call
from study_room import answers, by_strength, key_without_page, write_answers

from temporal_gan.errors import UserError
from temporal_gan.evaluation.results import SCHEMA
from temporal_gan.evaluation.study_analysis import (
    Choices,
    Ratings,
    analyse_choices,
    analyse_ratings,
    gather,
    strengths,
)
from temporal_gan.evaluation.study_answers import (
    AnswerFile,
    chance_of_passing,
    checks_needed,
    judge,
    read_answers,
)
from temporal_gan.evaluation.study_correlation import MethodScores, correlate, read_scores
from temporal_gan.evaluation.study_key import StudyItem, StudyKey
from temporal_gan.evaluation.study_report import write_study_report
from temporal_gan.evaluation.study_results import analyse_study

STRENGTH = {"m0": 1.0, "m1": 0.2, "m2": -0.3, "m3": -0.9}


def file_of(key: StudyKey, rater: str, choose: Callable[[list[StudyItem]], int]) -> AnswerFile:
    return AnswerFile.model_validate_json(json.dumps(answers(key, rater, choose)))


def choices_of(key: StudyKey, raters: int, strength: dict[str, float] = STRENGTH, seed: int = 0) -> Choices:
    generator = np.random.default_rng(seed)
    files = [file_of(key, f"r{i}", by_strength(strength, generator)) for i in range(raters)]
    found = gather(files, key)
    assert isinstance(found, Choices)
    return found


def rate(means: dict[str, float], generator: np.random.Generator) -> Callable[[list[StudyItem]], int]:
    def choose(items: list[StudyItem]) -> int:
        mean = 1.0 if items[0].broken else means[items[0].method] + generator.normal(0, 0.8)
        return int(np.clip(round(mean), 1, 5))

    return choose


# Preferences


def test_known_strengths_are_recovered() -> None:
    found = analyse_choices(choices_of(key_without_page(4, 20), 60))
    assert found["answers"] == 60 * 6 * 20
    for entry in found["strengths"]:
        # The standard error of 7200 answers is about 0.03.
        assert entry["strength"] == pytest.approx(STRENGTH[entry["method"]], abs=0.12)
        low, high = entry["interval"]
        assert low < STRENGTH[entry["method"]] < high
        assert 0.05 < high - low < 0.5
    for pair in found["pairs"]:
        true = 1 / (1 + np.exp(STRENGTH[pair["second"]] - STRENGTH[pair["first"]]))
        assert pair["answers"] == 1200
        assert pair["share"] == pair["first_wins"] / 1200 == pytest.approx(true, abs=0.07)
        assert pair["wilson"][0] < pair["share"] < pair["wilson"][1]
        assert pair["wilson"][1] - pair["wilson"][0] == pytest.approx(
            4 * (true * (1 - true) / 1200) ** 0.5, rel=0.1
        )


def test_intervals_grow_where_raters_differ_in_taste() -> None:
    """Half of the raters love what the others hate: Wilson's bounds believe 480 answers, the interval 24 people."""
    key, generator = key_without_page(2, 20), np.random.default_rng(0)
    tastes = [{"m0": s, "m1": -s} for s in (1.5, -1.5)] * 12
    found = gather([file_of(key, f"r{i}", by_strength(t, generator)) for i, t in enumerate(tastes)], key)
    assert isinstance(found, Choices)
    (pair,) = analyse_choices(found)["pairs"]
    assert pair["share"] == pytest.approx(0.5, abs=0.08)
    assert pair["interval"][1] - pair["interval"][0] > 3 * (pair["wilson"][1] - pair["wilson"][0])


def test_a_method_that_always_wins_has_a_finite_strength() -> None:
    wins = np.array([[0, 10.0, 10], [0, 0, 6], [0, 4, 0]])
    found = strengths(wins)
    assert np.isfinite(found).all()
    assert found[0] > found[1] + 1 > found[2] + 1
    # Two methods: the prior is half a win each way, so 10 to 0 reads as 10.5 to 0.5.
    a, b = strengths(np.array([[0, 10.0], [0, 0]]))
    assert a - b == pytest.approx(np.log(21), abs=1e-9)


def test_methods_that_never_met_have_none() -> None:
    wins = np.zeros((3, 4, 4, 4))
    wins[:, :, 0, 1] = wins[:, :, 2, 3] = 1
    found = analyse_choices(Choices(["a", "b", "c"], list("wxyz"), ["p", "q", "r", "s"], wins))
    assert [entry["strength"] for entry in found["strengths"]] == [None] * 4
    assert "no chain of comparisons" in found["strengths"][0]["reason"]
    assert [pair["share"] for pair in found["pairs"]] == [1, None, None, None, None, 1]


def test_agreement_is_that_of_coins_for_coins_and_one_for_the_unanimous() -> None:
    key = key_without_page(3, 20)
    coins = analyse_choices(choices_of(key, 12, dict.fromkeys(STRENGTH, 0.0)))["agreement"]
    assert coins["value"] == pytest.approx(0, abs=0.05)
    assert coins["same_answer"] == pytest.approx(0.5, abs=0.03)
    # However lopsided: who always prefers the same method agrees fully, not "by chance".
    sure = analyse_choices(choices_of(key, 5, {"m0": 90.0, "m1": 0, "m2": -90}))["agreement"]
    assert sure["value"] == sure["same_answer"] == 1


# Opinions


def test_mean_opinions_are_recovered() -> None:
    means = {"m0": 4.0, "m1": 3.0, "m2": 2.0}
    key, generator = key_without_page(3, 20, kind="mos"), np.random.default_rng(0)
    ratings = gather([file_of(key, f"r{i}", rate(means, generator)) for i in range(30)], key)
    assert isinstance(ratings, Ratings)
    found = analyse_ratings(ratings)
    for entry in found["opinions"]:
        assert entry["mean"] == pytest.approx(means[entry["method"]], abs=0.1)
        assert entry["interval"][0] < entry["mean"] < entry["interval"][1]
        assert sum(entry["counts"]) == entry["answers"] == 600
        assert sum(i * n for i, n in enumerate(entry["counts"], 1)) / 600 == pytest.approx(entry["mean"])
    assert [d["difference"] for d in found["differences"]] == pytest.approx([1, 2, 1], abs=0.15)
    assert all(d["interval"][0] > 0.5 for d in found["differences"])
    assert 0.3 < found["agreement"]["value"] < 0.8


# Attention


def test_random_raters_are_caught_and_attentive_ones_kept() -> None:
    key, generator = key_without_page(3, 6), np.random.default_rng(0)
    caught = [judge(file_of(key, f"r{i}", lambda items: int(generator.integers(2))), key) for i in range(400)]
    passed = sum(not outcome.reason for outcome in caught)
    # Five coins all right: 1 in 32.
    assert passed / 400 == pytest.approx(1 / 32, abs=0.03)
    assert passed > 0
    kept = [judge(file_of(key, f"r{i}", by_strength(STRENGTH, generator)), key) for i in range(50)]
    assert not any(outcome.reason for outcome in kept)
    assert {(o.right, o.seen, o.needed) for o in kept} == {(5, 5, 5)}


@pytest.mark.parametrize("habit", [lambda items: 3, lambda items: 1, lambda items: 5], ids=["3", "1", "5"])
def test_a_rater_who_always_presses_one_key_is_caught(habit: Callable[[list[StudyItem]], int]) -> None:
    key = key_without_page(3, 6, kind="mos")
    assert judge(file_of(key, "r", habit), key).reason == "0 of 5 attention checks right, 5 needed"
    pair = key_without_page(3, 6)
    assert judge(file_of(pair, "r", lambda items: 0), pair).reason


def test_checks_needed() -> None:
    key = key_without_page(2, 2)
    # Exact binomial tails of a coin: 8 coins show 7 or more in 9 of 256 cases.
    assert chance_of_passing(8, 7, key) == pytest.approx(9 / 256)
    assert [checks_needed(n, key) for n in (1, 4, 5, 7, 8, 12)] == [1, 4, 5, 7, 7, 10]
    assert checks_needed(4, key_without_page(2, 2, kind="mos")) == 4


def test_who_stops_before_the_first_check_is_not_counted() -> None:
    key = key_without_page(3, 6)
    file = answers(key, "r", lambda items: int(items[0].broken))
    until = next(i for i, answer in enumerate(file["answers"]) if key.is_check(answer["trial"]))
    file["answers"] = file["answers"][: max(until, 1)]
    outcome = judge(AnswerFile.model_validate_json(json.dumps(file)), key)
    assert outcome.reason == "stopped before the first attention check" or until == 0


# Metrics


def scores(means: dict[str, float], noise: float, clips: int) -> dict[str, MethodScores]:
    generator = np.random.default_rng(3)
    return {
        method: MethodScores(
            {"psnr": mean}, {"psnr": {f"c{i}": mean + generator.normal(0, noise) for i in range(clips)}}
        )
        for method, mean in means.items()
    }


def test_a_metric_that_sees_what_people_see_agrees_and_its_opposite_does_not() -> None:
    people = choices_of(key_without_page(4, 12), 20)
    good = correlate(people, scores(STRENGTH, 0.01, 12))
    methods, clips = good
    assert (methods["over"], clips["over"]) == ("methods", "clips")
    assert methods["spearman"] == methods["kendall"] == 1
    assert methods["items"] == 4
    assert clips["items"] == 6 * 12
    assert clips["spearman"] > 0.7
    assert clips["agreement"] > 0.6
    assert clips["agreement_interval"][0] < clips["agreement"] < clips["agreement_interval"][1]
    bad = correlate(people, scores({m: -s for m, s in STRENGTH.items()}, 0.01, 12))
    assert bad[0]["kendall"] == -1
    # The mirror image: what the one chooses rightly the other chooses wrongly.
    assert bad[1]["agreement"] == pytest.approx(1 - clips["agreement"], abs=0.02)
    blind = correlate(people, scores(dict.fromkeys(STRENGTH, 0.0), 1.0, 12))
    assert abs(blind[1]["spearman"]) < 0.35
    assert blind[0]["kendall"] is None
    assert "the same value" in blind[0]["reason"]


def test_ratings_correlate_with_scores_of_clips() -> None:
    means = {"m0": 4.5, "m1": 3.0, "m2": 1.5}
    key, generator = key_without_page(3, 8, kind="mos"), np.random.default_rng(0)
    people = gather([file_of(key, f"r{i}", rate(means, generator)) for i in range(10)], key)
    methods, clips = correlate(people, scores(means, 0.01, 8))
    assert methods["kendall"] == 1
    assert clips["items"] == 24
    assert clips["spearman"] > 0.85
    assert "agreement" not in clips


def test_two_methods_or_unknown_clips_give_no_correlation() -> None:
    people = choices_of(key_without_page(2, 6), 4)
    methods, clips = correlate(
        people, {"m0": MethodScores({"psnr": 1}, {}), "m1": MethodScores({"psnr": 2}, {})}
    )
    assert (methods["kendall"], methods["reason"]) == (None, "needs 3 methods with this metric")
    assert (clips["kendall"], clips["reason"]) == (None, "results.json has no values of the study's clips")


def results_file(
    path: Path, values: dict[str, tuple[float, bool | None, float | None]], protocol: str = "p"
) -> Path:
    metrics = [
        {"name": n, "value": v, "higher_is_better": higher, "ideal": ideal}
        for n, (v, higher, ideal) in values.items()
    ]
    clips = [
        {
            "clip_id": f"c{i}",
            "character": "",
            "real_hash": f"{i}",
            "values": {n: v + 0.01 * i for n, (v, _, _) in values.items()},
        }
        for i in range(6)
    ]
    about = {"name": protocol, "seed": 0, "anchors": {}}
    path.write_text(json.dumps({"schema": SCHEMA, "protocol": about, "metrics": metrics, "clips": clips}))
    return path


def test_scores_are_turned_so_that_more_is_better(tmp_path: Path) -> None:
    values = {
        "psnr": (20.0, True, None),
        "error": (0.3, False, 0.0),
        "ratio": (1.4, None, 1.0),
        "floor": (3.0, None, None),
    }
    found = read_scores({"m0": results_file(tmp_path / "r.json", values)})["m0"]
    assert found.means == pytest.approx({"psnr": 20, "error": -0.3, "ratio": -0.4})
    assert found.clips["error"]["c2"] == pytest.approx(-0.32)
    assert found.clips["ratio"]["c1"] == pytest.approx(-0.41)
    assert "floor" not in found.clips


def test_results_of_different_protocols_are_refused(tmp_path: Path) -> None:
    a = results_file(tmp_path / "a.json", {"psnr": (1.0, True, None)})
    b = results_file(tmp_path / "b.json", {"psnr": (2.0, True, None)}, "q")
    with pytest.raises(UserError, match=r"b\.json: measured by protocol 'q', .*a\.json by 'p'"):
        read_scores({"m0": a, "m1": b})
    a.write_text(a.read_text().replace(f'"schema": {SCHEMA}', '"schema": 99'))
    with pytest.raises(UserError, match=r"a\.json: schema 99, expected "):
        read_scores({"m0": a})


# Files


@pytest.fixture
def room(tmp_path: Path) -> tuple[Path, StudyKey]:
    key = key_without_page(3, 6)
    key.write(tmp_path / "page.key.json")
    return tmp_path, key


def good_files(key: StudyKey, count: int = 6) -> list[dict[str, Any]]:
    generator = np.random.default_rng(0)
    return [answers(key, f"r{i}", by_strength(STRENGTH, generator)) for i in range(count)]


def spoilt(file: dict[str, Any], **changes: Any) -> str:
    return json.dumps({**file, **changes})


def hostile(key: StudyKey) -> dict[str, tuple[str | bytes, str]]:
    """name -> content, what is said about it."""
    file = answers(key, "eve", lambda items: int(items[0].broken))
    first, *rest = file["answers"]
    second = rest[0]
    return {
        "empty": ("", "not an answer file"),
        "half": (json.dumps(file)[:500], "not an answer file"),
        "bytes": (b"\xff\xfe\x00\x01" * 50, "not an answer file"),
        "deep": ("[" * 200_000, "not an answer file"),
        "list": ("[]", "not an answer file"),
        "huge": (b" " * (4 * 2**20 + 1), "MB; an answer file has a few hundred kilobytes"),
        "more": (spoilt(file, **{"\x1b[2J\nerror": 1}), "(?: Extra inputs are not permitted)"),
        "page": (spoilt(file, page="1" * 64), "answers to another page"),
        "kind": (spoilt(file, kind="mos\n\x1b[2J"), "says it is a mos??[2J study"),
        "renamed": (spoilt(file, rater="bob"), "the name was changed afterwards"),
        "nan": (spoilt(file, answers=[{**first, "seconds": float("nan")}]), "answers 0 seconds: "),
        "negative": (spoilt(file, answers=[{**first, "seconds": -1}]), "answers 0 seconds: "),
        "truth": (spoilt(file, answers=[{**first, "choice": True}]), "answers 0 choice"),
        "other": (spoilt(file, answers=[{**first, "choice": "m1c9"}]), "answer 1 chooses something that was not shown"),
        "sides": (spoilt(file, answers=[{**first, "shown": first["shown"][::-1]}]), "answer 1 is to something"),
        "order": (spoilt(file, answers=[second, first]), "answer 1 is to something"),
        "none": (spoilt(file, answers=[]), "0 answers, expected 1 to 23"),
        "many": (spoilt(file, answers=file["answers"] * 2), "46 answers, expected 1 to 23"),
    }  # fmt: skip


def test_each_damaged_file_is_one_line_and_the_rest_is_analysed(
    room: tuple[Path, StudyKey], capfd: pytest.CaptureFixture[str]
) -> None:
    folder, key = room
    good = write_answers(folder / "good", good_files(key))
    bad = hostile(key)
    for name, (content, _) in bad.items():
        (folder / f"bad_{name}.json").write_bytes(content.encode() if isinstance(content, str) else content)
    (folder / "bad_twice.json").write_bytes(good[0].read_bytes())
    (folder / "bad_folder.json").mkdir()
    files = [*good, *sorted(folder.glob("bad_*.json")), folder / "bad_missing.json"]
    code = call("study", "analyse", *files, "--key", folder / "page.key.json", "--out", folder / "out")
    said = capfd.readouterr()
    assert code == 1
    lines = said.err.splitlines()
    assert len(lines) == len(bad) + 3
    assert all(line.isprintable() and line.startswith(f"error: {folder}/bad_") for line in lines)
    for name, (_, words) in bad.items():
        (line,) = [line for line in lines if f"bad_{name}.json" in line]
        assert words in line
    assert any("bad_twice.json: the same rater as in" in line for line in lines)
    assert f"{folder / 'out' / 'study.html'}: 6 raters, 0 excluded" in said.out
    alone = analyse_study(good, folder / "page.key.json", {}, lambda line: None).to_dict()
    found = json.loads((folder / "out" / "study.json").read_text())
    assert found["refused"] == [line.removeprefix("error: ") for line in lines]
    assert {**found, "refused": []} == json.loads(json.dumps(alone))


@pytest.mark.slow
def test_all_good_is_exit_code_0_and_the_same_twice(room: tuple[Path, StudyKey]) -> None:
    folder, key = room
    files = good_files(key, 4) + [answers(key, "<img src=x onerror=alert(1)>", lambda items: 0)]
    paths = write_answers(folder / "a", files)
    results = []
    for i, method in enumerate(key.methods):
        path = results_file(
            folder / f"{method}.json", {"psnr": (20.0 - i, True, None), "<b>x": (1.0 + i, False, None)}
        )
        results += ["--results", f"{method}={path}"]
    for out in ("x", "y"):
        arguments = (*paths, "--key", folder / "page.key.json", "--out", folder / out, *results, "--quiet")
        assert call("study", "analyse", *arguments) == 0
    assert (folder / "x" / "study.json").read_bytes() == (folder / "y" / "study.json").read_bytes()
    found = json.loads((folder / "x" / "study.json").read_text())
    assert [r["rater"] for r in found["raters"] if r["excluded"]] == ["<img src=x onerror=alert(1)>"]
    assert {m["metric"] for m in found["metrics"]} == {"psnr", "<b>x"}
    html = (folder / "x" / "study.html").read_text()
    assert "http:" not in html
    assert "https:" not in html
    assert "<img" not in html
    assert "<b>x" not in html
    assert "&lt;img src=x" in html
    assert html.rstrip().endswith("</html>")


@pytest.mark.parametrize("kind", ["2afc", "mos"])
@pytest.mark.parametrize("raters", [1, 4])
def test_few_raters_give_a_report_that_says_so(kind: str, raters: int, tmp_path: Path) -> None:
    key, generator = key_without_page(2, 2, kind=kind, checks=0), np.random.default_rng(0)
    key.write(tmp_path / "k.json")
    choose = by_strength(STRENGTH, generator) if kind == "2afc" else rate({"m0": 4, "m1": 2}, generator)
    paths = write_answers(tmp_path / "a", [answers(key, f"r{i}", choose) for i in range(raters)])
    found = analyse_study(paths, tmp_path / "k.json", {}, lambda line: None).to_dict()
    write_study_report(found, tmp_path / "study.html")
    html = (tmp_path / "study.html").read_text()
    assert "Ask 15 or more" in html
    assert "no attention checks" in html
    assert "None" not in html
    assert "nan" not in html


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not a study's key (Invalid JSON"),
        ("{}", "not a study's key (page: Field required"),
        ("damaged", "a damaged key"),
    ],
)
def test_a_bad_key_is_one_line(
    room: tuple[Path, StudyKey], capfd: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    folder, key = room
    (path,) = write_answers(folder / "a", good_files(key, 1))
    if content == "damaged":
        content = key.model_copy(update={"trials": [["nobody", "m0c0"], *key.trials[1:]]}).model_dump_json()
    (folder / "k.json").write_text(content)
    assert call("study", "analyse", path, "--key", folder / "k.json", "--out", folder / "out") == 2
    error = capfd.readouterr().err
    assert error.startswith(f"error: {folder / 'k.json'}: {words}")
    assert error.count("\n") == 1


def test_nobody_left_is_a_mistake(room: tuple[Path, StudyKey], capfd: pytest.CaptureFixture[str]) -> None:
    folder, key = room
    paths = write_answers(folder / "a", [answers(key, "r", lambda items: int(not items[0].broken))])
    assert call("study", "analyse", *paths, "--key", folder / "page.key.json", "--out", folder / "out") == 2
    error = capfd.readouterr().err
    assert (
        error
        == "error: no rater is left to analyse: 1 failed the attention checks, 0 files could not be used\n"
    )
    (folder / "damaged.json").write_text("")
    assert (
        call(
            "study",
            "analyse",
            folder / "damaged.json",
            "--key",
            folder / "page.key.json",
            "--out",
            folder / "out",
        )
        == 2
    )
    error = capfd.readouterr().err
    assert error.startswith(
        "error: no rater is left to analyse: 0 failed the attention checks, 1 files could not be used "
        f"(first: {folder / 'damaged.json'}: not an answer file ("
    )
    assert error.count("\n") == 1
    arguments = (
        *paths,
        "--key",
        folder / "page.key.json",
        "--out",
        folder / "out",
        "--results",
        f"zed={paths[0]}",
    )
    assert call("study", "analyse", *arguments) == 2
    assert "--results zed: no method of this study; it has m0, m1, m2" in capfd.readouterr().err


def test_an_unfinished_file_counts_as_far_as_it_goes(room: tuple[Path, StudyKey]) -> None:
    folder, key = room
    file = good_files(key, 1)[0]
    file["answers"] = file["answers"][:9]
    (path,) = write_answers(folder / "a", [file])
    assert len(read_answers(path, key).answers) == 9


def test_every_answer_reaches_its_own_cell() -> None:
    key = key_without_page(3, 4)
    prefers = {"m2": 2.0, "m0": 1.0, "m1": 0.0}
    people = choices_of(key, 3, {m: 1000 * s for m, s in prefers.items()})
    for i, j in itertools.permutations(range(3), 2):
        expected = 1 if prefers[key.methods[i]] > prefers[key.methods[j]] else 0
        assert (people.wins[:, :, i, j] == expected).all()
