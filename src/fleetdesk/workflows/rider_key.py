"""The key under which rider ids are pseudonymised: one per store, kept outside of it.

It lies in the keyring, or comes from FLEETDESK_RIDER_KEY on a server. Where there is neither, it
is a file beside the store that only its owner may read. The store keeps no more than a check
value, by which a changed or lost key is noticed before it splits every rider in two.
"""

from __future__ import annotations

import hmac
import os
import secrets as random
from collections.abc import Iterator
from pathlib import Path

from fleetdesk.errors import FleetDeskError, StoreUnusable
from fleetdesk.settings import secrets
from fleetdesk.store.base import Store

KEY_FILE = "rider.key"
SHORTEST = 32
_NOTE = "rider key check"
_CHECKED = b"FleetDesk rider ids"


def rider_key(store: Store, folder: Path) -> bytes:
    """The store's key, made at the first need; `folder` is where a key file would lie.

    StoreUnusable when the store was begun with a key that is not to be found.
    """
    check = store.note(_NOTE)
    if check is None:
        key = next((given for _, given in _found(folder, None)), None) or _made(folder)
        store.keep_note(_NOTE, check_of(key))
        return key.encode()
    for _, key in _found(folder, check):
        if check_of(key) == check:
            return key.encode()
    raise StoreUnusable(
        "The key that rider ids are pseudonymised with is not the one this store was begun with",
        found=_told([where for where, _ in _found(folder, check)]),
        fix=f"Set {secrets.variable(secrets.RIDER_KEY)} to the first key, unlock the keyring that "
        "holds it, or import into a new workspace; with another key every rider would be there "
        "twice, so nothing was imported",
    )


def where_kept(store: Store, folder: Path) -> str | None:
    """Where the store's key is, in words; "" when it is lost, None when none was needed yet."""
    check = store.note(_NOTE)
    if check is None:
        return None
    return next((where for where, key in _found(folder, check) if check_of(key) == check), "")


def check_of(key: str) -> str:
    """What tells one key from another without telling the key."""
    return hmac.digest(key.encode(), _CHECKED, "sha256").hex()[:16]


def _found(folder: Path, check: str | None) -> Iterator[tuple[str, str]]:
    """The keys that are there, with where each was found; those that others gave come first."""
    given = secrets.reveal(secrets.RIDER_KEY)
    if given:
        where = secrets.variable(secrets.RIDER_KEY)
        if len(given) < SHORTEST:
            raise FleetDeskError(
                f"{where} is too short to keep rider ids secret",
                found=f"{len(given)} characters",
                fix=f"Set at least {SHORTEST} random characters",
            )
        yield where if os.environ.get(where) else "the keyring", given
    own = secrets.reveal(f"{secrets.RIDER_KEY}-{check}") if check else None
    if own:
        yield "the keyring", own
    path = folder / KEY_FILE
    if path.is_file():
        kept = secrets.Secret(path.read_text(encoding="utf-8").strip())
        yield f"the file {path}", kept.reveal()


def _made(folder: Path) -> str:
    key = random.token_hex(32)
    secrets.put_or_write(f"{secrets.RIDER_KEY}-{check_of(key)}", key, folder / KEY_FILE)
    return key


def _told(places: list[str]) -> str:
    return f"another key in {' and '.join(places)}" if places else "no key at all"
