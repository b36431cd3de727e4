"""The per-frame baseline is the recipe without its temporal parts, and both arms are trained once."""

from pathlib import Path

from puppet_trials import MOTIONS_HELD_OUT, SCORED
from small_runs import CLIP_GAN, config_file
from temporal_parts import ARMS, PER_FRAME, TEMPORAL, parts_store, train_arms

from temporal_gan.config import load_config
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.puppet.dataset import puppet_spec


def test_the_baseline_knows_no_time() -> None:
    whole, plain = (load_config("base", list(ARMS[arm]), ExperimentConfig) for arm in (TEMPORAL, PER_FRAME))
    assert whole.model.temporal != "none"
    assert whole.critics.clip.weight
    assert whole.losses.flow_weight
    assert plain.model.temporal == "none"
    losses = plain.losses
    assert not any(
        (
            plain.critics.clip.weight,
            losses.flow_weight,
            losses.temporal_difference_weight,
            losses.coherence_weight,
        )
    )
    assert not plain.model.flow_head
    # Nothing else differs, or the table would not be about time.
    assert plain.optim == whole.optim
    assert plain.data == whole.data


def test_arms_are_trained_once_and_never_on_what_is_scored(tmp_path: Path) -> None:
    store = parts_store(tmp_path / "store", size=32, clips=8, scored=3, frames=3)
    assert len(store.split(SCORED)) == 3
    for row in store.clips:
        assert (puppet_spec(row).motion in MOTIONS_HELD_OUT) == (row.split == SCORED)
    recipe = str(config_file(tmp_path / "tiny.yaml", CLIP_GAN, model__references=2))
    steps = train_arms(recipe, ["data.batch=1"], store, tmp_path, minutes=0.002, size=32)
    assert set(steps) == {TEMPORAL, PER_FRAME}
    assert min(steps.values()) > 0
    written = {arm: (tmp_path / arm / "animator.safetensors").stat().st_mtime_ns for arm in ARMS}
    assert train_arms(recipe, [], store, tmp_path, minutes=5, size=32) == steps
    assert written == {arm: (tmp_path / arm / "animator.safetensors").stat().st_mtime_ns for arm in ARMS}
