"""``--dry-run``: what a sweep would do, what each arm changes, and what it would cost; nothing is written."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..models.conditioning import Domain
from ..training.start import load_start
from .arms import Arm, check_beginning, resolve_arms
from .clips import data_domain
from .plan import dcgan_config
from .probe import STEPS, generator_parameters, probe_step
from .row_names import DCGAN_ARM
from .sweep import SweepConfig, definition, load_sweep


def describe_sweep(source: str, out: Path) -> str:
    """The plan with its cost, measured on this machine; needs no data.

    Args:
        source: a sweep's file or name.
        out: where it would go; only a store that is named by a relative path is looked for.
    Raises:
        UserError: what is wrong with the sweep.
    """
    sweep = load_sweep(source)
    arms = resolve_arms(sweep, source)
    start = None if sweep.start is None else load_start(sweep.start)
    trained, domain = trained_arms(sweep, arms), data_domain(sweep.data, out, start)
    if domain is not None:
        check_beginning(sweep, arms, domain, start, source)
    seconds = {} if domain is None else {arm.name: probe_step(arm.config, domain) for arm in trained}
    return describe_plan(sweep, trained, domain, seconds)


def trained_arms(sweep: SweepConfig, arms: Sequence[Arm]) -> list[Arm]:
    """The arms, and the plain DCGAN where it fits."""
    floor = dcgan_config(sweep, arms[0])
    return [*arms, *([] if floor is None else [Arm(DCGAN_ARM, floor, ("a floor: recipe dcgan64",))])]


def describe_plan(
    sweep: SweepConfig, arms: Sequence[Arm], domain: Domain | None, seconds: Mapping[str, float]
) -> str:
    """The same in words.

    Args:
        sweep: checked.
        arms: all that train, the base arm first.
        domain: of the clips; None where they are not here, and parameters cannot be told.
        seconds: arm -> seconds a step; {} where they were not measured.
    """
    runs = len(arms) * len(sweep.seeds)
    lines = [sweep.question, "", f"{len(arms)} arms x {len(sweep.seeds)} seeds = {runs} runs; {sweep.budget}"]
    lines.append(
        f"primary metric: {sweep.primary} ({definition(sweep.primary).title}), protocol {sweep.protocol}"
    )
    lines.append(f"beside it: {', '.join(sweep.secondary) or 'nothing'}; split {sweep.split}")
    lines.append(f"recipe {sweep.recipe}, {sweep.beginning}")
    lines += [f"  {key}: {value}" for key, value in sweep.common.items()]
    lines.append(
        "floors: real clips saved as JPEG, first frame copied, nearest training frame, the same warped"
    )
    total = 0.0
    for arm in arms:
        lines += [
            "",
            arm.name,
            *(f"  {change}" for change in arm.changes or ("changes nothing: the base arm",)),
        ]
        if domain is not None:
            lines.append(f"  generator: {generator_parameters(arm.config, domain) / 1e6:.3f} M weights")
        if arm.name in seconds:
            minutes = sweep.minutes or seconds[arm.name] * arm.config.train.steps / 60
            total += minutes * len(sweep.seeds)
            lines.append(f"  {seconds[arm.name]:.2f} s a step, {minutes:.1f} minutes a run")
    lines.append("")
    if sweep.common_steps and arms[0].name in seconds:
        minutes = seconds[arms[0].name] * sweep.common_steps / 60
        total += minutes * len(sweep.seeds)
        lines += [f"common start: {minutes:.1f} minutes a seed", ""]
    if seconds:
        lines.append(
            f"about {total:.0f} minutes of training in all, from {STEPS} steps of each arm on random clips on this "
            "machine; reading clips, rendering and scoring come on top"
        )
    else:
        lines.append(f"no cost: the store {sweep.data.store} is not here, so what a step takes is not known")
    return "\n".join(lines)
