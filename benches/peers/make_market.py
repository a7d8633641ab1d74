#!/usr/bin/env python3
"""Writes a market of invented daily bars, the same for the same numbers.

    make_market.py OUT.parquet [--symbols 800] [--bars 3200] [--seed 1]

Columns: symbol, date, open, high, low, close, volume. Prices and volumes are float32 numbers, which is all that Qlib can hold.

needs: pip install numpy polars
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--symbols", type=int, default=800)
    parser.add_argument("--bars", type=int, default=3200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random, shape = np.random.default_rng(options.seed), (options.symbols, options.bars)
    start = np.exp(random.normal(3.5, 1.0, (options.symbols, 1)))
    close = start * np.exp(np.cumsum(random.normal(0.0002, 0.018, shape), axis=1))
    opening = close * np.exp(random.normal(0, 0.008, shape))
    high = np.maximum(opening, close) * np.exp(np.abs(random.normal(0, 0.006, shape)))
    low = np.minimum(opening, close) * np.exp(-np.abs(random.normal(0, 0.006, shape)))
    volume = np.round(np.exp(random.normal(13, 1.2, (options.symbols, 1)) + random.normal(0, 0.5, shape)))
    days = np.datetime64("2000-01-03") + np.arange(options.bars)
    as_stored = lambda values: values.astype(np.float32).astype(np.float64).ravel()  # noqa: E731
    frame = pl.DataFrame(
        {
            "symbol": np.repeat([f"S{number:04}" for number in range(options.symbols)], options.bars),
            "date": np.tile(days, options.symbols),
            "open": as_stored(opening),
            "high": as_stored(high),
            "low": as_stored(low),
            "close": as_stored(close),
            "volume": as_stored(volume),
        }
    )
    frame.write_parquet(options.out)
    print(f"{options.symbols} symbols × {options.bars} bars in {options.out}")


if __name__ == "__main__":
    main()
