#!/usr/bin/env python3
"""Computes Alpha158 with Qlib over bars of a Parquet file, and leaves beside it what Samovar has to compute from.

    run_qlib.py BARS.parquet FOLDER [--most N] [--symbols A,B,…] [--kernels N]

BARS has the columns symbol, date, open, high, low, close, volume. FOLDER gets

* `bars.parquet`: the same bars, each value rounded to float32 as Qlib stores it, and a date counted from 2000-01-03 on,
* `store/`: the same as a Qlib data folder,
* `qlib.parquet`: symbol, row, and the 158 factors as Qlib gives them, unnormalised, without caches.

needs: pip install pyqlib==0.9.7 "numpy<2" polars pyarrow
"""

import argparse
import time
from pathlib import Path

import numpy as np
import polars as pl
from qlib_store import RAW, alpha158, read_bars, write_store


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bars", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, help="only the first so many symbols")
    parser.add_argument("--symbols", type=lambda text: text.split(","), help="only these symbols")
    parser.add_argument("--kernels", type=int, default=1, help="processes Qlib may use")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    market = read_bars(options.bars, options.symbols, options.most)
    days = np.datetime64("2000-01-03") + np.arange(max(len(bars["close"]) for bars in market.values()))
    frames = [
        pl.DataFrame({"symbol": [symbol] * len(bars["close"]), "date": days[: len(bars["close"])], **{name: bars[name] for name in RAW}})
        for symbol, bars in market.items()
    ]
    pl.concat(frames).write_parquet(options.folder / "bars.parquet")
    write_store(options.folder / "store", market)
    started = time.perf_counter()
    names, frame = alpha158(options.folder / "store", options.kernels)
    seconds = time.perf_counter() - started
    frame = frame.reset_index()
    row = (frame["datetime"].to_numpy().astype("datetime64[D]") - days[0]).astype(np.int64)
    columns = {"symbol": frame["instrument"].to_list(), "row": row, **{name: frame[name].to_numpy() for name in names}}
    pl.DataFrame(columns).write_parquet(options.folder / "qlib.parquet")
    print(f"{len(market)} symbols, {len(frame)} bars, {len(names)} factors: {seconds:.1f} s with {options.kernels} process(es)")


if __name__ == "__main__":
    main()
