"""`fleetdesk import`: any kind of source, as the one list of kinds has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from fleetdesk.apps.console import OnProgress, finish
from fleetdesk.apps.options import as_json_option, city_options
from fleetdesk.workflows.import_options import kind_named, kinds_help, options_of

_HELP = f"""Bring a fleet's records into a workspace.

What is in already is not read again where the source can tell, and never doubled. An import that
is cut off goes on where it stopped. PLACE is a path or an address; KIND is one of

\b
{kinds_help()}
"""


@click.command("import", help=_HELP)
@click.argument("kind")
@click.argument("place")
@click.option("--into", type=click.Path(path_type=Path), required=True,
              help="Workspace folder; made with a new workbook if it is not there.")  # fmt: skip
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE",
              help="One of the kind's options; may be repeated.")  # fmt: skip
@click.option("--again", is_flag=True, help="Read from the beginning what is in already.")
@click.option("--another-city", is_flag=True, help="Take records in from farther than 50 km away.")
@city_options
@as_json_option
@click.pass_context
def import_(
    context: click.Context,
    /,
    kind: str,
    place: str,
    into: Path,
    options: tuple[str, ...],
    again: bool,
    another_city: bool,
    as_json: bool,
    **city: str,
) -> None:
    """Bring a fleet's records into a workspace."""

    def work(on_progress: OnProgress) -> Mapping[str, Any]:
        options_of(kind_named(kind), options)  # before anything heavy is loaded

        from fleetdesk.workflows.refresh import import_source
        from fleetdesk.workflows.workspace import NewWorkbook

        given = [f"--{name}" for name in city if _was_typed(context, name)]
        done = import_source(
            kind, place, into, NewWorkbook(**city, given=tuple(given)),
            options=options, again=again, another_city=another_city, on_progress=on_progress,
        )  # fmt: skip
        return done.as_dict()

    finish(work, as_json)


def _was_typed(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE
