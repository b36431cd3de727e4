"""A whole tiny sweep: killed and repeated, its table is that of one that nobody disturbed."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image
from small_runs import call, environment
from small_sweeps import sweep_file

from temporal_gan.ablation.command import run_sweep
from temporal_gan.ablation.outcome import OUTCOME_FILE, Outcome
from temporal_gan.checkpoint import list_checkpoints, load_checkpoint
from temporal_gan.evaluation.results_file import read_results
from temporal_gan.inference.weights_file import animator_sha256

pytestmark = pytest.mark.slow

COMPARED = ("table.md", "results.json", "report.html")


def outcomes(out: Path) -> dict[str, Outcome]:
    """Of every run, by its folder's name."""
    files = sorted(out.glob(f"runs/*/{OUTCOME_FILE}"))
    return {file.parent.name: Outcome.model_validate_json(file.read_bytes()) for file in files}


def stamps(out: Path) -> dict[str, int]:
    """When each run's outcome was written."""
    return {file.parent.name: file.stat().st_mtime_ns for file in out.glob(f"runs/*/{OUTCOME_FILE}")}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """The undisturbed sweep: its file, its folder, and what was said."""
    room = tmp_path_factory.mktemp("sweep")
    said: list[str] = []
    file = sweep_file(room, common_steps=2)
    found = run_sweep(str(file), room / "out", "local", said.append, quiet=True)
    assert (found.runs, found.failed) == (7, 0)
    return file, room / "out", said


def test_every_run_is_scored_and_its_cost_is_kept(done: tuple[Path, Path, list[str]]) -> None:
    _, out, said = done
    assert said[0].startswith("1 of 7: floors finished")
    assert said[-1].startswith("7 of 7: with memory, seed 1 finished")
    found = outcomes(out)
    assert {outcome.status for outcome in found.values()} == {"finished"}
    arms = {
        name: outcome for name, outcome in found.items() if not name.startswith(("floors", "common_start"))
    }
    assert len(arms) == 4
    for name, outcome in arms.items():
        assert outcome.trained is not None
        assert outcome.trained.steps == 3
        assert 0.05 < outcome.trained.peak_memory_gb < 16
        assert 0 < (outcome.trained.seconds_per_step or 0) < 60
        assert 0.0001 < (outcome.gmac_per_frame or 0) < 1
        assert outcome.critic_parameters
        assert len(read_results(out / "runs" / name).clips) == 2
        assert len(list((out / "runs" / name / "clips").iterdir())) == 2
    weights = {name.partition("_seed")[0]: outcome.generator_parameters for name, outcome in arms.items()}
    assert weights["with_memory"] > weights["per_frame"], "a recurrent unit has weights"


def test_the_table_shows_arms_floors_and_what_was_the_same(done: tuple[Path, Path, list[str]]) -> None:
    table = (done[1] / "table.md").read_text(encoding="utf-8")
    assert table.startswith("# Does memory help?\n")
    for said in (
        "Equal steps: 3 a run; seeds 0, 1.", "| per frame |", "| with memory |", "*first frame copied*",
        "*nearest training frame*", "*nearest training frame, warped*", "*real clips, saved as JPEG*",
        "- **with memory**: model.temporal: none -> gru", "Fewer than three seeds: no intervals.",
        "primary metric, named before anything ran: PSNR, character only, pooled",
    ):  # fmt: skip
        assert said in table
    (first, *_) = sorted((done[1] / "clips").iterdir())
    with Image.open(first) as picture:
        assert (picture.format, picture.is_animated, picture.n_frames) == ("WEBP", True, 4)
    costs = (done[1] / "costs.md").read_text(encoding="utf-8")
    assert "| with memory |" in costs
    assert "| 3, 3 |" in costs
    assert "The 2 steps that the arms of a seed have in common are not in it." in costs


def test_the_arms_of_a_seed_go_on_from_the_same_weights(done: tuple[Path, Path, list[str]]) -> None:
    """What each run says it started from is what the common start of its seed left, and no other seed's."""
    left = {seed_of(folder): animator_sha256(folder / "run") for folder in done[1].glob("runs/common_start*")}
    assert len(set(left.values())) == 2
    began = [
        folder for folder in done[1].glob("runs/*") if not folder.name.startswith(("floors", "common_start"))
    ]
    for folder in began:
        newest = list_checkpoints(folder / "run" / "checkpoints")[-1][1]
        assert load_checkpoint(newest)["start"] == left[seed_of(folder)]
    assert len(began) == 4


def seed_of(run: Path) -> str:
    return run.name.partition("_seed")[2].partition("_")[0]


def test_repeating_a_finished_sweep_runs_nothing(done: tuple[Path, Path, list[str]]) -> None:
    file, out, _ = done
    before = stamps(out), {name: (out / name).read_bytes() for name in COMPARED}
    said: list[str] = []
    run_sweep(str(file), out, "local", said.append, quiet=True)
    assert said == ["7 of 7 runs are finished already"]
    assert before == (stamps(out), {name: (out / name).read_bytes() for name in COMPARED})


@pytest.mark.parametrize("run", ["floors*", "per_frame_seed0*"])
@pytest.mark.parametrize("damage", ["cut", "lost"])
def test_a_damaged_result_is_scored_again(done: tuple[Path, Path, list[str]], run: str, damage: str) -> None:
    file, out, _ = done
    (folder,) = out.glob(f"runs/{run}")
    result, before = folder / "results.json", (out / "table.md").read_bytes()
    if damage == "cut":
        result.write_bytes(result.read_bytes()[:100])
    else:
        result.unlink()
    trained = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/trained.json")}
    said: list[str] = []
    run_sweep(str(file), out, "local", said.append, quiet=True)
    assert said[0] == "6 of 7 runs are finished already"
    assert (out / "table.md").read_bytes() == before
    assert trained == {path: path.stat().st_mtime_ns for path in out.glob("runs/*/trained.json")}


def test_two_commands_do_not_do_one_sweep(
    done: tuple[Path, Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    file, out, _ = done
    with FileLock(out / "sweep.lock"):
        assert call("ablate", file, "--out", out, "--quiet") == 2
    assert "another process is doing this sweep" in capsys.readouterr().err


def test_killed_and_repeated_it_gives_the_same_table(
    done: tuple[Path, Path, list[str]], tmp_path: Path
) -> None:
    file, undisturbed, _ = done
    out = tmp_path / "out"
    command = [sys.executable, "-m", "temporal_gan.cli", "ablate", str(file), "--out", str(out), "--quiet"]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: len(stamps(out)) >= 2, process)
        # In the middle of the next run.
        wait_for(
            lambda: len([f for f in out.glob("runs/*/run/stats.jsonl") if f.stat().st_size]) >= 2, process
        )
        process.kill()
    finished = stamps(out)
    assert 2 <= len(finished) < 7
    assert call("ablate", file, "--out", out, "--quiet") == 0
    after = stamps(out)
    assert len(after) == 7
    assert finished.items() <= after.items(), "what was finished is not done again"
    for name in ("table.md", "results.json"):
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes()
    # Time and memory stand last on the page.
    pages = [(folder / "report.html").read_text(encoding="utf-8") for folder in (out, undisturbed)]
    assert pages[0].partition("What it cost")[0] == pages[1].partition("What it cost")[0]


def test_interrupted_it_says_how_to_go_on(done: tuple[Path, Path, list[str]], tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "temporal_gan.cli", "ablate", str(done[0]), "--out", str(out), "--quiet"]
    with subprocess.Popen(
        command, env=environment(), stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        wait_for(lambda: bool(list(out.glob("runs/per_frame*/log.txt"))), process)
        # As a terminal does it: to every process of the group.
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said.strip().splitlines()[-1] == "stopped; repeat the same command to go on"


def test_ray_gives_the_same_table(done: tuple[Path, Path, list[str]], tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("needs Ray")
    # A relative folder, which a worker elsewhere must still find.
    command = [
        sys.executable,
        "-m",
        "temporal_gan.cli",
        "ablate",
        str(done[0]),
        "--out",
        "out",
        "--engine",
        "ray",
    ]
    quiet = environment() | {"RAY_AUTH_MODE": "disabled", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    ended = subprocess.run(
        [*command, "--quiet"], env=quiet, cwd=tmp_path, capture_output=True, text=True, timeout=500
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    for name in ("table.md", "results.json"):
        assert (tmp_path / "out" / name).read_bytes() == (done[1] / name).read_bytes()


def wait_for(condition, process: "subprocess.Popen[str]", seconds: float = 240) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < end, "never came to pass"
        time.sleep(0.01)
