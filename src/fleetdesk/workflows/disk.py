"""How much room files take on the disk, names for one and the same file counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size_of(*paths: Path) -> int:
    """Bytes in the files at and below the paths."""
    return sum({key: size for key, size, _ in _files(paths)}.values())


def freed_by(paths: Iterable[Path]) -> int:
    """Bytes that removing the paths gives back: a file with another name elsewhere stays."""
    names: Counter[tuple[int, int]] = Counter()
    about: dict[tuple[int, int], tuple[int, int]] = {}
    for key, size, links in _files(paths):
        names[key] += 1
        about[key] = size, links
    return sum(size for key, (size, links) in about.items() if names[key] >= links)


def in_words(size: float) -> str:
    """`1.4 MB`."""
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{size:.0f} bytes"


def _files(paths: Iterable[Path]) -> Iterator[tuple[tuple[int, int], int, int]]:
    for path in paths:
        for file in path.rglob("*") if path.is_dir() else [path]:
            try:
                about = file.stat(follow_symlinks=False)
            except FileNotFoundError:  # somebody else removes things meanwhile
                continue
            if not file.is_dir():
                yield (about.st_dev, about.st_ino), about.st_size, about.st_nlink
