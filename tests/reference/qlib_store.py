"""Bars as Qlib stores them, and Alpha158 as Qlib computes it from there.

Nothing of the program takes part. Qlib keeps every number as a float32 and has one calendar for all symbols. Both would make two
programs compute from different inputs, so:

* bars are rounded to float32 first, and whoever compares gets the rounded bars (`rounded`), as float64;
* a symbol's bar i stands at day i of a calendar that is only counted, so that a symbol that misses days has no empty rows in Qlib
  which it does not have elsewhere.

`vwap` is amount/volume where there is an amount (nothing where the volume is 0), else (high + low + close)/3, in float64 from the
rounded bars, then rounded itself, because Qlib cannot hold it otherwise.

needs: pip install pyqlib==0.9.7 "numpy<2" polars
"""

from pathlib import Path

import numpy as np

RAW = ["open", "high", "low", "close", "volume"]


def rounded(bars):
    """The bars of one symbol (a dict of columns), each value the nearest float32, as float64."""
    return {name: np.asarray(bars[name], np.float64).astype(np.float32).astype(np.float64) for name in bars}


def vwap(bars):
    """What `$vwap` is for these bars."""
    if "amount" in bars:
        with np.errstate(all="ignore"):
            value = bars["amount"] / bars["volume"]
        return np.where(np.isfinite(value), value, np.nan)
    return (bars["high"] + bars["low"] + bars["close"]) / 3


def read_bars(path, symbols=None, most=None):
    """{symbol: rounded bars} of a Parquet file with columns symbol, date, open, high, low, close, volume (perhaps amount)."""
    import polars as pl

    frame = pl.read_parquet(path).sort("symbol", "date")
    if symbols:
        frame = frame.filter(pl.col("symbol").is_in(list(symbols)))
    columns = RAW + (["amount"] if "amount" in frame.columns else [])
    parts = frame.partition_by("symbol", as_dict=True, maintain_order=True)
    return {
        symbol: rounded({name: part[name].cast(pl.Float64).to_numpy() for name in columns})
        for (symbol,), part in list(parts.items())[:most]
    }


def write_store(folder, market):
    """Writes {symbol: bars} as a Qlib data folder."""
    folder = Path(folder)
    days = max(len(bars["close"]) for bars in market.values())
    calendar = np.datetime64("2000-01-03") + np.arange(days)
    for name in ("calendars", "instruments", "features"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "calendars" / "day.txt").write_text("".join(f"{day}\n" for day in calendar), encoding="utf-8")
    lines = [f"{symbol}\t{calendar[0]}\t{calendar[len(bars['close']) - 1]}\n" for symbol, bars in market.items()]
    (folder / "instruments" / "all.txt").write_text("".join(lines), encoding="utf-8")
    for symbol, bars in market.items():
        place = folder / "features" / symbol.lower()
        place.mkdir(exist_ok=True)
        for name, values in {**{name: bars[name] for name in RAW}, "vwap": vwap(bars)}.items():
            # The first number says at which day of the calendar the values start.
            np.concatenate([[0], values]).astype("<f4").tofile(place / f"{name}.day.bin")


def alpha158(folder, kernels=1, pick=None, **settings):
    """(names, a frame indexed by instrument and day) of Qlib's Alpha158, unnormalised and without any cache."""
    import logging

    import qlib
    from qlib.contrib.data.loader import Alpha158DL
    from qlib.data import D

    options = {"expression_cache": None, "dataset_cache": None, "logging_level": logging.WARNING, **settings}
    qlib.init(provider_uri=str(folder), region="us", kernels=kernels, **options)
    fields, names = Alpha158DL.get_feature_config()
    if pick:
        chosen = [(field, name) for field, name in zip(fields, names) if name in pick]
        fields, names = [field for field, _ in chosen], [name for _, name in chosen]
    frame = D.features(D.instruments("all"), fields)
    frame.columns = names
    return names, frame
