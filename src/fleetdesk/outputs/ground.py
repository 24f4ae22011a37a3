"""What lies under a map: roads in the page, pictures from a tile server, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from fleetdesk.routes.roads import Roads

_USUAL_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Tiles:
    """Pictures of a tile server: its address with {z}, {x} and {y}, and whom to thank for them."""

    address: str
    credit: str

    @property
    def origin(self) -> str:
        """`https://tiles.example.org`, with a star where the address takes turns at servers.

        As browsers say it: in small letters, and without the port that the scheme implies.
        """
        parts = urlsplit(self.address)
        host = parts.netloc.lower().replace("{s}", "*")
        return f"{parts.scheme}://{host.removesuffix(_USUAL_PORTS[parts.scheme])}"


@dataclass(frozen=True, eq=False)
class Ground:
    """Roads and tiles, if there are any; tiles come first, and roads where they cannot be had."""

    roads: Roads | None = None
    tiles: Tiles | None = None


PLAIN = Ground()
