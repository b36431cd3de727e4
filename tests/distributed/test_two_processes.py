"""Two processes compute what one does: the first step's gradients, R1 included, and the weights after six steps."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import CLIP_GAN, changed, config, config_file, environment, every_switch, puppet_store

from temporal_gan.checkpoint import load_checkpoint
from temporal_gan.training import run

pytestmark = pytest.mark.distributed

CHANGES: dict[str, dict[str, Any]] = {
    "painted": {"model__references": 0, "train__precision": "float64"},
    "warped": {"model__references": 2, "train__precision": "float64"},
    "encoded": {"model__references": 2, "model__carry": "encode", "train__precision": "float64"},
    "single": {"model__references": 2, "train__precision": "float32"},
    # Both sides and all critics learn in the first step, whose gradients are compared. What begins at 0 gets gradients
    # as small as the reader's rounding behind it, which Adam makes as large as any.
    "switches": {
        "model__finish_width": 0, "model__face_width": 0,
        "train__precision": "float64", "data__curriculum": [{"frames": 2, "until_step": 2}],
        "optim__generator_every_steps": 1, "optim__critics_every_steps": 2,
    },
}  # fmt: skip
# In float64 nothing but the order of sums differs (1e-14 measured).  In float32 that costs the gradients up to 1.3e-5
# (the critics' R1, differentiated twice), and Adam's weights, which move by the gradient's sign and size, 6e-7.
# With every switch on a reader's float32 leaves 3e-9 in the weights.
GRADIENTS = {"painted": 1e-10, "warped": 1e-10, "encoded": 1e-10, "single": 5e-5, "switches": 1e-10}
WEIGHTS = {"painted": 1e-10, "warped": 1e-10, "encoded": 1e-10, "single": 2e-6, "switches": 1e-7}

# What each process runs, one command after the other.  Gradients of the first step are kept beside the run, by rank.
PROGRAM = """
import json
import sys
import torch
from pathlib import Path
from temporal_gan import cli
from temporal_gan.training import run

take_step = run.take_step

def spy(state, batch, config, world, *guides):
    log = take_step(state, batch, config, world, *guides)
    if state.step == 1:
        parts = (("generator", state.generator), ("critics", state.critics))
        kept = {f"{part}.{n}": p.grad for part, module in parts for n, p in module.named_parameters()}
        torch.save(kept, f"{out}.gradients_{world.rank}_of_{world.size}.pt")
    if state.step == config.train.steps:
        torch.save(state.state_dict(), f"{out}.state_{world.rank}_of_{world.size}.pt")
    return log

run.take_step = spy
run.leave_world = lambda world: None  # a process joins once
torch.set_num_threads(1)
for arguments in json.loads(sys.argv[1]):
    out = arguments[arguments.index("--out") + 1]
    sys.argv = ["temporal-gan", *arguments]
    try:
        cli.main()
    except SystemExit as end:
        if end.code:
            raise
"""


def under_torchrun(room: Path, commands: list[list[str]]) -> subprocess.Popen:
    """Commands on two processes of this machine, on a port that is free."""
    (room / "program.py").write_text(PROGRAM)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--nnodes", "1"]
    launcher += ["--rdzv-backend", "static", "--master-addr", "127.0.0.1", "--master-port", str(port)]
    pipe = subprocess.PIPE
    command = [*launcher, str(room / "program.py"), json.dumps(commands)]
    return subprocess.Popen(command, env=environment(), stdout=pipe, stderr=pipe, text=True)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each run on one process and on two; then on two, one that cannot be; ``errors`` is what that wrote."""
    room = tmp_path_factory.mktemp("runs")
    store = puppet_store(room / "store").path
    everything = {
        name: changed(
            every_switch(room) if name == "switches" else CLIP_GAN,
            data__batch=4, train__keep_checkpoints=9, **more,
        )
        for name, more in CHANGES.items()
    }  # fmt: skip
    files = {name: config_file(room / f"{name}.yaml", values) for name, values in everything.items()}
    files["odd"] = config_file(room / "odd.yaml", CLIP_GAN, data__batch=3)
    commands = [
        ["train", str(file), "--data", str(store), "--out", str(room / f"{name}_two"), "--quiet"]
        for name, file in files.items()
    ]
    with under_torchrun(room, commands) as pair, pytest.MonkeyPatch.context() as patch:
        take_step, gradients = run.take_step, {}

        def spy(state, batch, cfg, world, *guides):  # type: ignore[no-untyped-def]
            log = take_step(state, batch, cfg, world, *guides)
            if state.step == 1:
                parts = (("generator", state.generator), ("critics", state.critics))
                gradients.clear()
                gradients.update(
                    {f"{part}.{n}": p.grad.clone() for part, m in parts for n, p in m.named_parameters()}
                )
            return log

        patch.setattr(run, "take_step", spy)
        for name, values in everything.items():
            run.train(config(values), store, room / f"{name}_one", quiet=True)
            torch.save(gradients, f"{room / name}_one.gradients_0_of_1.pt")
        _, errors = pair.communicate(timeout=600)
    (room / "errors").write_text(errors)
    return room


def relative_difference(got: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> float:
    assert got.keys() == expected.keys()
    difference = torch.cat([(got[n] - expected[n]).flatten() for n in expected])
    return float(difference.norm() / torch.cat([t.flatten() for t in expected.values()]).norm())


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("part", ["critics", "generator"])
def test_the_first_steps_gradients_agree(room: Path, name: str, part: str) -> None:
    """The critics' hold R1, whose gradient DistributedDataParallel gets wrong by a third."""
    ends = ("one.gradients_0_of_1", "two.gradients_0_of_2", "two.gradients_1_of_2")
    files = [torch.load(room / f"{name}_{end}.pt") for end in ends]
    one, *two = ({n: g for n, g in file.items() if n.startswith(part)} for file in files)
    assert len(one) > 10
    for rank in two:
        assert relative_difference(rank, one) < GRADIENTS[name]


@pytest.mark.parametrize("name", CHANGES)
def test_the_weights_after_six_steps_agree(room: Path, name: str) -> None:
    one, two = (
        load_checkpoint(room / f"{name}_{n}" / "checkpoints" / "step_00000006.pt") for n in ("one", "two")
    )
    assert ("view" in one) == (name == "switches")
    for part in ("generator", "critics", "ema", "view"):
        if part in one:
            assert relative_difference(two[part], one[part]) < WEIGHTS[name], part
    assert two["best"] == (None if one["best"] is None else (one["best"][0], pytest.approx(one["best"][1])))


@pytest.mark.parametrize("name", CHANGES)
def test_every_process_has_the_same_weights(room: Path, name: str) -> None:
    a, b = (torch.load(room / f"{name}_two.state_{rank}_of_2.pt") for rank in (0, 1))
    for part in [p for p in ("generator", "critics", "ema", "view") if p in a]:
        for key, tensor in a[part].items():
            assert torch.equal(tensor, b[part][key]), f"{part}.{key}"


def test_only_one_process_writes_and_the_log_is_of_the_whole_batch(room: Path) -> None:
    folders = room / "painted_one", room / "painted_two"
    one, two = ([json.loads(x) for x in (f / "stats.jsonl").read_text().splitlines()] for f in folders)
    assert [line["step"] for line in two] == [1, 2, 3, 4, 5, 6]
    for a, b in zip(one, two, strict=True):
        assert a.keys() == b.keys()
        for key in a:
            if not key.startswith("time"):
                assert b[key] == pytest.approx(a[key], rel=1e-5, abs=1e-6), key
    assert sorted(os.listdir(folders[0])) == sorted(os.listdir(folders[1]))
    assert len(list((folders[1] / "tensorboard").iterdir())) == 1


def test_a_batch_that_does_not_divide_is_refused_in_one_line(room: Path) -> None:
    errors = (room / "errors").read_text()
    mistakes = {line for line in errors.splitlines() if line.startswith("error:")}
    assert mistakes == {"error: a batch of 3 does not divide among 2 processes; choose a multiple"}
    # Above it nothing; below it the launcher's own report.
    assert errors.startswith("error:")
    assert "temporal_gan/" not in errors
    assert not (room / "odd_two").exists()
