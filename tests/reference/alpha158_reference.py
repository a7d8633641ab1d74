"""Alpha158 twice, from its definitions: whole columns in float64, and single values to 50 decimal digits.

Nothing of the program and nothing of Qlib takes part. Both implementations look at every window by itself; nothing is carried from
one window to the next, so nothing can be lost on the way.

* `alpha158_float64(bars)` gives every column as an array, NaN for null.
* `Exact(bars).value(name, row)` gives one value as an mpmath number of 50 digits, or None for null.

What the definitions leave open is as in Qlib 0.9.7: windows are shorter at the start, a null is left out of a window, a comparison
with null is false, `Rsquare` is null where the sample deviation is at most 2e-5 and `Corr` where that of one of its two inputs is (of
all its values in the window, whether or not the other one has a value there). A value with a denominator of 0 is null.

needs: pip install numpy mpmath (gmpy2 makes it several times faster)
"""

import mpmath
import numpy as np

mpmath.mp.dps = 50

WINDOWS = [5, 10, 20, 30, 60]
BAR_NAMES = ["KMID", "KLEN", "KMID2", "KUP", "KUP2", "KLOW", "KLOW2", "KSFT", "KSFT2", "OPEN0", "HIGH0", "LOW0", "VWAP0"]
FAMILIES = (
    "ROC MA STD BETA RSQR RESI MAX MIN QTLU QTLD RANK RSV IMAX IMIN IMXD CORR CORD CNTP CNTN CNTD SUMP SUMN SUMD VMA VSTD WVMA "
    "VSUMP VSUMN VSUMD"
).split()
NAMES = BAR_NAMES + [f"{family}{window}" for family in FAMILIES for window in WINDOWS]
NEARLY_ZERO = 2e-5
EPSILON = 1e-12


def split(name):
    """('STD', 20) of STD20, (name, None) of what has no window."""
    if name in BAR_NAMES:
        return name, None
    family = name.rstrip("0123456789")
    return family, int(name[len(family) :])


# Whole columns in float64.


def windows(values, count):
    """Row i holds the last `count` values up to i, NaN before the first."""
    padded = np.concatenate([np.full(count - 1, np.nan), values]).astype(np.float64)
    return np.lib.stride_tricks.sliding_window_view(padded, count)


def ago(values, bars):
    return np.concatenate([np.full(min(bars, len(values)), np.nan, values.dtype), values[: max(len(values) - bars, 0)]])


def alpha158_float64(bars, of_bars=np.float64):
    """{name: column} over bars (a dict of columns); NaN is null.

    `of_bars` is what is computed with before a window: float32 is what Qlib does there. Windows are always float64.
    """
    with np.errstate(all="ignore"):
        return {name: np.where(np.isfinite(values), values, np.nan) for name, values in _columns(bars, of_bars)}


def _mean(seen):
    known = ~np.isnan(seen)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, seen, 0).sum(axis=1) / count, np.nan)


def _sum(seen):
    known = ~np.isnan(seen)
    return np.where(known.any(axis=1), np.where(known, seen, 0).sum(axis=1), np.nan)


def _deviation(seen):
    known = ~np.isnan(seen)
    count = known.sum(axis=1)
    away = np.where(known, seen - _mean(seen)[:, None], 0)
    return np.where(count > 1, np.sqrt((away**2).sum(axis=1) / (count - 1)), np.nan)


def _line(seen):
    """Slope, R² and the last value's distance from the line of the regression on positions."""
    known = ~np.isnan(seen)
    position = np.where(known, np.arange(seen.shape[1], dtype=float), np.nan)
    across, up = position - _mean(position)[:, None], seen - _mean(seen)[:, None]
    both, squares, spread = (np.nansum(product, axis=1) for product in (across * up, across**2, up**2))
    enough = known.sum(axis=1) > 1
    slope = np.where(enough, both / squares, np.nan)
    share = np.where(enough & (spread > 0) & ~(_deviation(seen) <= NEARLY_ZERO), both**2 / (squares * spread), np.nan)
    return slope, share, up[:, -1] - slope * across[:, -1]


def _correlation(left, right):
    usable = ~(_deviation(left) <= NEARLY_ZERO) & ~(_deviation(right) <= NEARLY_ZERO)
    paired = ~np.isnan(left + right)
    left, right = np.where(paired, left, np.nan), np.where(paired, right, np.nan)
    left, right = left - _mean(left)[:, None], right - _mean(right)[:, None]
    below = np.nansum(left**2, axis=1) * np.nansum(right**2, axis=1)
    return np.where(usable & (paired.sum(axis=1) > 1) & (below > 0), np.nansum(left * right, axis=1) / np.sqrt(below), np.nan)


def _rank(seen):
    known, last = ~np.isnan(seen), seen[:, -1:]
    return ((seen < last).sum(axis=1) + ((seen == last).sum(axis=1) + 1) / 2) / known.sum(axis=1)


def _position(seen, extreme):
    missing = np.isnan(seen).sum(axis=1)
    return extreme(np.where(np.isnan(seen), -np.inf if extreme is np.argmax else np.inf, seen), axis=1) + 1.0 - missing


def _columns(bars, of_bars):
    o, h, l, c, v = (np.asarray(bars[name], of_bars) for name in ("open", "high", "low", "close", "volume"))
    # log1p keeps the digits of a small volume; Qlib adds 1 and takes the logarithm.
    log1p = np.log1p if of_bars is np.float64 else lambda x: np.log(x + 1)
    span, top, bottom, twice = h - l + EPSILON, np.maximum(o, c), np.minimum(o, c), 2 * c - h - l
    vwap = bars["amount"] / v if "amount" in bars else (h + l + c) / 3
    yield from zip(
        BAR_NAMES,
        [(c - o) / o, (h - l) / o, (c - o) / span, (h - top) / o, (h - top) / span, (bottom - l) / o, (bottom - l) / span]
        + [twice / o, twice / span, o / c, h / c, l / c, vwap / c],
    )
    before, volume_before = ago(c, 1), ago(v, 1)
    change, volume_change = c - before, v - volume_before
    ratio, volume_ratio = c / before, log1p(v / volume_before)
    ratio, volume_ratio = (np.where(np.isfinite(x), x, np.nan) for x in (ratio, volume_ratio))
    weighted = np.abs(c / before - 1 if of_bars is np.float32 else change / before) * v
    weighted = np.where(np.isfinite(weighted), weighted, np.nan)
    results = {}
    for d in WINDOWS:
        closes, highs, lows, volumes = (windows(x, d) for x in (c, h, l, v))
        results["ROC", d], results["MA", d], results["STD", d] = ago(c, d) / c, _mean(closes) / c, _deviation(closes) / c
        slope, results["RSQR", d], rest = _line(closes)
        results["BETA", d], results["RESI", d] = slope / c, rest / c
        highest, lowest = np.nanmax(highs, axis=1), np.nanmin(lows, axis=1)
        results["MAX", d], results["MIN", d] = highest / c, lowest / c
        results["QTLU", d], results["QTLD", d] = (np.nanquantile(closes, q, axis=1) / c for q in (0.8, 0.2))
        results["RANK", d], results["RSV", d] = _rank(closes), (c - lowest) / (highest - lowest + EPSILON)
        at_highest, at_lowest = _position(highs, np.argmax), _position(lows, np.argmin)
        results["IMAX", d], results["IMIN", d], results["IMXD", d] = at_highest / d, at_lowest / d, (at_highest - at_lowest) / d
        results["CORR", d] = _correlation(closes, windows(log1p(v), d))
        results["CORD", d] = _correlation(windows(ratio, d), windows(volume_ratio, d))
        up, down = _mean(windows((c > before) * 1.0, d)), _mean(windows((c < before) * 1.0, d))
        results["CNTP", d], results["CNTN", d], results["CNTD", d] = up, down, up - down
        for prefix, moved in (("", change), ("V", volume_change)):
            rises, falls, all_moves = (_sum(windows(x, d)) for x in (np.maximum(moved, 0), np.maximum(-moved, 0), np.abs(moved)))
            for suffix, share in (("P", rises), ("N", falls), ("D", rises - falls)):
                results[f"{prefix}SUM{suffix}", d] = share / (all_moves + EPSILON)
        results["VMA", d], results["VSTD", d] = _mean(volumes) / (v + EPSILON), _deviation(volumes) / (v + EPSILON)
        moves = windows(weighted, d)
        results["WVMA", d] = _deviation(moves) / (_mean(moves) + EPSILON)
    yield from ((f"{family}{d}", results[family, d]) for family in FAMILIES for d in WINDOWS)


# Single values to 50 digits.


def _quotient(above, below):
    return None if above is None or below is None or below == 0 else above / below


class Exact:
    """Values of one symbol's columns, each computed from its own window alone."""

    def __init__(self, bars):
        self._series = {name: [mpmath.mpf(float(x)) for x in bars[name]] for name in ("open", "high", "low", "close", "volume")}
        if "amount" in bars:
            amounts = [mpmath.mpf(float(x)) for x in bars["amount"]]
            self._series["vwap"] = [_quotient(a, v) for a, v in zip(amounts, self._series["volume"])]
        else:
            self._series["vwap"] = [sum(three) / 3 for three in zip(*(self._series[name] for name in ("high", "low", "close")))]
        self._known = {}
        self._epsilon = mpmath.mpf(10) ** -12
        self._nearly_zero = 2 * mpmath.mpf(10) ** -5

    def value(self, name, row):
        """The column's value at this bar; None is null."""
        family, count = split(name)
        return self._of_bar(family, row) if count is None else self._of_window(family, count, row)

    def _derived(self, name, row):
        """A number that only a bar and the one before make."""
        key = name, row
        if key not in self._known:
            c, v = self._series["close"], self._series["volume"]
            if name == "log_volume":
                value = mpmath.log(v[row] + 1)
            elif row == 0:
                value = None
            elif name == "change":
                value = c[row] - c[row - 1]
            elif name == "volume_change":
                value = v[row] - v[row - 1]
            elif name == "ratio":
                value = _quotient(c[row], c[row - 1])
            elif name == "weighted":
                ratio = _quotient(c[row], c[row - 1])
                value = None if ratio is None else abs(ratio - 1) * v[row]
            else:
                ratio = _quotient(v[row], v[row - 1])
                value = None if ratio is None else mpmath.log(ratio + 1)
            self._known[key] = value
        return self._known[key]

    def _of_bar(self, name, row):
        o, h, l, c = (self._series[field][row] for field in ("open", "high", "low", "close"))
        if name == "VWAP0":
            return _quotient(self._series["vwap"][row], c)
        if name in ("OPEN0", "HIGH0", "LOW0"):
            return _quotient({"OPEN0": o, "HIGH0": h, "LOW0": l}[name], c)
        above = {"KMID": c - o, "KLEN": h - l, "KUP": h - max(o, c), "KLOW": min(o, c) - l, "KSFT": 2 * c - h - l}[name.rstrip("2")]
        return _quotient(above, h - l + self._epsilon if name.endswith("2") else o)

    def _window(self, name, count, row):
        """The window's values that are not null."""
        rows = range(max(row - count + 1, 0), row + 1)
        if name in self._series:
            return [self._series[name][i] for i in rows]
        return [value for value in (self._derived(name, i) for i in rows) if value is not None]

    def _of_window(self, family, count, row):
        close, volume = self._series["close"][row], self._series["volume"][row]
        get = lambda name: self._window(name, count, row)  # noqa: E731
        if family == "ROC":
            return _quotient(self._series["close"][row - count], close) if row >= count else None
        if family in ("MA", "STD"):
            return _quotient(_exact_mean(get("close")) if family == "MA" else _exact_deviation(get("close")), close)
        if family in ("BETA", "RSQR", "RESI"):
            return self._of_line(family, get("close"), close)
        if family in ("MAX", "MIN"):
            return _quotient(max(get("high")) if family == "MAX" else min(get("low")), close)
        if family in ("QTLU", "QTLD"):
            return _quotient(_exact_quantile(get("close"), mpmath.mpf(8 if family == "QTLU" else 2) / 10), close)
        if family == "RANK":
            seen = get("close")
            return (sum(x < close for x in seen) + mpmath.mpf(sum(x == close for x in seen) + 1) / 2) / len(seen)
        if family == "RSV":
            lowest = min(get("low"))
            return _quotient(close - lowest, max(get("high")) - lowest + self._epsilon)
        if family in ("IMAX", "IMIN", "IMXD"):
            highs, lows = get("high"), get("low")
            at_highest, at_lowest = highs.index(max(highs)) + 1, lows.index(min(lows)) + 1
            return mpmath.mpf({"IMAX": at_highest, "IMIN": at_lowest, "IMXD": at_highest - at_lowest}[family]) / count
        if family in ("CORR", "CORD"):
            names = ("close", "log_volume") if family == "CORR" else ("ratio", "log_volume_ratio")
            return self._correlation(*names, count, row)
        if family in ("CNTP", "CNTN", "CNTD"):
            changes = get("change")
            up, down = sum(x > 0 for x in changes), sum(x < 0 for x in changes)
            # The first bar of all has no change; its comparisons are false and count.
            return mpmath.mpf({"CNTP": up, "CNTN": down, "CNTD": up - down}[family]) / min(count, row + 1)
        if family in ("VMA", "VSTD"):
            about = _exact_mean(get("volume")) if family == "VMA" else _exact_deviation(get("volume"))
            return _quotient(about, volume + self._epsilon)
        if family == "WVMA":
            seen = get("weighted")
            return _quotient(_exact_deviation(seen), _exact_mean(seen) + self._epsilon) if seen else None
        moves = get("volume_change" if family.startswith("V") else "change")
        if not moves:
            return None
        rises, falls = sum(x for x in moves if x > 0), -sum(x for x in moves if x < 0)
        return {"P": rises, "N": falls, "D": rises - falls}[family[-1]] / (rises + falls + self._epsilon)

    def _of_line(self, family, seen, close):
        count = len(seen)
        if count < 2:
            return None
        mean, middle = _exact_mean(seen), mpmath.mpf(count + 1) / 2
        up, across = [x - mean for x in seen], [i + 1 - middle for i in range(count)]
        both, squares = mpmath.fdot(across, up), mpmath.mpf(count) * (count * count - 1) / 12
        if family == "BETA":
            return _quotient(both / squares, close)
        if family == "RESI":
            return _quotient(up[-1] - both / squares * across[-1], close)
        spread = mpmath.fdot(up, up)
        return None if mpmath.sqrt(spread / (count - 1)) <= self._nearly_zero else both * both / (squares * spread)

    def _correlation(self, left_name, right_name, count, row):
        for name in (left_name, right_name):
            deviation = _exact_deviation(self._window(name, count, row))
            if deviation is not None and deviation <= self._nearly_zero:
                return None
        rows = range(max(row - count + 1, 0), row + 1)
        value = lambda name, i: self._series[name][i] if name in self._series else self._derived(name, i)  # noqa: E731
        pairs = [(value(left_name, i), value(right_name, i)) for i in rows]
        pairs = [pair for pair in pairs if None not in pair]
        if len(pairs) < 2:
            return None
        left, right = ([x - _exact_mean(side) for x in side] for side in zip(*pairs))
        below = mpmath.sqrt(mpmath.fdot(left, left) * mpmath.fdot(right, right))
        if len(set(pair[0] for pair in pairs)) == 1 or len(set(pair[1] for pair in pairs)) == 1:
            return None
        return _quotient(mpmath.fdot(left, right), below)


def _exact_mean(seen):
    return mpmath.fsum(seen) / len(seen) if seen else None


def _exact_deviation(seen):
    if len(seen) < 2:
        return None
    mean = _exact_mean(seen)
    return mpmath.sqrt(mpmath.fsum((x - mean) ** 2 for x in seen) / (len(seen) - 1))


def _exact_quantile(seen, q):
    ordered = sorted(seen)
    place = q * (len(ordered) - 1)
    below = int(mpmath.floor(place))
    # A tenth has no finite binary form: a place that is whole but for the last digit is whole.
    if place - below > 1 - mpmath.mpf(10) ** -40:
        below += 1
    share = max(place - below, mpmath.mpf(0))
    return ordered[below] if below + 1 == len(ordered) else ordered[below] + share * (ordered[below + 1] - ordered[below])
