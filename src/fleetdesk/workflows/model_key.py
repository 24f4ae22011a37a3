"""The key that kept models are sealed with, so that nobody else can put one in their place.

It lies in the keyring, or comes from FLEETDESK_MODEL_KEY on a server. Where there is neither, it is
a file in the workspace that only its owner may read. Who loses it learns the models anew.
"""

from __future__ import annotations

import secrets as random
from pathlib import Path

from fleetdesk.settings import secrets
from fleetdesk.workflows.context import STORE_FOLDER

KEY_FILE = "model.key"


def model_key(folder: Path) -> bytes:
    """The key of the workspace `folder`, made at the first need."""
    path = folder / STORE_FOLDER / KEY_FILE
    key = secrets.reveal(secrets.MODEL_KEY)
    if not key and path.is_file():
        key = secrets.Secret(path.read_text(encoding="utf-8").strip()).reveal()
    if not key:
        key = random.token_hex(32)
        secrets.put_or_write(secrets.MODEL_KEY, key, path)
    return key.encode()
