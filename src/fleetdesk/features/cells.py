"""Cells and distances in numpy; as expressions they are in `cell_expressions`."""

from __future__ import annotations

from typing import Any

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
