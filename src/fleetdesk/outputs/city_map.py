"""A map of the city from a .pmtiles file, put under a page that is shown in the window.

Only there: a page that is a file may not read another file. The streets of the road file are in
every page (`outputs.ground`).
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from pmtiles.reader import Reader
from pmtiles.tile import Compression, MagicNumberNotFound, SpecVersionUnsupported, TileType

from fleetdesk.errors import FleetDeskError
from fleetdesk.outputs.page_policy import fetching
from fleetdesk.outputs.shipped import script
from fleetdesk.resources import folder

_MOST_BYTES = 20_000_000
_BROKEN = (
    ValueError, IndexError, TypeError, OverflowError, EOFError, MemoryError, zlib.error,
    MagicNumberNotFound, SpecVersionUnsupported,
)  # fmt: skip


class CityMap:
    """The vector tiles of one .pmtiles file in the schema of the Protomaps basemap.

    `version` names the state of the file. FleetDeskError when it cannot be read, or holds pictures
    or packs that no browser opens.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            stat = path.stat()
            self._reader = Reader(self._bytes)
            self._about = self._reader.header()
            self._reader.get(0, 0, 0)  # reads the root directory
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from error
        except _BROKEN as error:
            raise _unreadable(path, "it is no .pmtiles file of version 3") from error
        if self._about["tile_type"] != TileType.MVT:
            raise _unreadable(path, "it holds pictures, not streets as lines")
        if self._about["tile_compression"] not in (Compression.NONE, Compression.GZIP):
            raise _unreadable(path, "its tiles are not packed by gzip")
        if stat.st_size < self._about["tile_data_offset"] + self._about["tile_data_length"]:
            raise _unreadable(path, f"it is torn: only {stat.st_size} bytes of it are there")
        self.version = f"{stat.st_size}-{stat.st_mtime_ns}"

    @property
    def max_zoom(self) -> int:
        """The zoom of its finest tiles."""
        return int(self._about["max_zoom"])

    @property
    def bounds(self) -> list[list[float]]:
        """South-west and north-east corner of what it shows, as [lat, lon]."""
        corners = (("min_lat_e7", "min_lon_e7"), ("max_lat_e7", "max_lon_e7"))
        return [[self._about[lat] / 1e7, self._about[lon] / 1e7] for lat, lon in corners]

    def tile(self, zoom: int, x: int, y: int) -> bytes:
        """One tile, unpacked; empty where the file has none, or it is broken or no tile's size."""
        try:
            packed = self._reader.get(zoom, x, y) or b""
            if not packed or self._about["tile_compression"] == Compression.NONE:
                return bytes(packed)
            unpacking = zlib.decompressobj(wbits=31)  # gzip
            tile = unpacking.decompress(packed, _MOST_BYTES)
            return b"" if unpacking.unconsumed_tail else tile
        except (OSError, *_BROKEN):
            return b""

    def _bytes(self, offset: int, length: int) -> bytes:
        # Read anew each time: a file that is held open or mapped cannot be replaced while a map is
        # looked at, or ends the window when it is.
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


def over_city(page: str, city: CityMap, tiles_at: str) -> str:
    """The page with the city's map under it; `tiles_at` is an address with {z}, {x} and {y}.

    The file's version is in the page, so that another file's page and tiles are others.
    """
    code = script("vendor/protomaps-leaflet/protomaps-leaflet.js", folder("ui"))
    tiles = f"{tiles_at}?{city.version}"
    about = json.dumps({"from": tiles, "zoom": city.max_zoom, "bounds": city.bounds})
    return fetching(page, tiles_at.partition("//")[0]).replace(
        "</head>",
        f"<script>{code}</script><script>window.fleetdeskCity = {about};</script></head>",
        1,
    )


def _unreadable(path: Path, found: str) -> FleetDeskError:
    return FleetDeskError(
        f"The city map {path.name} cannot be drawn",
        found=found,
        fix="Give a .pmtiles map of the Protomaps basemap on Routes & travel, or leave it empty",
    )
