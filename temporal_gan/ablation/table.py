"""A sweep's answer as Markdown (``table.md``), what it cost (``costs.md``), and both as JSON (``results.json``)."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from ..evaluation.results import write_atomically
from .answer import NONE, Answer, heading
from .arms import Arm
from .plan import Run
from .scores import Row, Scores
from .sweep import SweepConfig, definition

HOW_TO_READ = (
    "`mean [low, high]`: 95 % interval of a bootstrap over seeds and clips together (Owen 2007). Differences are "
    "paired, clip by clip and seed by seed. With three seeds no permutation test can reach significance, and none is "
    "claimed. Nor are these intervals a test: where two arms do not differ at all, one of three seeds leaves out 0 in "
    "up to one case of four, and here are several arms. One that does is a reason to run more seeds. Parameters and "
    "multiply-adds are the generator's (GMAC a frame: 10^9 multiply-adds of convolutions, matrix products and "
    "attention, by torch.utils.flop_counter; sampling of warped references is not counted). Floors and the plain DCGAN "
    "are scored by the same code on the same clips; the DCGAN hears of no pose."
)


def write_tables(
    sweep: SweepConfig, arms: Sequence[Arm], answer: Answer, scores: Scores, name: str, out: Path
) -> None:
    """Write all three. Time and memory, which no two runs have alike, are only in ``costs.md``: the other two are the
    same to the byte for the same runs.

    Args:
        name: the sweep as it was named on the command line.
        out: the sweep's folder.
    """
    write_atomically(out / "table.md", _table(sweep, arms, answer, name))
    write_atomically(out / "costs.md", _costs(sweep, scores))
    write_atomically(out / "results.json", _results(sweep, arms, answer, name))


def cost_rows(scores: Scores) -> list[tuple[str, ...]]:
    """Arm, parameters of generator and critics, GMAC a frame, steps, seconds a step, peak memory."""
    return [_cost_row(row) for row in scores.rows if not row.is_floor]


COST_HEADINGS = (
    "arm", "generator, M weights", "critics, M weights", "GMAC a frame", "steps", "s a step", "peak memory, GiB",
)  # fmt: skip


def runs_done(runs: Sequence[Run], scores: Scores) -> str:
    """``7 of 12 runs`` in words."""
    done = sum(len(row.outcomes) for row in scores.rows)
    return f"{done} of {sum(run.is_scored_arm for run in runs)} runs"


def _table(sweep: SweepConfig, arms: Sequence[Arm], answer: Answer, name: str) -> str:
    titles = [heading(definition(m)) for m in sweep.metrics]
    lines = [
        f"# {sweep.question}",
        "",
        f"`temporal-gan ablate {name} --out DIR`",
        "",
        f"{titles[0]}:",
        "",
        *_list(answer.readings),
        "",
        "Conditions:",
        "",
        *_list(answer.conditions),
        "",
    ]
    lines += [line for warning in answer.warnings for line in (f"**{warning}**", "")]
    header = [
        "arm",
        "parameters, M",
        "GMAC a frame",
        f"**{titles[0]}**",
        f"**{sweep.difference}**",
        *titles[1:],
        "notes",
    ]
    rows = [
        [
            f"*{row.name}*" if row.is_floor else row.name,
            row.parameters,
            row.gmac,
            row.cells[sweep.primary].text,
            row.gaps[sweep.primary].text if row.gaps else NONE,
            *(row.cells[m].text for m in sweep.secondary),
            "; ".join(row.notes),
        ]
        for row in answer.rows
    ]
    lines += [*_markdown(header, rows), "", HOW_TO_READ, ""]
    if sweep.secondary:
        header = [sweep.difference, *titles]
        rows = [[row.name, *(row.gaps[m].text for m in sweep.metrics)] for row in answer.rows if row.gaps]
        lines += ["## Differences", "", *_markdown(header, rows), ""]
    lines += ["## What each arm changes", ""]
    lines += [f"- **{arm.name}**: {'; '.join(arm.changes) or 'nothing, the base'}" for arm in arms]
    if sweep.caveat:
        lines += ["", "## What this does not say", "", sweep.caveat]
    return "\n".join(lines) + "\n"


def _costs(sweep: SweepConfig, scores: Scores) -> str:
    lines = [f"# What it cost: {sweep.question}", ""]
    lines += [*_markdown(list(COST_HEADINGS), [list(row) for row in cost_rows(scores)]), ""]
    lines.append(
        "A step's time is the median over its run's log and over the seeds, on a machine that may have done other "
        "things. Peak memory is that of the training process, or of the graphics card where there is one, and of the "
        "seed that took most."
    )
    if sweep.common_steps:
        lines.append(f"The {sweep.common_steps} steps that the arms of a seed have in common are not in it.")
    return "\n".join(lines) + "\n"


def _cost_row(row: Row) -> tuple[str, ...]:
    trained = [o.trained for o in row.outcomes.values() if o.trained is not None]
    seconds = [t.seconds_per_step for t in trained if t.seconds_per_step is not None]
    memory = [t.peak_memory_gb if t.device_memory_gb is None else t.device_memory_gb for t in trained]
    weights, critics, gmac = (
        [value for o in row.outcomes.values() if (value := getattr(o, name)) is not None]
        for name in ("generator_parameters", "critic_parameters", "gmac_per_frame")
    )
    return (
        row.name,
        f"{max(weights) / 1e6:.3f}" if weights else NONE,
        f"{max(critics) / 1e6:.3f}" if critics else NONE,
        f"{max(gmac):.3f}" if gmac else NONE,
        ", ".join(str(t.steps) for t in trained) or NONE,
        f"{median(seconds):.3f}" if seconds else NONE,
        f"{max(memory):.2f}" if memory else NONE,
    )


def _results(sweep: SweepConfig, arms: Sequence[Arm], answer: Answer, name: str) -> str:
    def told(cell: object) -> object:
        found = getattr(cell, "estimate", None)
        if found is None:
            return None
        return {"mean": found.mean, "interval": found.interval, "seeds": found.seeds}

    changes = {arm.name: list(arm.changes) for arm in arms}
    content = {
        "schema": 1,
        "sweep": name,
        "question": sweep.question,
        "readings": list(answer.readings),
        "conditions": list(answer.conditions),
        "warnings": list(answer.warnings),
        "protocol": sweep.protocol,
        "primary": sweep.primary,
        "base_arm": sweep.base_arm,
        "rows": [
            {
                "name": row.name,
                "floor": row.is_floor,
                "changes": changes.get(row.name, []),
                "parameters_million": row.parameters,
                "gmac_per_frame": row.gmac,
                "values": {m: told(cell) for m, cell in row.cells.items()},
                "differences": {m: told(cell) for m, cell in row.gaps.items()},
                "notes": list(row.notes),
            }
            for row in answer.rows
        ],
    }
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _list(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    # A bar would end the cell.
    table = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
