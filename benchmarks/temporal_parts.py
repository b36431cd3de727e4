"""Do the temporal parts earn their place? The whole recipe against the same one frame by frame, for the same time.

    python benchmarks/temporal_parts.py --work DIR [--recipe base] [--minutes 20]

Renders one puppet store into DIR and trains both arms on it, one after the other, each for the same wall time; then
makes clips of its held-out motions with both, and prints what benchmarks/held_out_puppets.py prints, and the paired
differences between the two. Arms that are trained already are not trained again; one that was interrupted starts over.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

from held_out_puppets import Group, results_file, run_trial
from puppet_trials import MOTIONS_HELD_OUT
from records import own_command, write_record
from scoreboard import differences

from temporal_gan.config import load_config
from temporal_gan.data.store import Store
from temporal_gan.errors import UserError
from temporal_gan.evaluation.comparison import compare_results
from temporal_gan.evaluation.results import write_atomically
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.inference.animator import load_animator
from temporal_gan.puppet import MOTIONS, random_specs
from temporal_gan.puppet.dataset import write_puppet_store
from temporal_gan.training.run import train

TEMPORAL, PER_FRAME = "temporal", "per frame"
ARMS = {
    TEMPORAL: (),
    PER_FRAME: (
        "model.temporal=none", "model.flow_head=false", "critics.clip.weight=0", "losses.flow_weight=0",
        "losses.temporal_difference_weight=0", "losses.coherence_weight=0",
    ),
}  # fmt: skip
"""What each changes in the recipe."""

CAST = ("hana", "miko", "ren", "yuki", "kuro", "momo")
FPS = 12.0


def parts_store(path: Path, size: int, clips: int, scored: int, frames: int) -> Store:
    """Clips of known motions to train on, and of held-out ones to score."""
    taught = [motion for motion in MOTIONS if motion not in MOTIONS_HELD_OUT]
    common = {"frames": frames, "size": size, "fps": FPS}
    held_out = random_specs(scored, 1, CAST, MOTIONS_HELD_OUT, **common)
    specs = random_specs(clips, 0, CAST, taught, **common) + held_out
    return write_puppet_store(
        path, specs, 0, "flow", hold_out_motions=sorted({spec.motion for spec in held_out}), quiet=True
    )


def train_arms(
    recipe: str, changes: list[str], store: Store, work: Path, minutes: float, size: int
) -> dict[str, int]:
    """Train what is not trained yet; returns the steps that each arm had time for."""
    known = work / "trained.json"
    steps: dict[str, int] = json.loads(known.read_text(encoding="utf-8")) if known.is_file() else {}
    for arm, own in ARMS.items():
        if arm in steps:
            continue
        shutil.rmtree(work / arm, ignore_errors=True)
        # The clock ends the training; saving and showing what it does would cost the arms unlike times.
        endless = [
            "train.steps=1000000",
            "train.save_every_steps=1000000",
            "train.preview_every_steps=1000000",
        ]
        overrides = [f"model.size={size}", *endless, *changes, *own]
        outcome = train(
            load_config(recipe, overrides, ExperimentConfig), store.path, work / arm, minutes, quiet=True
        )
        if outcome.interrupted:
            raise KeyboardInterrupt
        steps[arm] = outcome.step
        write_atomically(known, json.dumps(steps))
        print(f"{arm}: trained {outcome.step} steps", file=sys.stderr, flush=True)
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for the store, the runs and the clips"
    )
    parser.add_argument("--recipe", default="base", help="name or file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="changes the recipe of both arms"
    )
    parser.add_argument("--minutes", type=float, default=20.0, help="of training, each arm")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--clips", type=int, default=240, help="to train on")
    parser.add_argument("--scored", type=int, default=48)
    parser.add_argument("--frames", type=int, default=24)
    options = parser.parse_args()
    print(f"`{own_command()}`")
    store = parts_store(options.work / "store", options.size, options.clips, options.scored, options.frames)
    steps = train_arms(options.recipe, options.set, store, options.work, options.minutes, options.size)
    print("\n" + ", ".join(f"{arm}: {count} steps" for arm, count in steps.items()))
    animators = {arm: load_animator(options.work / arm) for arm in ARMS}
    group = Group("", animators, animators[TEMPORAL].references)
    made = options.work / "made"
    figures = run_trial("Held-out motions", store, [group], made, overlap=False)
    compared = compare_results(*(results_file(made, arm) for arm in (TEMPORAL, PER_FRAME)))
    print(f"\n### {TEMPORAL} against {PER_FRAME}\n\n{differences(compared, TEMPORAL, PER_FRAME)}")
    figures |= {"steps": steps, "differences": [row.to_dict() for row in compared]}
    print(f"\nRecorded in {write_record(own_command(), figures).name}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; repeat the same command to go on with the next arm")
