"""Whether files are the ones that were imported before, as rsync would tell: by size and time.

For kinds of source that keep no watermark of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from fleetdesk import __version__
from fleetdesk.model.typed_path import typed_path

LISTING = "files"


def listing(place: str, options: Mapping[str, str]) -> dict[str, str] | None:
    """A watermark for the files at `place` as they are now; None when it is no path.

    It differs once a file, an option or the program that reads them does.
    """
    path = typed_path(place)
    if not path.exists():
        return None
    digest = hashlib.sha256(json.dumps([__version__, sorted(options.items())]).encode())
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        about = file.stat()
        if not file.is_dir():
            name = file.relative_to(path).as_posix()
            digest.update(f"\0{name}\0{about.st_size}\0{about.st_mtime_ns}".encode())
    return {LISTING: digest.hexdigest()}
