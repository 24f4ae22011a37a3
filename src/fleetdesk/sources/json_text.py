"""JSON of unknown origin read within a bound of memory, or refused with what was found."""

from __future__ import annotations

import json
from typing import Any

from fleetdesk.errors import SourceUnreadable

_CONTAINER_BYTES = 240  # a dict with one key
_ITEM_BYTES = 64  # a short text or a number, and the pointer to it
_SHOWN = 80


def decode_json(
    body: bytes,
    where: str,
    *,
    content_type: str = "",
    memory_bytes: int = 1_500_000_000,
    secrets: tuple[str, ...] = (),
) -> Any:
    """The values of a JSON text; SourceUnreadable for everything else, `where` it came from.

    What the values would take is reckoned from the text first: at most `memory_bytes`. NaN and
    numbers beyond a float's come as float NaN and infinity, for the reader of a field to refuse.
    """
    kind = content_type.split(";")[0].strip()
    told = f" ({kind})" if kind else ""
    begins = beginning(body, secrets)
    if not body.strip():
        raise _refused(where, f"an empty answer{told}")
    if reckoned_bytes(body) > memory_bytes:
        raise SourceUnreadable(
            f"{where} is too big to be read",
            found=f"{len(body) / 1e6:.0f} MB that would take more than {memory_bytes / 1e6:.0f} MB",
            fix="Check that this is the feed; nothing was imported",
        )
    try:
        return json.loads(body)
    except RecursionError:
        raise _refused(where, f"JSON nested too deeply{told}, {begins}") from None
    except json.JSONDecodeError as error:
        if begins.startswith("beginning with '<"):
            raise _refused(where, f"a web page{told}, {begins}") from None
        if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated"):
            found = f"JSON that breaks off after {len(body)} bytes{told}, {begins}"
            raise _refused(where, found, retry_helps=True) from None
        place = f"line {error.lineno}, column {error.colno}"
        raise _refused(where, f"no JSON at {place}{told}, {begins}") from None
    except ValueError as error:  # a number of thousands of digits, or bytes that are no text
        what = "text" if isinstance(error, UnicodeDecodeError) else "number"
        raise _refused(where, f"a {what} that cannot be read{told}, {begins}") from None


def reckoned_bytes(body: bytes) -> int:
    """What the values of a JSON text may take at most in memory, beside the text itself."""
    containers = body.count(b"{") + body.count(b"[")
    return len(body) * 2 + containers * _CONTAINER_BYTES + body.count(b",") * _ITEM_BYTES


def beginning(body: bytes, secrets: tuple[str, ...] = ()) -> str:
    """`beginning with '<html>...'`: a few characters to recognise a text by, or nothing."""
    text = " ".join(body[: 20 * _SHOWN].decode("utf-8", "replace").lstrip("\ufeff").split())
    for secret in secrets:
        text = text.replace(secret, "***")
    return f"beginning with {text[:_SHOWN]!r}" if text else ""


def _refused(where: str, found: str, *, retry_helps: bool = False) -> SourceUnreadable:
    return SourceUnreadable(
        f"{where} is not JSON that can be read",
        found=found,
        fix="Check the address or the file; nothing was imported",
        retry_helps=retry_helps,
    )
