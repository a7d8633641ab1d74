#!/usr/bin/env python3
"""Times the columns of `classic` in TA-Lib on one core, or in polars expressions on all cores, and prints JSON.

    classic_peer.py BARS.parquet talib|polars [--repetitions 1] [--most N]

BARS has the columns symbol, date, open, high, low, close, volume. Timed is computing alone: the bars are in memory before. All 45
columns are made by whatever each library does fastest; where its conventions differ from `classic` (seeds, for the most part) its own
are taken, since this measures speed. polars is asked in two ways, symbol by symbol and over the whole table at once, and the faster
one counts.

needs: pip install numpy polars TA-Lib==0.8.2
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import polars as pl


def with_talib(o, h, l, c, v, empty):
    import talib as ta

    before = np.empty_like(c)
    before[0], before[1:] = np.nan, c[:-1]
    columns = [ta.SMA(c, n) for n in (5, 10, 20, 30, 60)]
    columns += [ta.EMA(c, n) for n in (7, 12, 25, 26)]
    dif, dea, histogram = ta.MACD(c, 12, 26, 9)
    columns += [dif, dea, 2 * histogram]
    columns += [ta.RSI(c, n) for n in (6, 12, 14, 24)]
    upper, middle, lower = ta.BBANDS(c, 20)
    band = upper - lower
    columns += [middle, upper, lower, band / middle, (c - lower) / band]
    # An exponential average over 5 weighs a third, as KDJ does; TA-Lib's own KDJ gives the same and takes twice as long.
    k, d = ta.STOCH(h, l, c, fastk_period=9, slowk_period=5, slowk_matype=1, slowd_period=5, slowd_matype=1)
    columns += [k, d, 3 * k - 2 * d]
    columns += [ta.ATR(h, l, c, 14), ta.CCI(h, l, c, 14), -ta.WILLR(h, l, c, 14), ta.OBV(c, v), ta.MOM(c, 10)]
    columns += [ta.ROC(c, n) for n in (5, 10, 20)]
    change = ta.ROC(c, 1)
    columns += [change, np.log(c / before), 100 * (h - l) / before, 100 * (o / before - 1)]
    # TA-Lib has the deviation of a population: the sample's is √(20/19) times that.
    columns += [ta.STDDEV(change, 20) * np.sqrt(20 / 19)]
    volume5 = ta.SMA(v, 5)
    columns += [volume5, ta.SMA(v, 10)]
    previous5 = np.empty_like(volume5)
    previous5[0], previous5[1:] = np.nan, volume5[:-1]
    columns += [v / previous5, v / ta.SMA(v, 20), ta.ROC(v, 1), empty]
    columns += [100 * (c / ta.SMA(c, 6) - 1), 100 / 12 * ta.SUM((c > before) * 1.0, 12)]
    return columns


def expressions():
    o, h, l, c, v = (pl.col(name) for name in ("open", "high", "low", "close", "volume"))
    before, change = c.shift(1), c.diff()
    average = lambda x, alpha: x.ewm_mean(alpha=alpha, adjust=False)  # noqa: E731
    columns = {f"ma{n}": c.rolling_mean(n) for n in (5, 10, 20, 30, 60)}
    columns |= {f"ema{n}": average(c, 2 / (n + 1)) for n in (7, 12, 25, 26)}
    dif = average(c, 2 / 13) - average(c, 2 / 27)
    dea = average(dif, 2 / 10)
    columns |= {"macd_dif": dif, "macd_dea": dea, "macd_hist": 2 * (dif - dea)}
    columns |= {f"rsi{n}": 100 * average(change.clip(lower_bound=0), 1 / n) / average(change.abs(), 1 / n) for n in (6, 12, 14, 24)}
    middle, deviation = c.rolling_mean(20), c.rolling_std(20, ddof=0)
    upper, lower = middle + 2 * deviation, middle - 2 * deviation
    columns |= {"boll_mid": middle, "boll_upper": upper, "boll_lower": lower}
    columns |= {"boll_width": 4 * deviation / middle, "boll_pct_b": (c - lower) / (4 * deviation)}
    lowest, highest = l.rolling_min(9), h.rolling_max(9)
    k = average(100 * (c - lowest) / (highest - lowest), 1 / 3)
    d = average(k, 1 / 3)
    columns |= {"kdj_k": k, "kdj_d": d, "kdj_j": 3 * k - 2 * d}
    columns["atr14"] = average(pl.max_horizontal(h, before) - pl.min_horizontal(l, before), 1 / 14)
    typical = (h + l + c) / 3
    # polars has no rolling mean of absolute deviations but through Python; the standard deviation stands in, to its advantage.
    columns["cci14"] = (typical - typical.rolling_mean(14)) / (0.015 * typical.rolling_std(14))
    columns["wr14"] = 100 * (h.rolling_max(14) - c) / (h.rolling_max(14) - l.rolling_min(14))
    columns["obv"] = (change.sign().fill_null(1) * v).cum_sum()
    columns["mom10"] = c - c.shift(10)
    columns |= {f"roc{n}": 100 * (c / c.shift(n) - 1) for n in (5, 10, 20)}
    percent = 100 * (c / before - 1)
    columns |= {"pct_change": percent, "log_return": (c / before).log()}
    columns |= {"amplitude": 100 * (h - l) / before, "gap": 100 * (o / before - 1)}
    columns["volatility20"] = percent.rolling_std(20)
    columns |= {f"volume_ma{n}": v.rolling_mean(n) for n in (5, 10)}
    columns["volume_ratio5"] = v / v.rolling_mean(5).shift(1)
    columns["volume_ratio20"] = v / v.rolling_mean(20)
    columns["volume_change"] = 100 * (v / v.shift(1) - 1)
    columns["turnover_rate"] = pl.lit(None, pl.Float64)
    columns["bias6"] = 100 * (c / c.rolling_mean(6) - 1)
    columns["psy12"] = 100 / 12 * (c > before).cast(pl.Float64).rolling_sum(12)
    return [expression.alias(name) for name, expression in columns.items()]


def timed(repetitions, work):
    seconds = []
    for _ in range(repetitions):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bars", type=Path)
    parser.add_argument("side", choices=["talib", "polars"])
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--most", type=int, help="only the first so many symbols")
    options = parser.parse_args()
    raw = ["open", "high", "low", "close", "volume"]
    table = pl.read_parquet(options.bars).sort("symbol", "date").select("symbol", *(pl.col(name).cast(pl.Float64) for name in raw))
    parts = list(table.partition_by("symbol", maintain_order=True))[: options.most]
    rows = sum(map(len, parts))
    result = {"side": options.side, "task": "classic", "symbols": len(parts), "rows": rows, "columns": 45}
    if options.side == "talib":
        import talib

        arrays = [[np.ascontiguousarray(part[name].to_numpy()) for name in raw] for part in parts]
        arrays = [(*columns, np.full(len(columns[0]), np.nan)) for columns in arrays]
        with np.errstate(all="ignore"):
            assert len(with_talib(*arrays[0])) == 45

            def work():
                for columns in arrays:
                    with_talib(*columns)

            timed(1, work)
            result |= {"threads": 1, "seconds": timed(options.repetitions, work), "versions": {"talib": talib.__version__}}
    else:
        wanted, whole = expressions(), pl.concat(parts)
        assert len(wanted) == 45
        ways = {
            "symbol by symbol": lambda: [part.select(wanted) for part in parts],
            "over the table": lambda: whole.lazy().select([expression.over("symbol") for expression in wanted]).collect(),
        }
        by_way = {}
        for way, work in ways.items():
            timed(1, work)
            by_way[way] = timed(options.repetitions, work)
        way = min(by_way, key=lambda name: min(by_way[name]))
        result |= {"threads": pl.thread_pool_size(), "settings": {"way": way, "all": by_way}, "seconds": by_way[way]}
        result["versions"] = {"polars": pl.__version__}
    result["rows_per_second"] = rows / min(result["seconds"])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
