"""A .pmtiles file whose every tile is one colour of land: vector tiles written by hand."""

from __future__ import annotations

import gzip
from pathlib import Path

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

ZOOM = 2
EARTH = [(0, 0), (4096, 0), (4096, 4096), (0, 4096)]


def city_map(path: Path, kind: TileType = TileType.MVT) -> Path:
    """The whole world as earth, at zoom 0 to 2."""
    with path.open("wb") as file:
        writer = Writer(file)
        at = [(z, x, y) for z in range(ZOOM + 1) for x in range(2**z) for y in range(2**z)]
        for tile in sorted(zxy_to_tileid(*one) for one in at):
            # Packed differently, for the writer tells the zooms by the last tile that differs.
            writer.write_tile(tile, gzip.compress(earth(), mtime=tile))
        writer.finalize(
            {
                "tile_type": kind, "tile_compression": Compression.GZIP,
                "min_zoom": 0, "max_zoom": ZOOM, "center_zoom": 0,
                "min_lon_e7": -1800000000, "max_lon_e7": 1800000000,
                "min_lat_e7": -850000000, "max_lat_e7": 850000000,
                "center_lon_e7": 0, "center_lat_e7": 0,
            },
            {},
        )  # fmt: skip
    return path


def earth() -> bytes:
    """A vector tile (Mapbox Vector Tile 2.1) of one layer `earth` with one square over all."""
    steps, at = [9], (0, 0)  # move to, once
    for number, (x, y) in enumerate(EARTH):
        if number == 1:
            steps.append(2 | (len(EARTH) - 1) << 3)  # lines to the others
        steps += [_zigzag(x - at[0]), _zigzag(y - at[1])]
        at = (x, y)
    steps.append(15)  # close
    feature = _field(2, _packed([0, 0])) + _number(3, 3) + _field(4, _packed(steps))
    layer = _field(1, b"earth") + _field(2, feature) + _field(3, b"kind")
    layer += _field(4, _field(1, b"earth")) + _number(5, 4096) + _number(15, 2)
    return _field(3, layer)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _packed(values: list[int]) -> bytes:
    return b"".join(map(_varint, values))


def _zigzag(value: int) -> int:
    return value << 1 ^ value >> 31


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
