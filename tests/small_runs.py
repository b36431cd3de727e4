"""Runs of a few steps on tiny puppet clips, in this process or in one that may be killed, for the tests of several
folders."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from temporal_gan import cli
from temporal_gan.config import parse_config
from temporal_gan.data.store import Store
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.models.reader import Reader, ReaderConfig
from temporal_gan.models.reader_file import save_reader
from temporal_gan.puppet import random_specs
from temporal_gan.puppet.dataset import write_puppet_store

ROOT = Path(__file__).parents[1]

CLIP_GAN: dict[str, Any] = {
    "model": {
        "kind": "temporal", "size": 32, "width": 4, "max_width": 16, "nz": 4, "style_width": 16, "temporal_level": 2,
    },
    "critics": {
        "frame": {"width": 4, "layers": 2, "scales": 2},
        "clip": {"width": 4, "layers": 2, "frames": 2},
    },
    "losses": {
        "adversarial": "hinge", "adversarial_weight": 0.5, "r1_gamma": 1.0, "r1_every_steps": 2,
        "l1_weight": 10.0, "feature_matching_weight": 1.0, "flow_weight": 1.0,
    },
    "data": {
        "batch": 2,
        "frames": 3,
        "augment": {
            "flip_prob": 0.5, "warp": 0.02, "zoom": 0.1, "shift": 0.1,
            "brightness": 0.1, "contrast": 0.1, "saturation": 0.1, "hue": 0.05,
        },
    },
    "optim": {"lr_generator": 1e-3, "lr_critic": 5e-4, "beta1": 0.0, "beta2": 0.99},
    "train": {
        "steps": 6, "device": "cpu", "log_every_steps": 1, "preview_every_steps": 3, "save_every_steps": 2,
        "keep_checkpoints": 2,
    },
}  # fmt: skip
"""Every loss and every augmentation on."""


def every_switch(room: Path) -> dict[str, Any]:
    """:data:`CLIP_GAN` with every switch on that needs no published weights; a reader is written into ``room``."""
    torch.manual_seed(0)
    reader = Reader(ReaderConfig(width=8, features=8, identity=8))
    # Untrained, but sure that it sees something.
    torch.nn.init.constant_(reader.seen.bias, 3.0)
    save_reader(room / "reader.safetensors", reader, {})
    return changed(
        CLIP_GAN,
        model__warp_offset=0.05, model__finish_width=4, model__face_width=4,
        losses__adversarial="bce", losses__label_smoothing=0.1, losses__r1_gamma=0.0, losses__gp_weight=1.0,
        losses__critic_view={
            "noise": 0.2, "noise_steps": 5, "colour": 0.5, "translation": 0.125, "cutout": 0.25,
            "adaptive_target": -0.99, "adaptive_clips": 20,
        },
        losses__smooth=0.1, losses__l1_foreground_weight=1.0, losses__l1_face_weight=1.0,
        losses__temporal_difference_weight=1.0, losses__perceptual="reader", losses__perceptual_weight=0.1,
        losses__reader=str(room / "reader.safetensors"), losses__pose_weight=0.1, losses__expression_weight=0.1,
        losses__coherence_weight=0.1,
        data__frames=4, data__curriculum=[{"frames": 1, "until_step": 2}], data__augment__limb_drop_prob=0.5,
        data__augment__joint_drop_prob=0.3, data__smallest_pool=1, optim__beta1_critic=0.5,
        data__growing=[{"size": 8, "until_step": 2}, {"size": 16, "until_step": 5}],
        optim__generator_every_steps=2, optim__fused=True, critics__spectral_norm=True,
        train__validate_every_steps=2, train__best_by="foreground_psnr",
    )  # fmt: skip


DCGAN: dict[str, Any] = {
    "model": {"kind": "dcgan", "nz": 8, "ngf": 4, "ndf": 4},
    "losses": {"adversarial": "bce"},
    "data": {"batch": 4},
    "train": {
        "steps": 6, "device": "cpu", "log_every_steps": 1, "preview_every_steps": 1000, "save_every_steps": 2,
        "keep_checkpoints": 2,
    },
}  # fmt: skip


def changed(values: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy with leaves replaced: ``changed(CLIP_GAN, train__steps=3)``."""
    copy = {k: changed(v) if isinstance(v, dict) else v for k, v in values.items()}
    for key, value in changes.items():
        *sections, leaf = key.split("__")
        place = copy
        for section in sections:
            place = place.setdefault(section, {})
        place[leaf] = value
    return copy


def config(values: dict[str, Any], **changes: Any) -> ExperimentConfig:
    """The checked configuration of such values."""
    return parse_config(changed(values, **changes), ExperimentConfig, "test")


def config_file(path: Path, values: dict[str, Any], **changes: Any) -> Path:
    """The same as a YAML file."""
    path.write_text(yaml.safe_dump(changed(values, **changes)), encoding="utf-8")
    return path


def puppet_store(path: Path, clips: int = 6, frames: int = 8, size: int = 32, **wanted: Any) -> Store:
    """A new store; from three clips on it has a clip each for validation and test.

    Two characters and four motions, so that a few clips show something of each.
    """
    few = {"characters": ["hana", "miko"], "motions": ["idle", "walk", "wave", "jump"]}
    specs = random_specs(clips, 0, frames=frames, size=size, **(few | wanted))
    return write_puppet_store(path, specs, 0, quiet=True)


def picture_folder(path: Path, classes: tuple[str, ...] = ("red", "blue"), each: int = 5) -> Path:
    """Pictures of 64x64 in a folder a class: noise around that class's own colour."""
    from temporal_gan.video_io import write_frames

    for number, name in enumerate(classes):
        noise = np.random.default_rng(number).integers(0, 60, (each, 64, 64, 3)).astype(np.uint8)
        noise[..., 2 * number % 3] += 180
        for i, picture in enumerate(noise):
            (path / name).mkdir(parents=True, exist_ok=True)
            write_frames(path / name / f"{i}.png", picture[None], 1.0)
    return path


def call(*arguments: object) -> int:
    """Run ``temporal-gan`` here; returns the exit code."""
    return _exit_code(cli.main, "temporal-gan", arguments)


def call_preprocess(*arguments: object) -> int:
    """Run ``temporal-gan-preprocess`` here; returns the exit code."""
    from preprocessing.cli import main

    return _exit_code(main, "temporal-gan-preprocess", arguments)


def _exit_code(main: Callable[[], None], name: str, arguments: tuple[object, ...]) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, *map(str, arguments)])
        try:
            main()
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def environment() -> dict[str, str]:
    """For a fresh interpreter that must find this package."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


class OtherProcess:
    """A function in a process of its own, which a test may kill or interrupt.

    It is forked from a clean process that has imported the package, which takes milliseconds instead of seconds.
    """

    def __init__(self, log: Path, function: Callable[..., object], *arguments: object) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))
            patch.setenv("OMP_NUM_THREADS", "1")
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["small_runs"])
            self._log = log
            self._process = context.Process(
                target=_redirected, args=(str(log), function, arguments), daemon=True
            )
            self._process.start()

    def wait(self, seconds: float = 60) -> int:
        """Exit code; negative: killed by that signal."""
        self._process.join(seconds)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
            self._process.join()
            pytest.fail(f"did not end in {seconds} s: {self.output()}")
        self._process.close()
        return code

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def wait_for(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Return once the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or not self._process.is_alive():
                pytest.fail(f"never came to pass: {self.output()}")
            time.sleep(0.002)

    def output(self) -> str:
        """Both streams so far."""
        with suppress(FileNotFoundError):
            return self._log.read_text(encoding="utf-8")
        return ""


def _redirected(log: str, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    torch.set_num_threads(1)
    sys.exit(function(*arguments))  # type: ignore[arg-type]
