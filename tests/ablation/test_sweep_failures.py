"""An arm that crashes or diverges is a row with its reason, and the rest goes on."""

import json
import os
import signal
from pathlib import Path

import pytest
from small_runs import call
from small_sweeps import runs_of, sweep_file, sweep_of

from temporal_gan.ablation import local_engine
from temporal_gan.ablation.clips import open_store
from temporal_gan.ablation.local_engine import run_locally
from temporal_gan.ablation.outcome import (
    OUTCOME_FILE,
    Origin,
    Outcome,
    read_outcome,
    this_place,
    write_outcome,
)
from temporal_gan.ablation.plan import Run
from temporal_gan.ablation.work import do_run

ARMS = {
    "huge steps": {"optim.lr_generator": 1e30, "optim.max_grad_norm": 1e30},
    "no such file": {"losses.perceptual": "vgg", "losses.perceptual_weight": 1.0, "losses.perceptual_file": "no"},
}  # fmt: skip
"""One leaves all bounds; the other asks for weights that are not there."""
BROKEN = {"arms": ARMS, "varies": ["optim", "losses"], "seeds": [0], "steps": 15,
          "common": {"model.temporal": "none", "train.save_every_steps": 1}}  # fmt: skip


@pytest.mark.slow
def test_a_diverged_arm_is_a_row_and_a_failed_one_is_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = sweep_file(tmp_path, **BROKEN), tmp_path / "out"
    assert call("ablate", file, "--out", out) == 1
    said = capsys.readouterr()
    assert "1 of 4 runs failed" in said.err
    table = (out / "table.md").read_text(encoding="utf-8")
    answer = table.partition("## ")[0]
    row = {line.split("|")[1].strip(): line for line in answer.splitlines() if line.startswith("| ")}
    assert "seed 0 diverged: training diverged at step" in row["huge steps"]
    assert "seed 0 failed: perceptual loss: no weights file no; " in row["no such file"]
    assert row["huge steps"].count("–") >= 4, "no figures"
    assert "2 runs diverged or failed; the means are of the others" in table
    assert "seed 0 diverged" in (out / "report.html").read_text(encoding="utf-8")

    stamp = {file.parent.name: file.stat().st_mtime_ns for file in out.glob(f"runs/*/{OUTCOME_FILE}")}
    assert call("ablate", file, "--out", out) == 1
    again = {file.parent.name: file.stat().st_mtime_ns for file in out.glob(f"runs/*/{OUTCOME_FILE}")}
    changed = [name.partition("_seed")[0] for name in stamp if stamp[name] != again[name]]
    assert changed == ["no_such_file"]
    assert "3 of 4 runs are finished already" in capsys.readouterr().out


def test_diverging_is_a_result_and_failing_is_not(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, **BROKEN)
    open_store(sweep.data, tmp_path / "out", quiet=True)
    runs = {run.arm: run for run in runs_of(tmp_path, **BROKEN)}
    found = {}
    for name in ARMS:
        runs[name].folder.mkdir(parents=True)
        do_run(runs[name], this_place())
        found[name] = read_outcome(runs[name].folder, runs[name].key)
    diverged, failed = found["huge steps"], found["no such file"]
    assert diverged is not None
    assert failed is not None
    assert (diverged.status, diverged.is_settled) == ("diverged", True)
    assert diverged.reason.startswith("training diverged at step ")
    assert "step 1 in this run's folder/run/checkpoints is intact" in diverged.reason
    assert str(tmp_path) not in diverged.reason, "the table must not depend on where it was made"
    assert diverged.trained is not None
    assert (failed.status, failed.is_settled, failed.trained) == ("failed", False, None)
    assert failed.reason.startswith("perceptual loss: no weights file no; ")


def test_without_its_common_start_an_arm_fails_and_says_so(tmp_path: Path) -> None:
    changes = BROKEN | {"common_steps": 2}
    open_store(sweep_of(tmp_path, **changes).data, tmp_path / "out", quiet=True)
    common, base = runs_of(tmp_path, **changes)[1:3]
    base.folder.mkdir(parents=True)
    do_run(base, this_place())
    outcome = read_outcome(base.folder, base.key)
    assert outcome is not None
    assert (outcome.status, outcome.reason) == ("failed", "its common start was not run")
    common.folder.mkdir(parents=True)
    write_outcome(
        common.folder, Outcome(key=common.key, status="diverged", reason="at step 1", origin=outcome.origin)
    )
    do_run(base, this_place())
    outcome = read_outcome(base.folder, base.key)
    assert outcome is not None
    assert (outcome.status, outcome.reason) == ("failed", "its common start diverged: at step 1")


@pytest.mark.slow
def test_a_process_that_dies_is_a_row_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two runs is killed from outside, as a system without memory does it."""
    first, second = runs_of(tmp_path, seeds=[0])[1:3]
    seen: list[Run] = []
    monkeypatch.setattr(local_engine, "_alone", _die)
    run_locally([first, second], seen.append)
    assert seen == [first, second]
    for run in (first, second):
        outcome = read_outcome(run.folder, run.key)
        assert outcome is not None
        assert (outcome.status, outcome.is_settled) == ("failed", False)
        assert "was ended by SIGKILL, most likely for lack of memory" in outcome.reason


def _die(_run: Run, _origin: Origin) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_failure_of_our_own_is_named_and_does_not_end_the_sweep(tmp_path: Path) -> None:
    run = runs_of(tmp_path)[1]
    run.folder.mkdir(parents=True)
    (tmp_path / "out" / "store").mkdir(parents=True)
    do_run(run, this_place())
    outcome = read_outcome(run.folder, run.key)
    assert outcome is not None
    assert outcome.status == "failed"
    assert "store.json" in outcome.reason or "no clip store" in outcome.reason


def test_an_outcome_of_another_plan_or_a_damaged_one_does_not_count(tmp_path: Path) -> None:
    run = runs_of(tmp_path)[1]
    run.folder.mkdir(parents=True)
    do_run(run, this_place())
    assert read_outcome(run.folder, run.key) is not None
    assert read_outcome(run.folder, "another") is None
    file = run.folder / OUTCOME_FILE
    content = json.loads(file.read_bytes())
    file.write_text(json.dumps(content | {"status": "splendid"}), encoding="utf-8")
    assert read_outcome(run.folder, run.key) is None
    file.write_text(json.dumps(content)[:40], encoding="utf-8")
    assert read_outcome(run.folder, run.key) is None
