"""What a planner gives beside a kind and a place; light, so that the command line can show it."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.typed_path import typed_path
from fleetdesk.sources.kinds import FORMS, KINDS, Kind

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)  # a drive has one letter
_SECRET_NAME = re.compile(r"key|token|secret|passw|pwd|auth|sig", re.IGNORECASE)


class WrongUsage(FleetDeskError):
    """The command was given something it does not know."""

    exit_code = 2


def kind_named(name: str) -> Kind:
    """The kind of this name; WrongUsage names the nearest one."""
    if name in KINDS:
        return KINDS[name]
    raise WrongUsage(
        f"There is no kind of source {name!r}", found=f"known are {', '.join(KINDS)}",
        fix=_nearest(name, KINDS),
    )  # fmt: skip


def options_of(kind: Kind, given: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as options, the kind's defaults filled in; WrongUsage for what is not."""
    options = {option.name: option.default for option in kind.options if option.default}
    known = [option.name for option in kind.options]
    for text in given:
        name, equals, value = text.partition("=")
        if name not in known:
            raise WrongUsage(
                f"{kind.name} has no option {name!r}",
                found=f"its options are {', '.join(known)}" if known else "it has no options",
                fix=_nearest(name, known),
            )
        if not equals:
            raise WrongUsage(
                f"The option {name} has no value", found=text, fix=f"Write --option {name}=VALUE"
            )
        options[name] = _formed(kind, name, value)
    return options


def kinds_help() -> str:
    """All kinds, their places and options, as lines of a command's help."""
    lines = []
    for kind in KINDS.values():
        lines += _entry(f"{kind.name:<16}", kind.place)
        for option in kind.options:
            default = f" [{option.default}]" if option.default else ""
            lines += _entry(f"{'':<18}{option.name}: ", option.help + default)
    return "\n".join(lines)


def origin_of(kind: str, place: str) -> str:
    """A source's name in the ledger: the same from wherever it is called, and without any login."""
    if not _is_address(place):
        return f"{kind} {place_of(kind, place)}"
    parts = urlsplit(place)
    query = [(k, "" if _SECRET_NAME.search(k) else v) for k, v in parse_qsl(parts.query)]
    host = parts.netloc.rpartition("@")[2]
    return f"{kind} {urlunsplit((parts.scheme, host, parts.path, urlencode(query), ''))}"


def place_of(kind: str, place: str) -> str:
    """The place as a source of this kind takes it, the same from whichever folder it is called."""
    return place if kind_named(kind).by_name else as_place(place)


def as_place(place: str) -> str:
    """A path written out in full, so that it means the same from any folder; addresses stay."""
    return place if _is_address(place) else str(typed_path(place).resolve())


def _is_address(place: str) -> bool:
    return _ADDRESS.match(place) is not None


def _formed(kind: Kind, name: str, value: str) -> str:
    """The value, if it looks as the option's must."""
    form = next(option.form for option in kind.options if option.name == name)
    pattern, words = FORMS.get(form, (".*", ""))
    if not re.fullmatch(pattern, value.strip(), re.DOTALL):
        raise WrongUsage(
            f"The option {name} cannot be used", found=repr(value[:40]), fix=f"Give {words}"
        )
    return value


def _entry(head: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, width=78, initial_indent=head, subsequent_indent=" " * max(18, len(head.rstrip()) + 2)
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {near[0]!r}?" if near else ""
