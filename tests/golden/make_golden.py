#!/usr/bin/env python3
"""Makes the golden files beside it: synthetic bars and their 45 classic features, from the definitions, exactly rounded.

Nothing of the program takes part. The values come from `tests/reference/classic_reference.py`; before they are written
they are checked against that module's other implementation and, where conventions agree, against TA-Lib.

needs: pip install numpy pandas TA-Lib==0.8.2 pyarrow
run:   python tests/golden/make_golden.py
"""

import csv
import math
import random
import sys
from pathlib import Path

import numpy as np
import talib

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "reference"))
from classic_reference import NAMES, RAW, classic_exact, classic_matrix  # noqa: E402


def walk(seed, count, start, step, digits, volume=1_000_000, drift=0.0, relative=True):
    """A random walk of bars, rounded as prices are."""
    source = random.Random(seed)
    bars = {name: [] for name in RAW}
    close = start
    for _ in range(count):
        size = abs(close) * step if relative else step
        opening = round(close + source.gauss(0, size / 2), digits)
        close = round(opening + source.gauss(drift, size), digits)
        bars["open"].append(opening)
        bars["close"].append(close)
        bars["high"].append(round(max(opening, close) + abs(source.gauss(0, size / 2)), digits))
        bars["low"].append(round(min(opening, close) - abs(source.gauss(0, size / 2)), digits))
        bars["volume"].append(float(round(volume * math.exp(source.gauss(0, 0.5)))))
    return bars


def series():
    ordinary = walk(1, 400, 100.0, 0.015, 2)
    source = random.Random(2)
    ordinary["turnover"] = [None if i % 37 == 5 else round(source.uniform(0.1, 9.0), 4) for i in range(400)]
    yield "ordinary", ordinary
    yield "flat", {"open": [7.1] * 90, "high": [7.1] * 90, "low": [7.1] * 90, "close": [7.1] * 90, "volume": [300.0] * 90}
    # Suspended in the middle: prices stand still and nothing is traded.
    suspended = walk(3, 120, 33.3, 0.02, 2, volume=5_000)
    for i in range(40, 85):
        for name in ("open", "high", "low", "close"):
            suspended[name][i] = suspended["close"][39]
        suspended["volume"][i] = 0.0
    for i in (3, 4, 100, 118):
        suspended["volume"][i] = 0.0
    yield "zero_volume", suspended
    yield "penny", walk(4, 120, 0.02, 0.08, 4, volume=90_000_000)
    yield "high_price_tiny_moves", walk(5, 120, 1e4, 1e-7, 5)
    yield "one_bar", walk(6, 1, 50.0, 0.02, 2)
    yield "five_bars", walk(7, 5, 50.0, 0.02, 2)
    # Through zero and below it, as crude oil on 20 April 2020; zero itself comes up as close and as previous close.
    negative = walk(8, 120, 3.0, 1.0, 2, relative=False)
    negative["close"][30] = negative["low"][30] = 0.0
    negative["high"][30] = max(negative["high"][30], 0.0)
    negative["close"][75] = 0.0
    yield "negative", negative
    # Bars whose high is below their low or their close: kept, and computed by the definitions as they stand.
    broken = walk(9, 60, 20.0, 0.02, 2)
    for i in (5, 22, 40):
        broken["high"][i], broken["low"][i] = broken["low"][i], broken["high"][i]
    yield "broken_range", broken


def check(name, bars, exact):
    """Against the other implementation, and against TA-Lib where it means the same."""
    one = {key: np.array([bars[key]], np.longdouble) for key in RAW}
    if "turnover" in bars:
        one["turnover"] = np.array([[np.nan if x is None else x for x in bars["turnover"]]], np.longdouble)
    other = classic_matrix(one)
    talib_values = {}
    if len(bars["close"]) > 1:
        o, h, l, c, v = (np.array(bars[key]) for key in RAW)
        talib_values = {f"ma{count}": talib.SMA(c, count) for count in (5, 10, 20, 30, 60)}
        talib_values["boll_upper"], talib_values["boll_mid"], talib_values["boll_lower"] = talib.BBANDS(c, 20)
        talib_values |= {"obv": talib.OBV(c, v), "mom10": talib.MOM(c, 10)}
        if name not in ("negative", "broken_range"):
            talib_values |= {f"roc{count}": talib.ROC(c, count) for count in (5, 10, 20)}
            talib_values |= {"atr14": talib.ATR(h, l, c, 14), "cci14": talib.CCI(h, l, c, 14)}
    worst = 0.0
    for feature in NAMES:
        values = np.array([np.nan if x is None else x for x in exact[feature]])
        for other_name, others in (("matrix", other[feature][0]), ("TA-Lib", talib_values.get(feature))):
            if others is None:
                continue
            assert (np.isnan(values) == np.isnan(others)).all(), (name, feature, other_name, "nulls")
            known = ~np.isnan(values)
            size = np.abs(np.array(bars["close"])[known]).max(initial=1.0)
            gap = np.abs(values - others)[known] / np.maximum(np.abs(values[known]), 1e-5 * size)
            # TA-Lib's own arithmetic is float64 with running sums: prices of 10,000 that move by a thousandth cost it digits.
            limit = 1e-9 if other_name == "matrix" or name != "high_price_tiny_moves" else 1e-2
            assert gap.max(initial=0.0) < limit, (name, feature, other_name, float(gap.max()))
            if other_name == "matrix":
                worst = max(worst, float(gap.max(initial=0.0)))
    print(f"{name:24} {len(bars['close']):4} bars, largest distance of the two references {worst:.1e}")


def main():
    for name, bars in series():
        exact = classic_exact(bars)
        check(name, bars, exact)
        raw = RAW + (["turnover"] if "turnover" in bars else [])
        with open(HERE / f"classic_{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(raw + NAMES)
            columns = [bars[key] for key in raw] + [exact[key] for key in NAMES]
            writer.writerows(["" if x is None else repr(float(x)) for x in row] for row in zip(*columns))


if __name__ == "__main__":
    main()
