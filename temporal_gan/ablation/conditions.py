"""Under which conditions a sweep was run, and what was not as it should be."""

from collections import Counter
from collections.abc import Sequence

from .clips import puppet_specs
from .outcome import Origin
from .row_names import DCGAN_ARM
from .scores import FLOORS, Scores
from .sweep import SweepConfig, definition


def conditions(sweep: SweepConfig, scores: Scores) -> list[str]:
    """What was the same for all arms, in sentences."""
    found = [
        f"{sweep.budget[0].upper()}{sweep.budget[1:]}; seeds {', '.join(map(str, sweep.seeds))}.",
        f"Recipe {sweep.recipe}"
        + (f" with {_listed(sweep.common)}" if sweep.common else "")
        + f"; {sweep.beginning}.",
        f"Judged on {len(scores.clips)} clips of split {sweep.split} under {sweep.protocol}; primary metric, named "
        f"before anything ran: {definition(sweep.primary).title}.",
    ]
    puppet = sweep.data.puppet
    if puppet is not None:
        scored = Counter(spec.motion for spec in puppet_specs(puppet)[puppet.clips :])
        found.append(
            f"Data: {puppet.clips} rendered clips (a fifth is left to val and test) of {puppet.frames} frames, "
            f"{puppet.size} px, {puppet.fps:g} frames a second, of {len(puppet.characters)} characters; only scored "
            f"are motions {', '.join(f'{motion} ({count})' for motion, count in sorted(scored.items()))}."
        )
    else:
        found.append(f"Data: {sweep.data.store}.")
    places = list(dict.fromkeys((origin.hardware, origin.threads) for origin in _origins(scores)))
    if places:
        commits = list(dict.fromkeys(origin.commit for origin in _origins(scores)))
        told = "; ".join(f"{hardware}, {threads} thread(s)" for hardware, threads in places)
        found.append(f"Run on {told}; commit {', '.join(c or 'unknown' for c in commits)}.")
    return found


def warnings(sweep: SweepConfig, scores: Scores) -> list[str]:
    """What keeps the answer from being one."""
    found = []
    if len({origin.code for origin in _origins(scores)}) > 1:
        found.append("The runs were made by different versions of the code: see each outcome.json.")
    if not scores.judged_alike:
        found.append(
            "The runs were scored under different settings or by different readers: see each results.json."
        )
    if len(sweep.seeds) < 3:
        found.append("Fewer than three seeds: no intervals.")
    unequal = _unequal_parameters(scores, sweep) if sweep.equal == "parameters" else ""
    if unequal:
        found.append(unequal)
    lost = [run for row in scores.rows for run in row.outcomes.values() if run.status != "finished"]
    if lost:
        found.append(
            f"{len(lost)} runs diverged or failed; the means are of the others, which flatters those arms. See notes."
        )
    if not any(row.is_floor for row in scores.rows):
        floors = scores.aside.get(FLOORS)
        why = f": {floors.reason}" if floors is not None and floors.reason else ""
        found.append(f"The floors that need no training were not scored{why}.")
    return found


def _unequal_parameters(scores: Scores, sweep: SweepConfig) -> str:
    known = {
        row.name: outcome.generator_parameters
        for row in scores.rows
        if row.name != DCGAN_ARM
        for outcome in row.outcomes.values()
        if outcome.generator_parameters
    }
    base = known.get(sweep.base_arm)
    off = [name for name, count in known.items() if base and abs(count / base - 1) > 0.05]
    return f"Not equal in parameters, beyond 5 %: {', '.join(off)}." if off else ""


def _origins(scores: Scores) -> Sequence[Origin]:
    """Of everything that was run."""
    arms = [outcome for row in scores.rows for outcome in row.outcomes.values()]
    return [outcome.origin for outcome in (*scores.aside.values(), *arms)]


def _listed(changes: dict[str, object]) -> str:
    return ", ".join(f"{key}={value}" for key, value in changes.items())
