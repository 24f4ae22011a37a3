"""Scripts and other files that are shipped in ui/, made ready to stand in a page."""

from __future__ import annotations

import re
from pathlib import Path

from fleetdesk.errors import FleetDeskError

_SOURCE_MAP = re.compile(r"\n?//# sourceMappingURL=\S+")
# Leaflet credits itself with a link; the page names it in words, so that it holds no address
# that a click or a reader's filter could follow.
_CREDIT_LINK = re.compile(r'<a href="https://leafletjs\.com" title="[^"]*">')


def script(name: str, root: Path) -> str:
    """The code under `root` after its licence, with nothing in it that ends a script tag."""
    code = _SOURCE_MAP.sub("", shipped(name, root).read_text(encoding="utf-8"))
    return _licence(name, root) + _CREDIT_LINK.sub("<a>", code).replace("</script", r"<\/script")


def shipped(name: str, root: Path) -> Path:
    """The file of that name under `root`; FleetDeskError for one that is not there."""
    path = root / name
    if ":" in name or name.startswith("/") or ".." in name or not path.is_file():
        raise not_shipped(name)
    return path


def not_shipped(name: str) -> FleetDeskError:
    """Why a page cannot hold what it names."""
    return FleetDeskError(
        "A map must open without a network, and it needs a file that is not shipped with FleetDesk",
        found=name,
        fix="Put the file and its licence under ui/vendor, or leave out what needs it",
    )


def _licence(name: str, root: Path) -> str:
    """The licence beside a vendored script travels with it, as it asks for."""
    licence = (root / name).parent / "LICENSE"
    return f"/*\n{licence.read_text(encoding='utf-8').strip()}\n*/\n" if licence.is_file() else ""
