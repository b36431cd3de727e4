"""Web pages from this package's templates."""

from pathlib import Path

import jinja2


def page_template(name: str, folder: Path = Path(__file__).parent) -> jinja2.Template:
    """One of a package's ``.jinja`` files, this one's where no folder is named; what is filled in is escaped, and a
    name not given is an error."""
    # The names end in .jinja, so escaping is switched on for all templates, not guessed from the suffix.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
