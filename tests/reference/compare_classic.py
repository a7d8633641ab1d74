#!/usr/bin/env python3
"""Compares every cached classic feature with an independent computation from the cached bars.

    compare_classic.py CACHE_DIR [--source NAME] [--literal]

Reads `bars-v1/<source>/<stem>.parquet` and `features-v1/<source>/classic@<hash>/<stem>.parquet` for every symbol that has
features, computes all 45 columns again in extended precision (`classic_reference.py`; `--literal`: in plain float64, the
formulas as anybody would type them), and prints for each feature the largest error.

* `relative` is |value − reference|/|reference|, nothing else.
* `of terms` divides by max(|reference|, 1e-5·terms), where terms is the size of the numbers whose difference the value is
  (the price for MACD, 100 for percentages …). Near a crossing such a difference has no digits left in *any* float64
  computation, so this is what decides; where a column is no such difference both are the same.

Exit 1 if one is above 1e-9 (`of terms`), if nulls are in other places, if a file holds NaN or infinity, or if raw columns
or dates differ from the bars'.

needs: pip install numpy pyarrow
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from classic_reference import NAMES, RAW, classic_matrix, pad

LIMIT = 1e-9
TERMS_SHARE = 1e-5


def column(table, name):
    """A column as float64 with NaN for null, and whether it holds a NaN or infinity of its own."""
    values = table.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
    null = table.column(name).is_null().to_numpy(zero_copy_only=False)
    return values, bool((~np.isfinite(values) & ~null).any())


def read(cache, only_source):
    """(label, bars table, features table) of every symbol with classic features."""
    for folder in sorted(cache.glob("features-v1/*/classic@*")):
        source = folder.parent.name
        if only_source and source != only_source:
            continue
        for path in sorted(folder.glob("*.parquet")):
            bars_path = cache / "bars-v1" / source / path.name
            if not bars_path.exists():
                sys.exit(f"{path} has no bars beside it: {bars_path} is missing")
            # ParquetFile, not read_table: that one would take `a=b` in the folders' names for a column.
            yield f"{source}/{path.stem}", pq.ParquetFile(bars_path).read(), pq.ParquetFile(path).read()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--source", help="only this source's folder")
    parser.add_argument("--literal", action="store_true", help="reference in plain float64 instead of extended precision")
    options = parser.parse_args()

    labels, bars, features, problems = [], {name: [] for name in [*RAW, "turnover"]}, {name: [] for name in NAMES}, []
    has_turnover = False
    for label, bars_table, table in read(options.cache, options.source):
        labels.append(label)
        time = "date" if "date" in bars_table.column_names else "time"
        order = [name for name in table.column_names if name in NAMES]
        if order != NAMES:
            problems.append(f"{label}: columns are {order}")
            continue
        if not table.column(time).equals(bars_table.column(time)):
            problems.append(f"{label}: {time} differs from the bars'")
        for name in RAW:
            values, odd = column(bars_table, name)
            bars[name].append(values)
            if odd or not np.array_equal(values, column(table, name)[0]):
                problems.append(f"{label}: {name} differs from the bars', or is not finite")
        with_turnover = "turnover" in bars_table.column_names
        has_turnover |= with_turnover
        bars["turnover"].append(column(bars_table, "turnover")[0] if with_turnover else np.full(len(table), np.nan))
        for name in NAMES:
            values, odd = column(table, name)
            features[name].append(values)
            if odd:
                problems.append(f"{label}: {name} holds NaN or infinity instead of null")
    if not labels:
        sys.exit(f"no classic features below {options.cache}")
    rows = sum(map(len, bars["close"]))

    dtype = np.float64 if options.literal else np.longdouble
    if dtype is np.longdouble and np.finfo(dtype).nmant < 60:
        print("note: this system has no extended precision; the reference is plain float64", file=sys.stderr)
    matrices = {name: pad(values, dtype) for name, values in bars.items() if name != "turnover" or has_turnover}
    terms = {}
    reference = classic_matrix(matrices, terms)

    print(f"{len(labels)} symbols, {rows} bars, reference in {'float64' if options.literal else 'extended precision'}")
    print(f"{'feature':16} {'values':>8} {'nulls':>7} {'relative':>9} {'>1e-9':>6} {'of terms':>9}  where")
    exists, failed = ~np.isnan(matrices["close"]), bool(problems)
    for name in NAMES:
        values, expected = pad(features[name], dtype), reference[name]
        null = np.isnan(values)
        misplaced = (null != np.isnan(expected)) & exists
        known = ~null & ~misplaced & exists
        gap = np.where(known, np.abs(values - expected), 0)
        size = np.where(known, np.abs(expected), 1)
        with np.errstate(all="ignore"):
            relative = np.where(gap == 0, 0, gap / size)
            of_terms = np.where(gap == 0, 0, gap / np.maximum(size, TERMS_SHARE * np.where(known, terms[name], 0)))
        row, bar = np.unravel_index(np.argmax(of_terms), of_terms.shape)
        # Not `> LIMIT`: NaN must not pass.
        bad = not bool(of_terms[row, bar] <= LIMIT) or bool(misplaced.any())
        failed |= bad
        note = f"{labels[row]}[{bar}]" if gap[row, bar] > 0 else ""
        if misplaced.any():
            first_row, first_bar = np.argwhere(misplaced)[0]
            note = f"{int(misplaced.sum())} NULLS IN OTHER PLACES, first {labels[first_row]}[{first_bar}]"
        print(
            f"{name:16} {int(known.sum()):8} {int((null & exists).sum()):7} {float(relative.max()):9.1e} "
            f"{int((relative > LIMIT).sum()):6} {float(of_terms[row, bar]):9.1e}  {'FAILED ' if bad else ''}{note}"
        )
    for problem in problems[:20]:
        print(problem)
    if len(problems) > 20:
        print(f"… and {len(problems) - 20} more")
    print("FAILED" if failed else "all 45 features agree")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
