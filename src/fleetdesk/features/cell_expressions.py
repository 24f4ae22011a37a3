"""Cells and distances as Ibis expressions; apart from `cells`, so that the door loads no Ibis."""

from __future__ import annotations

from typing import Any

import ibis

from fleetdesk.model.places import EARTH_RADIUS_M, GEOHASH_ALPHABET


def haversine_m(from_lat: Any, from_lon: Any, to_lat: Any, to_lon: Any) -> Any:
    """`cells.haversine` as an Ibis expression over four columns in degrees."""
    lat_a, lat_b = from_lat.radians(), to_lat.radians()
    sin_lat = ((lat_b - lat_a) / 2).sin()
    sin_lon = ((to_lon - from_lon).radians() / 2).sin()
    h = sin_lat * sin_lat + lat_a.cos() * lat_b.cos() * sin_lon * sin_lon
    return h.clip(upper=1.0).sqrt().asin() * (2 * EARTH_RADIUS_M)


def geohash_of(lat: Any, lon: Any) -> Any:
    """The geohash of 7 characters as an Ibis expression over two columns in degrees.

    A character takes three bits of one coordinate and two of the other, by turns.
    """
    lon_index = _index(lon, -180.0, 360.0, 18)
    lat_index = _index(lat, -90.0, 180.0, 17)
    letters = ibis.literal("".join(GEOHASH_ALPHABET[_woven(code)] for code in range(32)))
    cell = None
    lon_left, lat_left = 18, 17
    for place in range(7):
        lon_bits, lat_bits = (3, 2) if place % 2 == 0 else (2, 3)
        lon_left, lat_left = lon_left - lon_bits, lat_left - lat_bits
        lon_part = lon_index // (1 << lon_left) % (1 << lon_bits)
        lat_part = lat_index // (1 << lat_left) % (1 << lat_bits)
        three, two = (lon_part, lat_part) if lon_bits == 3 else (lat_part, lon_part)
        # PostgreSQL counts letters by small whole numbers only.
        letter = letters.substr((three * 4 + two).cast("int32"), 1)
        cell = letter if cell is None else cell + letter
    return cell


def _index(degrees: Any, low: float, span: float, bits: int) -> Any:
    last = (1 << bits) - 1
    return ibis.least((degrees - low) / span * (last + 1), last).floor().cast("int64")


def _woven(code: int) -> int:
    """Three bits and two bits, one after the other, as the five bits that they make by turns."""
    three, two = code >> 2, code & 3
    return (
        (three >> 2 & 1) << 4 | (two >> 1 & 1) << 3 | (three >> 1 & 1) << 2
        | (two & 1) << 1 | three & 1
    )  # fmt: skip


def coarser(cell: Any, precision: int) -> Any:
    """The larger cell around a geohash column: its first `precision` characters."""
    return cell.substr(0, precision)
