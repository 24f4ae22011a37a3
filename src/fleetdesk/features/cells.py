"""Cells and distances: geohash in numpy for the door, haversine in numpy and as an expression."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import numpy.typing as npt

from fleetdesk.model.places import EARTH_RADIUS_M, GEOHASH_ALPHABET

Floats = npt.NDArray[np.float64]


def geohash_many(lat: npt.ArrayLike, lon: npt.ArrayLike, precision: int) -> npt.NDArray[Any]:
    """Geohashes of many points, equal to `model.places.geohash` of each.

    Takes degrees of one shape (1-D), `precision` 1 to 12; returns an array of `precision`-character
    strings (dtype `<U{precision}`). A point with a missing coordinate gets "".
    """
    lats = np.asarray(lat, dtype=np.float64).ravel()
    lons = np.asarray(lon, dtype=np.float64).ravel()
    if lats.shape != lons.shape:
        raise ValueError(f"{lats.size} latitudes but {lons.size} longitudes")
    bits = 5 * precision
    lon_bits, lat_bits = (bits + 1) // 2, bits // 2
    known = np.isfinite(lats) & np.isfinite(lons)
    lon_index = _bins(np.where(known, lons, 0.0), -180.0, 360.0, lon_bits)
    lat_index = _bins(np.where(known, lats, 0.0), -90.0, 180.0, lat_bits)
    # Longitude comes first from the top; counted from the bottom it sits on the odd places when
    # the number of bits is even, and on the even places when it is odd.
    lon_shift = 1 - bits % 2
    code = (_spread(lon_index) << np.uint64(lon_shift)) | (
        _spread(lat_index) << np.uint64(1 - lon_shift)
    )
    letters = np.frombuffer(GEOHASH_ALPHABET.encode("ascii"), dtype=np.uint8)
    shifts = np.arange(precision - 1, -1, -1, dtype=np.uint64) * np.uint64(5)
    # numpy strings are UTF-32: writing code points and viewing them avoids a Python loop.
    points = letters[(code[:, None] >> shifts[None, :]) & np.uint64(31)].astype(np.uint32)
    points[~known] = 0
    return np.asarray(points.view(f"<U{precision}").ravel())


def haversine(
    from_lat: npt.ArrayLike, from_lon: npt.ArrayLike, to_lat: npt.ArrayLike, to_lon: npt.ArrayLike
) -> Floats:
    """Great-circle metres between points in degrees, on the sphere of mean radius."""
    lat_a, lat_b = np.radians(from_lat), np.radians(to_lat)
    half_lat = (lat_b - lat_a) / 2
    half_lon = np.radians(np.asarray(to_lon, dtype=np.float64) - np.asarray(from_lon)) / 2
    h = np.sin(half_lat) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin(half_lon) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(h, 1.0))))


def haversine_m(from_lat: Any, from_lon: Any, to_lat: Any, to_lon: Any) -> Any:
    """The same distance as an Ibis expression over four columns in degrees."""
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


def _bins(value: Floats, low: float, span: float, bits: int) -> npt.NDArray[np.uint64]:
    count = 1 << bits
    index = ((value - low) / span * count).astype(np.int64)
    return np.clip(index, 0, count - 1).astype(np.uint64)


def _spread(index: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Put a zero between every two of the 32 lower bits (Morton order, by halving blocks)."""
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        index = (index | (index << np.uint64(shift))) & np.uint64(mask)
    return index
