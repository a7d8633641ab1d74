#!/usr/bin/env python3
"""Makes `tests/golden/talib_*`: synthetic bars, and what the TA-Lib C library makes of them, through its Python package.

Every function is called with its defaults, with other parameters, with its smallest ones, and, where it takes the kind of a
moving average, with every kind. With `--bars`, the same is made from bars of one's own, for
`SAMOVAR_TALIB_GOLDEN=FOLDER cargo test --test talib golden -- --nocapture`, which prints how far the values are apart.

    make_talib_golden.py [FOLDER]
    make_talib_golden.py FOLDER --bars FILE.parquet [--skip N] [--symbols N]      columns: symbol, open … volume

Three files:

* `talib_bars.csv`: series, open, high, low, close, volume, periods (for MAVP);
* `talib_calls.csv`: a line for every call: function, parameters, outputs as name:type (f8, i2, or i1 for tenths), and how many
  series it is made for, from the first on;
* `talib_values.bin`: for every call, every series that it is made for, and every output: the place of the first value (u2),
  then all values from there on. Little-endian; NaN where the C library gives no number.

The series `candles` is for candlestick patterns only and comes last.

needs: pip install numpy TA-Lib==0.8.2, and polars for --bars
"""

import argparse
import csv
import random
import sys
from pathlib import Path

import numpy as np
import talib
from talib import abstract

HERE = Path(__file__).resolve().parent
COLUMNS = ["open", "high", "low", "close", "volume", "periods"]
AVERAGES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15]
CANDLES = "candles"


def walk(seed, count, start, step, digits, volume=1_000_000, relative=True):
    """A random walk of bars, rounded as prices are."""
    source = random.Random(seed)
    rows, close = [], start
    for _ in range(count):
        size = abs(close) * step if relative else step
        opening = round(close + source.gauss(0, size / 2), digits)
        close = round(opening + source.gauss(0, size), digits)
        high = round(max(opening, close) + abs(source.gauss(0, size / 2)), digits)
        low = round(min(opening, close) - abs(source.gauss(0, size / 2)), digits)
        traded = round(volume * 2 ** source.gauss(0, 1))
        rows.append([opening, high, low, close, float(traded), float(source.randint(1, 40))])
    return np.array(rows)


def stand_still(bars, start, end, with_volume):
    bars[start:end, :4] = bars[start - 1, 3]
    if not with_volume:
        bars[start:end, 4] = 0


def shapes(count):
    """Bars of few shapes on a coarse grid, in runs: patterns need trends, gaps and bodies of equal size."""
    source = random.Random(11)
    rows, close, trend = [], 400.0, 1
    for bar in range(count):
        if bar % 6 == 0:
            trend = source.choice((-1, 1))
        body = source.choice((0, 0, 1, 2, 2, 4, 8, 12)) * source.choice((trend, trend, trend, -trend))
        opening = close + source.choice((0, 0, -body, -body / 2, -body, 2 * trend, -2 * trend, 6 * trend, -body - trend))
        close = opening + body
        high = max(opening, close) + source.choice((0, 0, 0, 1, 2, 8))
        low = min(opening, close) - source.choice((0, 0, 0, 1, 2, 8))
        if low < 50 or high > 2000:
            opening, high, low, close = 400.0, 402.0, 399.0, 401.0
        rows.append([opening, high, low, close, 1000.0 + bar, 2.0])
    return np.array(rows, dtype=float)


def candles():
    """Many shapes, cut to where each pattern is seen for the first times, up and down, with the bars before it."""
    bars = shapes(400_000)
    kept = np.zeros(len(bars), bool)
    for name in talib.get_function_groups()["Pattern Recognition"]:
        values = abstract.Function(name)(*(bars[:, place] for place in range(4)), prices=["open", "high", "low", "close"])
        for value in (-200, -100, -80, 80, 100, 200):
            for hit in np.flatnonzero(values == value)[:2]:
                kept[max(0, hit - 20) : hit + 4] = True
    # Two that chance does not make: breakaways, and a concealing baby swallow, each after twelve quiet bars.
    quiet = [[101, 102, 99, 100], [100, 102, 99, 101]] * 6
    breakaway = [[100, 101, 89, 90], [88, 88.5, 85, 86], [86.5, 87.5, 84, 85], [85, 86, 82, 83], [83.5, 89.5, 83, 89]]
    mirrored = [[200 - o, 200 - l, 200 - h, 200 - c] for o, h, l, c in breakaway]
    swallow = [[100, 100, 90, 90], [95, 95, 85, 85], [84, 86, 81.9, 82], [86.5, 86.5, 80, 80]]
    made = np.array([*quiet, *breakaway, *quiet, *mirrored, *quiet, *swallow], dtype=float)
    return np.vstack([bars[kept], np.column_stack([made, np.full((len(made), 2), [1000.0, 2.0])])])


def synthetic():
    yield "ordinary", walk(1, 150, 100.0, 0.015, 2)
    still = walk(2, 150, 33.3, 0.02, 2, volume=5_000)
    stand_still(still, 60, 95, with_volume=False)
    stand_still(still, 115, 140, with_volume=True)
    yield "stands_still", still
    yield "constant", np.tile([7.1, 7.1, 7.1, 7.1, 300.0, 5.0], (150, 1))
    yield "tiny_prices", walk(3, 150, 1.3e-5, 0.05, 9, volume=9e11)
    jumps = walk(4, 150, 80.0, 0.02, 2)
    for bar, factor in ((50, 10), (51, 0.1), (90, 0.05), (130, 1000)):
        jumps[bar:, :4] = np.round(jumps[bar:, :4] * factor, 2)
    jumps[100:104, 4] = 0
    yield "jumps", jumps
    yield "high_price_tiny_moves", walk(5, 150, 1e6, 1e-8, 4)
    # Below zero, as crude oil on 20 April 2020, with zero itself as open, close and volume.
    negative = walk(6, 150, 3.0, 1.0, 2, relative=False)
    negative[30, [2, 3]] = 0
    negative[30, 1] = max(negative[30, 1], 0)
    negative[75, 0] = 0
    negative[::20, 4] = 0
    yield "negative", negative
    # High below low, close outside of both.
    broken = walk(7, 150, 20.0, 0.02, 2)
    broken[::9, [1, 2]] = broken[::9, [2, 1]]
    yield "broken_range", broken
    yield CANDLES, candles()


def real(path, skip, count):
    import polars as pl

    table = pl.read_parquet(path)
    for symbol in sorted(table["symbol"].unique())[skip : skip + count]:
        bars = table.filter(pl.col("symbol") == symbol)
        time = "date" if "date" in bars.columns else "time"
        bars = bars.sort(time).select(COLUMNS[:5]).cast(pl.Float64).to_numpy()
        periods = 2 + 38 * ((np.arange(len(bars)) * 7919) % 997) / 997
        yield symbol, np.column_stack([bars, np.floor(periods)])


def parameter_lists(name):
    """Lists of parameters worth comparing, defaults first."""
    defaults = list(abstract.Function(name).info["parameters"].items())
    values = [value for _, value in defaults]
    is_average = ["matype" in key for key, _ in defaults]
    if not defaults:
        return [[]]
    kinds = list(zip(values, is_average))
    lists = [
        values,
        [v if a else v / 2 if isinstance(v, float) else v + 3 for v, a in kinds],
        [v if a else v * 1.2 if isinstance(v, float) else max(2, v // 2) for v, a in kinds],
    ]
    # The smallest that it takes: 1 for some, 2 for others.
    lists += [[v if a or isinstance(v, float) else least for v, a in kinds] for least in (1, 2)]
    if any(is_average):
        lists += [[kind if a else v for v, a in kinds] for kind in AVERAGES]
    unique = []
    for entry in lists:
        if entry not in unique:
            unique.append(entry)
    return unique


def call(name, parameters, bars):
    """(name, first place, values) of every output; None where the C library does not take the parameters."""
    function = abstract.Function(name)
    function.parameters = dict(zip(function.info["parameters"], parameters))
    arrays = {column: np.ascontiguousarray(bars[:, place]) for place, column in enumerate(COLUMNS)}
    function.input_arrays = arrays
    try:
        results = function.run()
    except Exception as error:
        if "TA_BAD_PARAM" not in str(error):
            raise
        return None
    names = function.info["output_names"]
    results = [results] if len(names) == 1 else results
    look_back = function.lookback
    outputs = []
    for output, values in zip(names, results):
        first = min(look_back, len(bars))
        if values.dtype == np.float64 and not np.isnan(values[:first]).all():
            sys.exit(f"{name}{parameters}: {output} has values before its look-back of {look_back}")
        values = values.copy()
        if values.dtype == np.float64:
            values[~np.isfinite(values)] = np.nan
        outputs.append((output, first, values))
    return outputs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=HERE.parent / "golden")
    parser.add_argument("--bars", type=Path)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--symbols", type=int, default=20)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    series = list(real(options.bars, options.skip, options.symbols) if options.bars else synthetic())

    with (options.folder / "talib_bars.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["series", *COLUMNS])
        for name, bars in series:
            writer.writerows([name, *row] for row in bars.tolist())

    refused, patterns = [], {}
    calls = (options.folder / "talib_calls.csv").open("w", newline="")
    values = (options.folder / "talib_values.bin").open("wb")
    with calls, values:
        writer = csv.writer(calls, lineterminator="\n")
        writer.writerow(["function", "parameters", "outputs", "series"])
        for name in sorted(talib.get_functions()):
            for order, parameters in enumerate(parameter_lists(name)):
                results = []
                for label, bars in series:
                    # Other parameters on one series: the file stays small.
                    few = order > 0 and not options.bars
                    if few and label != "ordinary" or label == CANDLES and not name.startswith("CDL"):
                        continue
                    result = call(name, parameters, bars)
                    if result is None:
                        refused.append(f"{name}{parameters}")
                        break
                    results.append(result)
                    if name.startswith("CDL"):
                        patterns[name] = patterns.get(name, 0) + int((result[0][2] != 0).sum())
                else:
                    kinds = ["f8" if v.dtype == np.float64 else "i1" if name.startswith("CDL") else "i2" for _, _, v in results[0]]
                    outputs = [f"{output}:{kind}" for (output, _, _), kind in zip(results[0], kinds)]
                    writer.writerow([name, " ".join(map(repr, parameters)), " ".join(outputs), len(results)])
                    for result in results:
                        for (_, first, numbers), kind in zip(result, kinds):
                            values.write(np.uint16(first).astype("<u2").tobytes())
                            numbers = numbers[first:] // 10 if kind == "i1" else numbers[first:]
                            values.write(numbers.astype(f"<{kind}").tobytes())
    print(f"C library {talib.__ta_version__.decode()}, {len(talib.get_functions())} functions, {len(series)} series")
    print("not taken:", *refused)
    print("patterns never seen:", *(name for name, count in patterns.items() if count == 0))


if __name__ == "__main__":
    main()
