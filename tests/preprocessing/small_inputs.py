"""Small videos of puppets as inputs, and runs over them in this process."""

import hashlib
from pathlib import Path

import numpy as np
from strangers import write_h264

from preprocessing.config import PreprocessConfig, load_preprocess_config
from preprocessing.decisions import Decisions
from preprocessing.lanes import do_all
from preprocessing.pipeline import Finished, Wanted, run
from preprocessing.progress import Progress
from preprocessing.provenance import find_sources
from preprocessing.sidecar import Provenance
from temporal_gan.alpha import over_white
from temporal_gan.puppet import PuppetSpec, render_clip

QUICK = [
    "pose.backend=none",
    "face.backend=none",
    "expression.method=none",
    "crop.size=48",
    "flow.preset=ultrafast",
]
SHOT = 10


def write_inputs(folder: Path, files: int = 3) -> Path:
    """Videos of two shots of ten frames, each of another character."""
    folder.mkdir(parents=True, exist_ok=True)
    people = ("akira", "amara", "genzo", "hana")
    for number in range(files):
        shots = [
            PuppetSpec(
                people[number % 4],
                motion,
                "auto:happy",
                number,
                SHOT,
                96,
                24.0,
                background=background,
                hold=2,
            )
            for motion, background in (("walk", "hills"), ("clap", "stripes"))
        ]
        frames = np.concatenate([over_white(render_clip(spec).video) for spec in shots])
        write_h264(folder / f"film {number}.mp4", frames, 24, 8)
    return folder


def quick_config(*changes: str) -> PreprocessConfig:
    """Settings under which a clip takes a moment."""
    return load_preprocess_config(None, [*QUICK, *changes])


def run_quickly(inputs: Path, out: Path, *changes: str, **more) -> Finished:
    """A run in this process, with everything else as a user gets it by default."""
    config = quick_config(*changes)
    sources, outcomes = find_sources([inputs], None, Provenance(licence="CC0-1.0"), config.ingest)
    values = {
        "labels": None,
        "decisions": Decisions(),
        "cuts": {},
        "workers": 1,
        "engine": do_all,
        "work": out.with_name(f"{out.name}.work"),
    }
    return run(
        Wanted(
            sources=sources,
            outcomes=outcomes,
            out=out,
            config=config,
            progress=Progress(quiet=True),
            **values | more,
        )
    )


def digest(store: Path) -> dict[str, str]:
    """Hash of every file of a store."""
    return {
        file.relative_to(store).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(store.rglob("*"))
        if file.is_file()
    }
