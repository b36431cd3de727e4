"""``temporal-gan-preprocess run``."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer

from temporal_gan.command_line import PARTLY_FAILED, Quiet, going_on_when_repeated, say
from temporal_gan.errors import UserError

from . import lanes, ray_engine
from .config import load_preprocess_config
from .cuts import read_cuts
from .decisions import DECISIONS_FILE, Decisions, read_decisions
from .outcome import Outcome
from .pack import check_place, kept_cuts
from .pipeline import Finished, Wanted, run
from .progress import Progress
from .provenance import find_sources, without_licence
from .report import PAGE_FILE, REPORT_FOLDER, write_report
from .sidecar import Provenance

_LISTED = 12


def run_clips(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Videos, animated pictures, or folders of them.")
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="STORE", help="Folder of the store; one made before is brought up to date."),
    ],
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings that differ from the defaults, YAML.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="STAGE.KEY=VALUE", help="One setting; may be repeated."),
    ] = None,
    pose_backend: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="mediapipe, mediapipe-offline, rtmlib, reader, labels or none."),
    ] = None,
    provenance: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV or JSON: file, url, page, author, licence, ...")
    ] = None,
    licence: Annotated[str, typer.Option(help="Of every input that the sidecar gives none.")] = "",
    licence_evidence: Annotated[str, typer.Option(help="Where that licence is stated.")] = "",
    author: Annotated[str, typer.Option(help="Of every input that the sidecar gives none.")] = "",
    character: Annotated[str, typer.Option(help="Of every input that the sidecar gives none.")] = "",
    allow_unlicensed: Annotated[
        bool,
        typer.Option("--allow-unlicensed", help="Take inputs without a licence too; the card counts them."),
    ] = False,
    labels: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Labels by file name; they win over what is detected.")
    ] = None,
    decisions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="CSV of clips and sources to keep or to reject; by default the store's own."
        ),
    ] = None,
    cuts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A corrected STORE/cuts.csv; by default what that has of yours."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="ray: on a cluster.")] = "local",
    work: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Finished pieces; by default STORE.work. Safe to delete."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Turn clips into a store to train on: shots, poses, expressions, crops, flow.

    Repeating the command goes on where it was, and makes again only what a change of files or settings touches.
    Exit code 1: some inputs are broken; they are listed, the others are in the store.

    Example: temporal-gan-preprocess run clips --out stores/clips --licence CC-BY-4.0 --pose-backend reader
    """
    if out.name in ("", "..") or out.is_symlink():
        # Work and old stores lie beside it under its name, and a link stays a link.
        try:
            out = out.resolve()
        except (RuntimeError, OSError):
            raise UserError(f"--out {out}: is a link that leads to itself; name another folder") from None
    if not out.name:
        raise UserError(f"--out {out}: a store needs a folder of its own; name one")
    overrides = list(changes or ())
    if pose_backend is not None:
        overrides.append(f"pose.backend={pose_backend}")
    settings = load_preprocess_config(config, overrides)
    if settings.pose.backend == "labels" and labels is None:
        raise UserError("--pose-backend labels: name the folder of the labels with --labels DIR")
    # A store that a killed run has moved aside comes back before a person's words are read from it.
    check_place(out)
    own = out / DECISIONS_FILE
    decisions = decisions or (own if own.is_file() else None)
    decided = read_decisions(decisions) if decisions else Decisions()
    known = Provenance(author=author, licence=licence, licence_evidence=licence_evidence, character=character)
    sources, outcomes = find_sources(inputs, provenance, known, settings.ingest)
    # A person's word for a source counts as leave to use it; the card still says that its licence is unknown.
    decided_sources = {name for name, decision in decided.sources.items() if decision.verdict == "keep"}
    licensed, unlicensed = without_licence(sources, allow_unlicensed, decided_sources)
    kept = kept_cuts(out)
    wanted_cuts = read_cuts(cuts) if cuts else kept
    names = {source.name for source in licensed}
    for name in sorted(names & (kept.keys() - wanted_cuts.keys())):
        typer.echo(f"{name}: cut anew, since {cuts} has no line of it; the store had yours", err=True)
    wanted = Wanted(
        sources=licensed,
        outcomes=outcomes + unlicensed,
        out=out,
        work=work or out.with_name(f"{out.name}.work"),
        config=settings,
        labels=labels,
        decisions=decided,
        cuts={name: own for name, own in kept.items() if name not in names} | wanted_cuts,
        workers=workers,
        engine=ray_engine.do_all if engine == "ray" else lanes.do_all,
        progress=Progress(quiet),
    )
    with going_on_when_repeated():
        finished = run(wanted)
        if not finished.packed:
            raise UserError(_why_nothing(finished))
        page = out / REPORT_FOLDER / PAGE_FILE
        if not page.exists():
            write_report(out)
    _tell(finished, out, page, quiet)
    if finished.failed:
        raise typer.Exit(PARTLY_FAILED)


def _why_nothing(finished: Finished) -> str:
    """One line on why no clip is left."""
    if not finished.outcomes:
        return "no video or picture in the inputs"
    names = {outcome.reason: outcome.clip or outcome.source for outcome in finished.outcomes}
    reasons = Counter(outcome.reason for outcome in finished.outcomes)
    told = "; ".join(
        f"{count}x {reason}" if count > 1 else f"{names[reason]}: {reason}"
        for reason, count in reasons.most_common(3)
    )
    return f"no clip to make a store of: {told}"


def _tell(finished: Finished, out: Path, page: Path, quiet: bool) -> None:
    """What became of the inputs, the broken ones by name, and which words of a person met nothing."""
    for outcome in finished.idle[:_LISTED]:
        typer.echo(f"without effect: {_told(outcome)}", err=True)
    if len(finished.idle) > _LISTED:
        typer.echo(f"without effect: and {len(finished.idle) - _LISTED} more, listed in {page}", err=True)
    for outcome in finished.failed[:_LISTED]:
        typer.echo(f"failed: {outcome.clip or outcome.source}: {outcome.reason}", err=True)
    if len(finished.failed) > _LISTED:
        typer.echo(f"failed: and {len(finished.failed) - _LISTED} more, listed in {page}", err=True)
    left_out = sum(outcome.state == "left out" for outcome in finished.outcomes)
    what = f"{finished.packed} clips" if finished.changed else f"nothing changed, {finished.packed} clips"
    say(quiet, f"{out}: {what}, {left_out} left out, {len(finished.failed)} failed; report: {page}")


def _told(idle: Outcome) -> str:
    return idle.reason if idle.reason.startswith(f"{idle.source}:") else f"{idle.source}: {idle.reason}"
