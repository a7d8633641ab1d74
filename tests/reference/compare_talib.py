#!/usr/bin/env python3
"""Compares every cached TA-Lib feature with what the TA-Lib C library makes of the cached bars, through its Python package.

    compare_talib.py CACHE_DIR [--source NAME]

Reads `bars-v1/<source>/<stem>.parquet` and `features-v1/<source>/talib@<hash>/<stem>.parquet` for every symbol that has
features, and prints for each of the 58 columns how many values are the same bits and the largest errors of the others.

* `relative` is |value − reference|/|reference|, nothing else.
* `of terms` divides by max(|reference|, 1e-5·terms), where terms is the size of the numbers whose difference the value is
  (the price for MACD, 100 for percentages, the accumulation line for its oscillator). Near a crossing such a difference has
  no digits left in *any* float64 computation, so this is what decides; where a column is no such difference both are the
  same.

One convention is newer in the program's TA-Lib than in C library 0.8.1, and is counted instead: a relative strength is 50,
not 0, as long as no price has changed.

Exit 1 if one is above 1e-9 (`of terms`), if nulls are in other places, if a file holds NaN or infinity, or if raw columns
or dates differ from the bars'.

needs: pip install numpy pyarrow TA-Lib==0.8.2
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import talib

LIMIT = 1e-9
TERMS_SHARE = 1e-5
RAW = ["open", "high", "low", "close", "volume"]
PRICE, PERCENT, LINE, SQUARE = "price", "percent", "line", "square"
# What a column is the difference of, where it is one.
TERMS = {
    "macd": PRICE, "macd_signal": PRICE, "macd_hist": PRICE, "apo": PRICE, "ppo": PERCENT, "trix30": PERCENT, "roc10": PERCENT,
    "cmo14": PERCENT, "stochrsi_k": PERCENT, "stochrsi_d": PERCENT, "stochf_d": PERCENT, "stoch_k": PERCENT, "stoch_d": PERCENT,
    "adosc": LINE, "stddev5": PRICE, "var5": SQUARE, "linearreg_slope14": PRICE, "linearreg_angle14": PERCENT,
    "dx14": PERCENT, "cci14": PERCENT,
}  # fmt: skip


def reference(o, h, l, c, v):
    """The columns of the set, in its order, from the C library."""
    out = {}
    for name, function in (
        ("sma", talib.SMA), ("ema", talib.EMA), ("wma", talib.WMA), ("dema", talib.DEMA), ("tema", talib.TEMA),
        ("trima", talib.TRIMA), ("kama", talib.KAMA), ("t3", talib.T3),
    ):  # fmt: skip
        out[name] = function(c, timeperiod=20)
    out["macd"], out["macd_signal"], out["macd_hist"] = talib.MACD(c)
    out["ppo"], out["apo"] = talib.PPO(c), talib.APO(c)
    out["rsi14"] = talib.RSI(c, 14)
    out["stoch_k"], out["stoch_d"] = talib.STOCH(h, l, c)
    out["stochf_k"], out["stochf_d"] = talib.STOCHF(h, l, c)
    out["stochrsi_k"], out["stochrsi_d"] = talib.STOCHRSI(c)
    out["adx14"], out["adxr14"], out["dx14"] = talib.ADX(h, l, c, 14), talib.ADXR(h, l, c, 14), talib.DX(h, l, c, 14)
    out["plus_di14"], out["minus_di14"] = talib.PLUS_DI(h, l, c, 14), talib.MINUS_DI(h, l, c, 14)
    down, up = talib.AROON(h, l)
    out["aroon_up"], out["aroon_down"], out["aroonosc"] = up, down, talib.AROONOSC(h, l)
    out["cci14"], out["cmo14"], out["mfi14"] = talib.CCI(h, l, c, 14), talib.CMO(c, 14), talib.MFI(h, l, c, v, 14)
    out["mom10"], out["roc10"], out["trix30"] = talib.MOM(c, 10), talib.ROC(c, 10), talib.TRIX(c, 30)
    out["ultosc"], out["willr14"], out["bop"] = talib.ULTOSC(h, l, c), talib.WILLR(h, l, c, 14), talib.BOP(o, h, l, c)
    out["bb_upper"], out["bb_middle"], out["bb_lower"] = talib.BBANDS(c)
    out["sar"] = talib.SAR(h, l)
    out["atr14"], out["natr14"], out["trange"] = talib.ATR(h, l, c, 14), talib.NATR(h, l, c, 14), talib.TRANGE(h, l, c)
    out["ad"], out["adosc"], out["obv"] = talib.AD(h, l, c, v), talib.ADOSC(h, l, c, v), talib.OBV(c, v)
    out["linearreg14"], out["linearreg_slope14"] = talib.LINEARREG(c, 14), talib.LINEARREG_SLOPE(c, 14)
    out["linearreg_angle14"], out["tsf14"] = talib.LINEARREG_ANGLE(c, 14), talib.TSF(c, 14)
    out["stddev5"], out["var5"] = talib.STDDEV(c, 5), talib.VAR(c, 5)
    out["beta5"], out["correl30"] = talib.BETA(h, l, 5), talib.CORREL(h, l, 30)
    out["ht_trendline"], out["ht_dcperiod"] = talib.HT_TRENDLINE(c), talib.HT_DCPERIOD(c)
    # Whole numbers come with zeros where there is no value yet.
    mode = talib.HT_TRENDMODE(c).astype(np.float64)
    mode[:63] = np.nan
    out["ht_trendmode"] = mode
    for values in out.values():
        values[~np.isfinite(values)] = np.nan
    return out


def terms(name, bars, expected):
    kind = TERMS.get(name)
    if kind is None:
        return np.zeros(len(bars["close"]))
    if kind == PERCENT:
        return np.full(len(bars["close"]), 100.0)
    if kind == LINE:
        return np.abs(expected["ad"])
    return np.abs(bars["close"]) ** (2 if kind == SQUARE else 1)


def column(table, name):
    """A column as float64 with NaN for null, and whether it holds a NaN or infinity of its own."""
    values = table.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
    null = table.column(name).is_null().to_numpy(zero_copy_only=False)
    return values, bool((~np.isfinite(values) & ~null).any())


def read(cache, only_source):
    """(label, bars table, features table) of every symbol with features of the set."""
    for folder in sorted(cache.glob("features-v1/*/talib@*")):
        source = folder.parent.name
        if only_source and source != only_source:
            continue
        for path in sorted(folder.glob("*.parquet")):
            bars_path = cache / "bars-v1" / source / path.name
            if not bars_path.exists():
                sys.exit(f"{path} has no bars beside it: {bars_path} is missing")
            # ParquetFile, not read_table: that one would take `a=b` in the folders' names for a column.
            yield f"{source}/{path.stem}", pq.ParquetFile(bars_path).read(), pq.ParquetFile(path).read()


class Worst:
    def __init__(self):
        self.values = self.nulls = self.same = self.newer = self.above = self.misplaced = 0
        self.relative = self.of_terms = 0.0
        self.where = self.first_misplaced = ""


def compare(worst, name, label, values, expected, size, still):
    null = np.isnan(values)
    misplaced = null != np.isnan(expected)
    newer = still & (values == 50) & (expected == 0) if name == "rsi14" else np.zeros(len(values), bool)
    known = ~null & ~misplaced & ~newer
    gap = np.where(known, np.abs(values - expected), 0)
    with np.errstate(all="ignore"):
        relative = np.where(gap == 0, 0, gap / np.abs(expected))
        of_terms = np.where(gap == 0, 0, gap / np.maximum(np.abs(expected), TERMS_SHARE * size))
    worst.values += int(known.sum())
    worst.nulls += int(null.sum())
    worst.same += int((known & (gap == 0)).sum())
    worst.newer += int(newer.sum())
    worst.above += int((relative > LIMIT).sum())
    worst.relative = max(worst.relative, float(relative.max(initial=0)))
    if len(of_terms) and not float(of_terms.max()) <= worst.of_terms:
        worst.of_terms = float(of_terms.max())
        bar = int(of_terms.argmax())
        worst.where = f"{label}[{bar}] {values[bar]!r} for {expected[bar]!r}"
    if misplaced.any():
        worst.misplaced += int(misplaced.sum())
        worst.first_misplaced = worst.first_misplaced or f"{label}[{int(np.argmax(misplaced))}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--source", help="only this source's folder")
    options = parser.parse_args()

    symbols = rows = 0
    problems, worst, names = [], {}, []
    for label, bars_table, table in read(options.cache, options.source):
        time = "date" if "date" in bars_table.column_names else "time"
        bars = {name: column(bars_table, name)[0] for name in RAW}
        expected = reference(*(bars[name] for name in RAW))
        names = list(expected)
        order = [name for name in table.column_names if name in expected]
        if order != names:
            problems.append(f"{label}: columns are {table.column_names}")
            continue
        if not table.column(time).equals(bars_table.column(time)):
            problems.append(f"{label}: {time} differs from the bars'")
        for name in RAW:
            values, odd = column(table, name)
            if odd or not np.array_equal(values, bars[name]):
                problems.append(f"{label}: {name} differs from the bars', or is not finite")
        symbols, rows = symbols + 1, rows + len(table)
        still = np.cumsum(np.abs(np.diff(bars["close"], prepend=bars["close"][:1]))) == 0
        for name in names:
            values, odd = column(table, name)
            if odd:
                problems.append(f"{label}: {name} holds NaN or infinity instead of null")
            compare(worst.setdefault(name, Worst()), name, label, values, expected[name], terms(name, bars, expected), still)
    if not symbols:
        sys.exit(f"no features of the set talib below {options.cache}" + "".join(f"\n{problem}" for problem in problems[:20]))

    print(f"{symbols} symbols, {rows} bars, C library {talib.__ta_version__.decode()}")
    print(f"{'feature':18} {'values':>8} {'nulls':>6} {'same bits':>9} {'relative':>9} {'>1e-9':>6} {'of terms':>9}  where")
    failed = bool(problems)
    for name in names:
        entry = worst[name]
        # Not `> LIMIT`: NaN must not pass.
        bad = not entry.of_terms <= LIMIT or entry.misplaced > 0
        failed |= bad
        note = entry.where
        if entry.misplaced:
            note = f"{entry.misplaced} NULLS IN OTHER PLACES, first {entry.first_misplaced}"
        if entry.newer:
            note += f" ({entry.newer} are 50 before the first change)"
        print(
            f"{name:18} {entry.values:8} {entry.nulls:6} {entry.same / max(1, entry.values):9.2%} {entry.relative:9.1e} "
            f"{entry.above:6} {entry.of_terms:9.1e}  {'FAILED ' if bad else ''}{note}"
        )
    for problem in problems[:20]:
        print(problem)
    if len(problems) > 20:
        print(f"… and {len(problems) - 20} more")
    print("FAILED" if failed else f"all {len(names)} features agree")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
