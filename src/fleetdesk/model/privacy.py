"""Which groups of riders are too small to be shown, so that nobody is known by a figure."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def too_few(counts: Sequence[int], least: int, already: Collection[int] = ()) -> set[int]:
    """The places in `counts` that may not be shown, of groups that make up a whole; empty ones may.

    Where all that is hidden is still fewer than `least` riders the next smallest group is hidden
    too, so that the whole less what is shown does not tell of them. `already` are hidden anyhow.
    """
    hidden = {*already, *(i for i, count in enumerate(counts) if 0 < count < least)}
    shown = [i for i, count in enumerate(counts) if count > 0 and i not in hidden]
    for group in sorted(shown, key=lambda i: counts[i]):
        if not 0 < sum(counts[i] for i in hidden) < least:
            break
        hidden.add(group)
    return hidden
