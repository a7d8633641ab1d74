"""The 45 classic features, written down a second time and on purpose in another way than the program computes them.

Two references, both straight from the definitions, both recomputing every window from its own values:

* `classic_exact`: one series, exact rational arithmetic for windows and 60 decimal digits for recursions, roots and
  logarithms; the results are the correctly rounded ones. Slow; makes the golden files.
* `classic_matrix`: many series at once, as numpy arrays of any float type. In `longdouble` (64-bit mantissa on x86) it is
  some 2,000 times more precise than float64; in `float64` it is what anybody would write by hand.

needs: pip install numpy
"""

from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np

RAW = ["open", "high", "low", "close", "volume"]
NAMES = """ma5 ma10 ma20 ma30 ma60 ema7 ema12 ema25 ema26 macd_dif macd_dea macd_hist rsi6 rsi12 rsi14 rsi24
boll_mid boll_upper boll_lower boll_width boll_pct_b kdj_k kdj_d kdj_j atr14 cci14 wr14 obv mom10 roc5 roc10 roc20
pct_change log_return amplitude gap volatility20 volume_ma5 volume_ma10 volume_ratio5 volume_ratio20 volume_change
turnover_rate bias6 psy12""".split()
assert len(NAMES) == 45

getcontext().prec = 60


# --- exactly, one series -----------------------------------------------------------------------------------------------


def _decimal(fraction):
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


def _ratio(a, b):
    return None if b == 0 else a / b


def classic_exact(bars):
    """`bars`: lists of floats by column name, `turnover` optional with None for missing. Gives lists of float or None."""
    n = len(bars["close"])
    o, h, l, c, v = ([Fraction(x) for x in bars[name]] for name in RAW)
    out = {}

    def column(name, first, value):
        out[name] = [value(i) if i >= first else None for i in range(n)]

    def last(values, i, count):
        return values[i - count + 1 : i + 1]

    def mean(values):
        return sum(values) / len(values)

    for count in (5, 10, 20, 30, 60):
        column(f"ma{count}", count - 1, lambda i: mean(last(c, i, count)))

    price = [_decimal(x) for x in c]

    def ema(values, count):
        result = []
        for x in values:
            result.append(x if not result else result[-1] + Decimal(2) / (count + 1) * (x - result[-1]))
        return result

    for count in (7, 12, 25, 26):
        out[f"ema{count}"] = ema(price, count)
    dif = [fast - slow for fast, slow in zip(out["ema12"], out["ema26"])]
    dea = ema(dif, 9)
    out["macd_dif"], out["macd_dea"] = dif, dea
    out["macd_hist"] = [2 * (a - b) for a, b in zip(dif, dea)]

    change = [None] + [b - a for a, b in zip(price, price[1:])]

    def smooth(values, count):
        result = [None] * min(n, 1)
        for i in range(1, n):
            result.append(values[i] if i == 1 else result[-1] + (values[i] - result[-1]) / count)
        return result

    for count in (6, 12, 14, 24):
        rises = smooth([None if x is None else max(x, Decimal(0)) for x in change], count)
        moves = smooth([None if x is None else abs(x) for x in change], count)
        column(f"rsi{count}", 1, lambda i: Decimal(50) if moves[i] == 0 else 100 * rises[i] / moves[i])

    def squares(values):
        middle = mean(values)
        return sum((x - middle) ** 2 for x in values)

    sigma = [None if i < 19 else _decimal(squares(last(c, i, 20)) / 20).sqrt() for i in range(n)]
    middle = [None if i < 19 else _decimal(mean(last(c, i, 20))) for i in range(n)]
    column("boll_mid", 19, lambda i: middle[i])
    column("boll_upper", 19, lambda i: middle[i] + 2 * sigma[i])
    column("boll_lower", 19, lambda i: middle[i] - 2 * sigma[i])
    column("boll_width", 19, lambda i: _ratio(4 * sigma[i], middle[i]))
    column("boll_pct_b", 19, lambda i: _ratio(price[i] - middle[i] + 2 * sigma[i], 4 * sigma[i]))

    k = d = Decimal(50)
    out["kdj_k"], out["kdj_d"], out["kdj_j"] = [], [], []
    for i in range(n):
        if i < 8:
            values = (None, None, None)
        else:
            top, bottom = max(last(h, i, 9)), min(last(l, i, 9))
            rsv = Decimal(50) if top == bottom else _decimal(100 * (c[i] - bottom) / (top - bottom))
            k = (2 * k + rsv) / 3
            d = (2 * d + k) / 3
            values = (k, d, 3 * k - 2 * d)
        for name, value in zip("kdj", values):
            out[f"kdj_{name}"].append(value)

    true_range = [None] + [max(h[i], c[i - 1]) - min(l[i], c[i - 1]) for i in range(1, n)]
    out["atr14"] = [None] * n
    for i in range(14, n):
        if i == 14:
            out["atr14"][i] = _decimal(mean(true_range[1:15]))
        else:
            out["atr14"][i] = (13 * out["atr14"][i - 1] + _decimal(true_range[i])) / 14

    # Rounded to float64 as every program has it: then 46.00, 45.98, 45.99 has the same typical price as three times 45.99.
    typical = [Fraction((a + b + e) / 3) for a, b, e in zip(*([float(x) for x in bars[name]] for name in ("high", "low", "close")))]

    def cci(i):
        window = last(typical, i, 14)
        middle = mean(window)
        deviation = mean([abs(x - middle) for x in window])
        return Fraction(0) if deviation == 0 else (typical[i] - middle) / (Fraction(15, 1000) * deviation)

    column("cci14", 13, cci)

    def wr(i):
        top, bottom = max(last(h, i, 14)), min(last(l, i, 14))
        return _ratio(100 * (top - c[i]), top - bottom)

    column("wr14", 13, wr)

    obv = []
    for i in range(n):
        obv.append(v[0] if i == 0 else obv[-1] + (v[i] if c[i] > c[i - 1] else -v[i] if c[i] < c[i - 1] else 0))
    out["obv"] = obv

    def percent(a, b):
        return None if b == 0 else 100 * (a / b - 1)

    column("mom10", 10, lambda i: c[i] - c[i - 10])
    for count in (5, 10, 20):
        column(f"roc{count}", count, lambda i: percent(c[i], c[i - count]))
    column("pct_change", 1, lambda i: percent(c[i], c[i - 1]))
    column("log_return", 1, lambda i: None if c[i - 1] == 0 or c[i] / c[i - 1] <= 0 else _decimal(c[i] / c[i - 1]).ln())
    column("amplitude", 1, lambda i: _ratio(100 * (h[i] - l[i]), c[i - 1]))
    column("gap", 1, lambda i: percent(o[i], c[i - 1]))

    def volatility(i):
        window = last(out["pct_change"], i, 20)
        return None if None in window else _decimal(squares(window) / 19).sqrt()

    column("volatility20", 20, volatility)
    for count in (5, 10):
        column(f"volume_ma{count}", count - 1, lambda i: mean(last(v, i, count)))
    column("volume_ratio5", 5, lambda i: _ratio(v[i], mean(last(v, i - 1, 5))))
    column("volume_ratio20", 19, lambda i: _ratio(v[i], mean(last(v, i, 20))))
    column("volume_change", 1, lambda i: percent(v[i], v[i - 1]))
    out["turnover_rate"] = list(bars.get("turnover", [None] * n))
    column("bias6", 5, lambda i: percent(c[i], mean(last(c, i, 6))))
    column("psy12", 12, lambda i: Fraction(100 * sum(c[j] > c[j - 1] for j in range(i - 11, i + 1)), 12))
    return {name: [None if x is None else float(x) for x in out[name]] for name in NAMES}


# --- many series at once -----------------------------------------------------------------------------------------------


def pad(series, dtype):
    """A list of 1-d arrays as one matrix, a row each, filled up with NaN on the right."""
    matrix = np.full((len(series), max(map(len, series))), np.nan, dtype)
    for row, values in zip(matrix, series):
        row[: len(values)] = values
    return matrix


def classic_matrix(bars, terms=None):
    """`bars`: matrices by column name, a row per series, oldest first, padded on the right with NaN. NaN is null.

    Computes in the type of the input. `terms`, if given, is a dict to be filled with the size of the numbers of which each
    feature is a difference, 0 where it is none. A value much smaller than that is what rounding left of it in *any* float64
    computation: near a crossing of two averages around 1,000 their difference has no digits below 1e-13.
    """
    o, h, l, c, v = (bars[name] for name in RAW)
    dtype, shape = c.dtype.type, c.shape
    n = shape[1]
    out = {}

    def null():
        return np.full(shape, np.nan, dtype)

    def windows(values, count):
        """(series, windows, count); bar i's window is entry i − count + 1."""
        if n < count:
            return np.empty((shape[0], 0, count), dtype)
        return np.lib.stride_tricks.sliding_window_view(values, count, axis=1)

    def put(first, values):
        result = null()
        result[:, first:] = values[:, : max(0, n - first)]
        return result

    def back(values, count):
        result = null()
        result[:, count:] = values[:, : max(0, n - count)]
        return result

    def total(view):
        result = np.zeros(view.shape[:2], dtype)
        for place in range(view.shape[2]):
            result = result + view[:, :, place]
        return result

    def mean(values, count):
        return put(count - 1, total(windows(values, count)) / dtype(count))

    def ratio(a, b):
        return np.where(b == 0, dtype(np.nan), a / b)

    def percent(a, b):
        return np.where(b == 0, dtype(np.nan), 100 * (a / b - 1))

    with np.errstate(all="ignore"):
        for count in (5, 10, 20, 30, 60):
            out[f"ma{count}"] = mean(c, count)

        def recursive(first, seed, step):
            result = null()
            if n > first:
                result[:, first] = seed
                for i in range(first + 1, n):
                    result[:, i] = step(result[:, i - 1], i)
            return result

        def ema(values, count):
            alpha = dtype(2) / dtype(count + 1)
            return recursive(0, values[:, 0], lambda y, i: y + alpha * (values[:, i] - y))

        for count in (7, 12, 25, 26):
            out[f"ema{count}"] = ema(c, count)
        out["macd_dif"] = out["ema12"] - out["ema26"]
        out["macd_dea"] = ema(out["macd_dif"], 9)
        out["macd_hist"] = 2 * (out["macd_dif"] - out["macd_dea"])

        change = c - back(c, 1)
        rise, move = np.where(change > 0, change, np.where(np.isnan(change), change, dtype(0))), np.abs(change)
        for count in (6, 12, 14, 24):
            up, all_ = (
                recursive(1, x[:, 1] if n > 1 else None, lambda y, i: y + (x[:, i] - y) / dtype(count)) for x in (rise, move)
            )
            out[f"rsi{count}"] = np.where(all_ == 0, dtype(50), 100 * up / all_)

        def deviation(values, count, freedom):
            view = windows(values, count)
            middle = total(view) / dtype(count)
            squares = np.zeros(view.shape[:2], dtype)
            for place in range(count):
                squares = squares + (view[:, :, place] - middle) ** 2
            result = np.sqrt(squares / dtype(freedom))
            # Equal values have no deviation, whatever the rounding of their mean says.
            return put(count - 1, np.where(view.max(axis=2) == view.min(axis=2), dtype(0), result))

        sigma, middle = deviation(c, 20, 20), out["ma20"]
        out["boll_mid"] = middle
        out["boll_upper"], out["boll_lower"] = upper, lower = middle + 2 * sigma, middle - 2 * sigma
        out["boll_width"] = np.where(sigma == 0, np.where(middle == 0, dtype(np.nan), dtype(0)), ratio(upper - lower, middle))
        out["boll_pct_b"] = np.where(sigma == 0, dtype(np.nan), (c - lower) / (upper - lower))

        top, bottom = put(8, windows(h, 9).max(axis=2)), put(8, windows(l, 9).min(axis=2))
        rsv = np.where(top == bottom, dtype(50), 100 * (c - bottom) / (top - bottom))
        k, d = null(), null()
        k_before = d_before = np.full(shape[0], 50, dtype)
        for i in range(8, n):
            k[:, i] = k_before = dtype(2) / dtype(3) * k_before + rsv[:, i] / dtype(3)
            d[:, i] = d_before = dtype(2) / dtype(3) * d_before + k_before / dtype(3)
        out["kdj_k"], out["kdj_d"], out["kdj_j"] = k, d, 3 * k - 2 * d

        true_range = np.fmax(h, back(c, 1)) - np.fmin(l, back(c, 1))
        true_range[:, 0] = np.nan
        seed = true_range[:, 1:15].mean(axis=1) if n > 14 else None
        out["atr14"] = recursive(14, seed, lambda y, i: (13 * y + true_range[:, i]) / dtype(14))

        # Rounded to float64, see above.
        typical = ((h.astype(np.float64) + l.astype(np.float64) + c.astype(np.float64)) / 3).astype(dtype)
        view = windows(typical, 14)
        middle = total(view) / dtype(14)
        spread = np.zeros(view.shape[:2], dtype)
        for place in range(14):
            spread = spread + np.abs(view[:, :, place] - middle)
        spread = spread / dtype(14)
        flat = view.max(axis=2) == view.min(axis=2)
        cci = (view[:, :, -1] - middle) / (dtype(15) / dtype(1000) * spread)
        out["cci14"] = put(13, np.where(flat, dtype(0), cci))
        top, bottom = put(13, windows(h, 14).max(axis=2)), put(13, windows(l, 14).min(axis=2))
        out["wr14"] = ratio(100 * (top - c), top - bottom)

        signed = np.where(change > 0, v, np.where(change < 0, -v, dtype(0)))
        signed[:, 0] = v[:, 0]
        out["obv"] = np.where(np.isnan(c), dtype(np.nan), np.cumsum(signed, axis=1, dtype=dtype))
        out["mom10"] = c - back(c, 10)
        for count in (5, 10, 20):
            out[f"roc{count}"] = percent(c, back(c, count))
        out["pct_change"] = percent(c, back(c, 1))
        quotient = ratio(c, back(c, 1))
        out["log_return"] = np.where(quotient > 0, np.log(np.where(quotient > 0, quotient, dtype(1))), dtype(np.nan))
        out["amplitude"] = ratio(100 * (h - l), back(c, 1))
        out["gap"] = percent(o, back(c, 1))
        out["volatility20"] = deviation(out["pct_change"], 20, 19)
        out["volume_ma5"], out["volume_ma10"] = mean(v, 5), mean(v, 10)
        out["volume_ratio5"] = ratio(v, back(out["volume_ma5"], 1))
        out["volume_ratio20"] = ratio(v, mean(v, 20))
        out["volume_change"] = percent(v, back(v, 1))
        out["turnover_rate"] = bars["turnover"] if "turnover" in bars else null()
        out["bias6"] = percent(c, mean(c, 6))
        rises = np.where(change > 0, dtype(1), np.where(np.isnan(change), change, dtype(0)))
        out["psy12"] = 100 * put(11, total(windows(rises, 12))) / dtype(12)
        if terms is not None:
            terms.update({name: np.zeros(shape, dtype) for name in NAMES})
            terms.update({name: np.abs(c) for name in ("macd_dif", "macd_dea", "macd_hist")})
            percents = ("kdj_j", "roc5", "roc10", "roc20", "pct_change", "gap", "volume_change", "bias6")
            terms.update({name: np.full(shape, 100, dtype) for name in percents})
            terms["log_return"] = np.ones(shape, dtype)
            terms["boll_pct_b"] = np.where(sigma > 0, np.abs(c) / (4 * sigma), dtype(0))
            spread = put(13, spread)
            terms["cci14"] = np.where(spread > 0, np.abs(typical) / (dtype(15) / dtype(1000) * spread), dtype(0))
    # A finite number or null; and nothing where there is no bar.
    return {name: np.where(np.isfinite(out[name]) & ~np.isnan(c), out[name], dtype(np.nan)) for name in NAMES}
