"""Points on the earth, parkings, and the cells of the demand grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
GEOHASH_ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Point:
    """A WGS84 position in degrees."""

    lat: float
    lon: float

    def distance_m(self, other: Point) -> float:
        """Great-circle distance in metres (haversine)."""
        lat_a, lat_b = math.radians(self.lat), math.radians(other.lat)
        half_lat = (lat_b - lat_a) / 2
        half_lon = math.radians(other.lon - self.lon) / 2
        h = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
        return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))

    def cell(self, precision: int) -> str:
        """The geohash of `precision` characters that holds this point (1 to 12)."""
        return geohash(self.lat, self.lon, precision)


@dataclass(frozen=True, slots=True)
class Parking:
    """Where vehicles stand: an MDS stop or GBFS station, mapped on entry.

    `radius_m` is how far from the point a vehicle still counts as parked here.
    """

    parking_id: str
    name: str
    at: Point
    radius_m: float = 30.0
    capacity: int = 20
    minimum: int = 0
    target: int = 0


def geohash(lat: float, lon: float, precision: int) -> str:
    """Geohash by interleaved bisection of longitude and latitude (G. Niemeyer, 2008)."""
    bits = 5 * precision
    lon_bits, lat_bits = (bits + 1) // 2, bits // 2
    lon_index = _bin(lon, -180.0, 360.0, lon_bits)
    lat_index = _bin(lat, -90.0, 180.0, lat_bits)
    code = 0
    for position in range(bits):
        from_top = position // 2
        index, width = (lon_index, lon_bits) if position % 2 == 0 else (lat_index, lat_bits)
        code = code << 1 | (index >> (width - 1 - from_top)) & 1
    return "".join(
        GEOHASH_ALPHABET[code >> 5 * (precision - 1 - char) & 31] for char in range(precision)
    )


def cell_bounds(cell: str) -> tuple[Point, Point]:
    """The south-west and north-east corners of a geohash cell."""
    lat_low, lat_high, lon_low, lon_high = -90.0, 90.0, -180.0, 180.0
    even = True
    for char in cell:
        value = GEOHASH_ALPHABET.index(char)
        for shift in (4, 3, 2, 1, 0):
            upper = value >> shift & 1
            if even:
                middle = (lon_low + lon_high) / 2
                lon_low, lon_high = (middle, lon_high) if upper else (lon_low, middle)
            else:
                middle = (lat_low + lat_high) / 2
                lat_low, lat_high = (middle, lat_high) if upper else (lat_low, middle)
            even = not even
    return Point(lat_low, lon_low), Point(lat_high, lon_high)


def cells_around(cell: str) -> tuple[str, ...]:
    """The up to eight geohash cells that share a side or a corner with one; none of "" itself."""
    if not cell:
        return ()
    low, high = cell_bounds(cell)
    tall, wide = high.lat - low.lat, high.lon - low.lon
    lat, lon = (low.lat + high.lat) / 2, (low.lon + high.lon) / 2
    found = {
        geohash(lat + up * tall, (lon + right * wide + 180.0) % 360.0 - 180.0, len(cell))
        for up in (-1, 0, 1)
        for right in (-1, 0, 1)
        if abs(lat + up * tall) < 90.0
    }
    return tuple(sorted(found - {cell}))


def _bin(value: float, low: float, span: float, bits: int) -> int:
    count = 1 << bits
    return min(count - 1, max(0, int((value - low) / span * count)))
