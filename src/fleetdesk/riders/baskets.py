"""Which services go together: frequent sets, and rules that chance does not explain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

_LARGEST = 5
_TINY = 1e-12  # equal shares, divided out of unlike counts, may differ by less


@dataclass(frozen=True)
class Baskets:
    """Frequent `sets` (support, items, closed) and `rules` in order of lift.

    Rules have if_items, then_item, support, confidence, lift, leverage, p_value (Fisher, one-sided)
    and q_value (Benjamini and Hochberg over all rules tried). One that is no surer than a rule that
    asks for less is left out, and `closed` marks the sets that no larger set is as frequent as.
    """

    sets: pd.DataFrame
    rules: pd.DataFrame
    baskets: int


def find_rules(
    pairs: pd.DataFrame, *, min_support: float, min_confidence: float, most_q: float
) -> Baskets:
    """Frequent item sets by FP-growth (Han et al., 2000) and the rules they give.

    `pairs` has basket and item, repeats do not matter; `min_support` and `min_confidence` are
    shares, rules with a false discovery rate above `most_q` are left out. Empty in, empty out.
    """
    from mlxtend.frequent_patterns import fpgrowth

    if pairs.empty:
        return Baskets(_no_sets(), _no_rules(), 0)
    baskets, basket_names = pd.factorize(pairs["basket"])
    items, item_names = pd.factorize(pairs["item"], sort=True)
    table = np.zeros((len(basket_names), len(item_names)), dtype=bool)
    table[baskets, items] = True
    frame = pd.DataFrame(table, columns=list(item_names))
    sets = fpgrowth(frame, min_support=min_support, use_colnames=True, max_len=_LARGEST)
    sets = pd.DataFrame(
        {
            "items": [tuple(sorted(one)) for one in sets["itemsets"]],
            "support": sets["support"].to_numpy(float),
        }
    )
    sets = sets.sort_values(["support", "items"], ascending=[False, True], ignore_index=True)
    rules = _rules(sets, len(frame))
    rules = rules.assign(q_value=_false_discovery(rules["p_value"].to_numpy(float)))
    kept = rules[(rules["confidence"] >= min_confidence) & (rules["q_value"] <= most_q)]
    kept = kept[~_asks_for_more(kept, rules)]
    kept = kept.sort_values(["lift", "if_items"], ascending=[False, True], ignore_index=True)
    return Baskets(sets.assign(closed=_closed(sets)), kept, len(frame))


def _rules(sets: pd.DataFrame, size: int) -> pd.DataFrame:
    support = dict(zip(sets["items"], sets["support"], strict=True))
    rows = []
    for items, both in support.items():
        for then in items if len(items) > 1 else ():
            given = tuple(item for item in items if item != then)
            have, alone = support[given], support[(then,)]
            rows.append(
                (given, then, both, both / have, both / (have * alone), both - have * alone,
                 _fisher(both, have, alone, size))
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(_no_rules().columns[:-1]))


def _asks_for_more(kept: pd.DataFrame, rules: pd.DataFrame) -> np.ndarray:
    """Whether a rule with fewer of its conditions is as sure (Bayardo et al., 2000)."""
    sure = {
        (frozenset(given), then): confidence
        for given, then, confidence in zip(
            rules["if_items"], rules["then_item"], rules["confidence"], strict=True
        )
    }
    found = []
    for given, then, confidence in zip(
        kept["if_items"], kept["then_item"], kept["confidence"], strict=True
    ):
        fewer = (
            frozenset(part) for size in range(1, len(given)) for part in combinations(given, size)
        )
        found.append(any(sure.get((part, then), 0.0) >= confidence - _TINY for part in fewer))
    return np.array(found, dtype=bool)


def _closed(sets: pd.DataFrame) -> list[bool]:
    by_support: dict[float, list[frozenset[str]]] = {}
    for items, support in zip(sets["items"], sets["support"], strict=True):
        by_support.setdefault(support, []).append(frozenset(items))
    return [
        not any(frozenset(items) < other for other in by_support[support])
        for items, support in zip(sets["items"], sets["support"], strict=True)
    ]


def _fisher(both: float, have: float, alone: float, size: int) -> float:
    """The chance of so many together, were the two independent (hypergeometric tail)."""
    n_both, n_have, n_alone = (round(share * size) for share in (both, have, alone))
    return float(stats.hypergeom.sf(n_both - 1, size, n_have, n_alone))


def _false_discovery(p: Iterable[float]) -> np.ndarray:
    values = np.asarray(list(p))
    return stats.false_discovery_control(values) if values.size else values


def _no_sets() -> pd.DataFrame:
    kinds = {"items": object, "support": float, "closed": bool}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _no_rules() -> pd.DataFrame:
    words = {name: pd.Series(dtype=object) for name in ("if_items", "then_item")}
    figures = ("support", "confidence", "lift", "leverage", "p_value", "q_value")
    return pd.DataFrame(words | {name: pd.Series(dtype=float) for name in figures})
