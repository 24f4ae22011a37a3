"""How well riders are grouped, foretold, followed, valued and served, on public and made-up data.

Prints one JSON line per figure. `--data` names the folder that holds `customers` and `battery`;
without it only what needs none is measured. Each module `_riders_*.py` beside this one is a part,
with `figures(data, seed)`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

Figures = Callable[[Path, int], Iterator[dict[str, Any]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder with public data")
    parser.add_argument("--only", action="append", default=[], choices=names(), metavar="PART",
                        help=f"of {', '.join(names())}; may be repeated")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="riders-") as nothing:
        data = chosen.data or Path(nothing)
        for name in chosen.only or names():
            figures: Figures = import_module(f"_riders_{name}").figures
            for figure in figures(data, chosen.seed):
                print(json.dumps({"part": name} | figure), flush=True)


def names() -> list[str]:
    """The parts beside this file."""
    found = Path(__file__).parent.glob("_riders_*.py")
    return sorted(path.stem.removeprefix("_riders_") for path in found)


if __name__ == "__main__":
    main()
