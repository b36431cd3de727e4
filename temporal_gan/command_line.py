"""What every command shares: --quiet, and how it ends: one line for a mistake, and the exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from .errors import UserError

INTERRUPTED = 130
USER_MISTAKE = 2
PARTLY_FAILED = 1
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]


class Interrupted(Exception):
    """Ctrl-C, and what became of the work: one line."""


@contextmanager
def going_on_when_repeated() -> Iterator[None]:
    """Around what keeps every finished piece: Ctrl-C inside says that repeating the command goes on."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("stopped; repeat the same command to go on") from None


def run_command(app: typer.Typer) -> None:
    """Run a command line. Exit codes: 0 done, 2 a user's mistake, 130 Ctrl-C, 1 our own fault, with a traceback."""
    try:
        code = app(standalone_mode=False)
    except TyperException as error:
        message = error.format_message().rstrip(".")
        if not message:
            # Called without arguments: the help page has been printed.
            sys.exit(USER_MISTAKE)
        _fail(f"error: {message}; --help lists what is possible")
    except UserError as error:
        _fail(f"error: {error}")
    except OSError as error:
        # A folder that cannot be made or written, or a full disk.
        in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "a file is where a folder should be" if in_the_way else error.strerror or error
        _fail(f"error: {error.filename or 'a file'}: {reason}")
    except Interrupted as stop:
        _fail(str(stop), INTERRUPTED)
    if code == INTERRUPTED:
        # Typer's own answer to Ctrl-C: nothing was there to be kept.
        _fail("stopped", INTERRUPTED)
    sys.exit(code)


def say(quiet: bool, text: str) -> None:
    """Print what a command made, unless ``--quiet``."""
    if not quiet:
        typer.echo(text)


def _fail(message: str, code: int = USER_MISTAKE) -> NoReturn:
    typer.echo(message, err=True)
    sys.exit(code)
