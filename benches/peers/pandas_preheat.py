#!/usr/bin/env python3
"""Preheats with what many use today: pandas and SQLAlchemy, a query, the columns of `classic` and two Parquet files per symbol.

    pandas_preheat.py mysql+pymysql://USER@HOST:PORT/DATABASE TABLE SYMBOLS.txt FOLDER

SYMBOLS.txt has a symbol a line. Prints JSON: rows, and seconds from the first query to the last file. Nothing is made durable: to_parquet
leaves that to the system, to this side's advantage. Conventions are those of `classic`, except for seeds that pandas does not offer.

needs: pip install pandas sqlalchemy pymysql pyarrow
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import create_engine, text


def smoothed(values, share, start):
    """y = y' + share · (x − y'), from `start` on; a loop, since pandas cannot be given a seed."""
    made, last = np.empty(len(values)), start
    for place, value in enumerate(values):
        last = value if np.isnan(last) else last + share * (value - last) if not np.isnan(value) else last
        made[place] = last
    return made


def classic(bars):
    o, h, l, c = bars["open"], bars["high"], bars["low"], bars["close"]
    v = bars["volume"].astype("float64")
    before, change = c.shift(1), c.diff()
    made = {f"ma{n}": c.rolling(n).mean() for n in (5, 10, 20, 30, 60)}
    made |= {f"ema{n}": c.ewm(span=n, adjust=False).mean() for n in (7, 12, 25, 26)}
    made["macd_dif"] = made["ema12"] - made["ema26"]
    made["macd_dea"] = made["macd_dif"].ewm(span=9, adjust=False).mean()
    made["macd_hist"] = 2 * (made["macd_dif"] - made["macd_dea"])
    gains, moves = change.clip(lower=0), change.abs()
    for n in (6, 12, 14, 24):
        average = lambda x: x.ewm(alpha=1 / n, adjust=False).mean()  # noqa: B023, E731
        made[f"rsi{n}"] = 100 * average(gains) / average(moves)
    deviation = c.rolling(20).std(ddof=0)
    made["boll_mid"] = made["ma20"]
    made["boll_upper"], made["boll_lower"] = made["ma20"] + 2 * deviation, made["ma20"] - 2 * deviation
    made["boll_width"], made["boll_pct_b"] = 4 * deviation / made["ma20"], (c - made["boll_lower"]) / (4 * deviation)
    lowest, highest = l.rolling(9).min(), h.rolling(9).max()
    raw = (100 * (c - lowest) / (highest - lowest)).to_numpy()
    k = smoothed(raw, 1 / 3, 50.0)
    d = smoothed(k, 1 / 3, 50.0)
    made |= {"kdj_k": k, "kdj_d": d, "kdj_j": 3 * k - 2 * d}
    true_range = np.maximum(h, before) - np.minimum(l, before)
    made["atr14"] = smoothed(true_range.to_numpy(), 1 / 14, np.nan)
    typical = (h + l + c) / 3
    scatter = typical.rolling(14).apply(lambda window: np.abs(window - window.mean()).mean(), raw=True)
    made["cci14"] = (typical - typical.rolling(14).mean()) / (0.015 * scatter)
    top = h.rolling(14).max()
    made["wr14"] = 100 * (top - c) / (top - l.rolling(14).min())
    made["obv"] = (np.sign(change).fillna(1) * v).cumsum()
    made["mom10"] = c - c.shift(10)
    made |= {f"roc{n}": 100 * (c / c.shift(n) - 1) for n in (5, 10, 20)}
    made["pct_change"] = 100 * (c / before - 1)
    made |= {"log_return": np.log(c / before), "amplitude": 100 * (h - l) / before, "gap": 100 * (o / before - 1)}
    made["volatility20"] = made["pct_change"].rolling(20).std()
    made |= {f"volume_ma{n}": v.rolling(n).mean() for n in (5, 10)}
    made["volume_ratio5"], made["volume_ratio20"] = v / made["volume_ma5"].shift(1), v / v.rolling(20).mean()
    made["volume_change"] = 100 * (v / v.shift(1) - 1)
    made["turnover_rate"] = np.nan
    made["bias6"] = 100 * (c / c.rolling(6).mean() - 1)
    made["psy12"] = 100 / 12 * (c > before).astype("float64").rolling(12).sum()
    assert len(made) == 45
    return pd.concat([bars, pd.DataFrame(made, index=bars.index)], axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("table")
    parser.add_argument("symbols", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    symbols = options.symbols.read_text().split()
    for name in ("bars", "features"):
        (options.folder / name).mkdir(parents=True, exist_ok=True)
    rows, started = 0, time.perf_counter()
    query = text(f"SELECT trade_date, open, high, low, close, volume FROM {options.table} WHERE symbol = :symbol ORDER BY trade_date")
    with create_engine(options.url).connect() as connection:
        for symbol in symbols:
            bars = pd.read_sql(query, connection, params={"symbol": symbol})
            rows += len(bars)
            bars.to_parquet(options.folder / "bars" / f"{symbol}.parquet")
            classic(bars).to_parquet(options.folder / "features" / f"{symbol}.parquet")
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
