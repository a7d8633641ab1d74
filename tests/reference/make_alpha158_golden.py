#!/usr/bin/env python3
"""Makes `tests/golden/alpha158.parquet`: invented bars, Qlib's Alpha158 of them, and the same to 50 decimal digits.

Nothing of the program takes part, and no real bar. Each factor has two columns: `NAME`, what Qlib 0.9.7 gives, as Float32, null
where that is null or infinite; and `NAME_exact`, the value computed with 50 digits from the same bars (`alpha158_reference.py`),
rounded once, to Float64. So a reader sees by itself where Qlib is off: wherever its value is further than 5e-5, relative, from the
exact one, or is null where that is not. All bars are float32 numbers, since Qlib keeps nothing finer.

Before anything is written the formulas of `assets/sets/alpha158.toml` are compared with Qlib's own, character by character, and the
exact values with a float64 computation that shares no code with them.

needs: pip install pyqlib==0.9.7 "numpy<2" polars pyarrow mpmath gmpy2
run:   python tests/reference/make_alpha158_golden.py
"""

import math
import random
import tempfile
import tomllib
from pathlib import Path

import mpmath
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from alpha158_reference import NAMES, Exact, alpha158_float64
from qlib_store import RAW, alpha158, rounded, write_store

ROOT = Path(__file__).resolve().parents[2]
LOST = 5e-5


def walk(seed, count, start, step, digits, volume):
    """A random walk of bars, rounded as prices are."""
    source = random.Random(seed)
    bars, close = {name: [] for name in RAW}, start
    for _ in range(count):
        opening = round(close * math.exp(source.gauss(0, step / 2)), digits)
        close = round(opening * math.exp(source.gauss(0, step)), digits)
        bars["open"].append(opening)
        bars["close"].append(close)
        bars["high"].append(round(max(opening, close) * math.exp(abs(source.gauss(0, step / 3))), digits))
        bars["low"].append(round(min(opening, close) * math.exp(-abs(source.gauss(0, step / 3))), digits))
        bars["volume"].append(float(round(volume * math.exp(source.gauss(0, 0.6)))))
    return bars


def halt(bars, start, count):
    """Nothing is traded and every price stays at the close before."""
    for row in range(start, start + count):
        for name in ("open", "high", "low", "close"):
            bars[name][row] = bars["close"][start - 1]
        bars["volume"][row] = 0.0


def series():
    yield "ordinary", walk(11, 190, 100.0, 0.012, 2, 2_000_000)

    # Halts from one bar to more than the longest window, and a source that knows the traded money.
    halted = walk(12, 190, 24.0, 0.02, 2, 40_000)
    for start, count in ((7, 1), (12, 2), (20, 7), (40, 24), (80, 66)):
        halt(halted, start, count)
    for row in (160, 170, 172):
        halted["volume"][row] = 0.0
    average = [(h + l + c) / 3 for h, l, c in zip(halted["high"], halted["low"], halted["close"])]
    halted["amount"] = [round(price * volume, 2) for price, volume in zip(average, halted["volume"])]
    yield "halted", halted

    # Hundredths of a cent in steps that leave deviations on both sides of the 2e-5 that counts as zero.
    tiny = walk(13, 190, 0.0004, 0.03, 6, 900)
    source = random.Random(14)
    for row in range(60, 110):
        close = round(0.0003 + source.choice((0, 1, 2, 3)) * 1e-5, 6)
        tiny["open"][row] = tiny["close"][row] = close
        tiny["high"][row], tiny["low"][row] = round(close + 1e-6, 6), round(close - 1e-6, 6)
    halt(tiny, 130, 12)
    yield "tiny", tiny

    # Prices that fall to a ten-millionth within a bar, volumes of trillions beside volumes of a few: what a sum that is carried along
    # forgets. Then prices that stand still but for their last digit.
    huge = walk(15, 190, 500_000.0, 0.03, 2, 3e12)
    for row in range(50, 120):
        for name in ("open", "high", "low", "close"):
            huge[name][row] = round(huge[name][row] / 1e7, 4)
        huge["volume"][row] = float(row % 7)
    for row in range(120, 190):
        for name in ("open", "high", "low", "close"):
            huge[name][row] = 1000.0 + (row * 7 % 5) * 2.0**-10
        huge["high"][row] += 2.0**-8
        huge["low"][row] -= 2.0**-8
    huge["volume"][150] = 4e15
    yield "huge", huge


def check_formulas():
    from qlib.contrib.data.loader import Alpha158DL

    own = tomllib.loads((ROOT / "assets/sets/alpha158.toml").read_text(encoding="utf-8"))["features"]
    fields, names = Alpha158DL.get_feature_config()
    assert list(own) == names == NAMES, "names"
    assert [feature["formula"] for feature in own.values()] == fields, "formulas"


def check_exact(symbol, bars, exact):
    """Against the float64 computation; a difference of large numbers is compared on their scale."""
    quick = alpha158_float64(bars)
    for name in NAMES:
        values = np.array([np.nan if x is None else float(x) for x in exact[name]])
        assert (np.isnan(values) == np.isnan(quick[name])).all(), (symbol, name, "nulls")
        known = ~np.isnan(values)
        scale = max(1.0, max(bars["high"]) / min(bars["close"]))
        gap = np.abs(values - quick[name])[known] / (np.abs(values[known]) + 1e-6 * scale)
        assert gap.max(initial=0) < 1e-8, (symbol, name, float(gap.max()))


def main():
    check_formulas()
    market = {symbol: rounded(bars) for symbol, bars in series()}
    with tempfile.TemporaryDirectory() as folder:
        write_store(folder, market)
        _, frame = alpha158(folder)
    parts = []
    for symbol, bars in market.items():
        count = len(bars["close"])
        exact = Exact(bars)
        exact = {name: [exact.value(name, row) for row in range(count)] for name in NAMES}
        check_exact(symbol, bars, exact)
        theirs, columns, lost, nulls = frame.loc[symbol], {"symbol": [symbol] * count}, 0, 0
        for name in RAW:
            columns[name] = bars[name]
        columns["amount"] = pa.array(bars["amount"] if "amount" in bars else [None] * count, pa.float64())
        for name in NAMES:
            qlib = theirs[name].to_numpy()
            qlib = [float(x) if np.isfinite(x) else None for x in qlib]
            columns[name] = pa.array(qlib, pa.float32())
            columns[f"{name}_exact"] = pa.array([None if x is None else float(x) for x in exact[name]], pa.float64())
            for own, true in zip(qlib, exact[name]):
                nulls += (own is None) != (true is None)
                lost += None not in (own, true) and abs(mpmath.mpf(own) - true) > LOST * abs(true)
        print(f"{symbol:9} {count} bars, {count * len(NAMES)} values; Qlib off in {lost}, null in another place in {nulls}")
        parts.append(pa.table(columns))
    path = ROOT / "tests/golden/alpha158.parquet"
    table = pa.concat_tables(parts)
    floats = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    pq.write_table(table, path, compression="zstd", compression_level=19, use_dictionary=["symbol"], use_byte_stream_split=floats)
    print(f"{path.relative_to(ROOT)}: {table.num_rows} bars, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
