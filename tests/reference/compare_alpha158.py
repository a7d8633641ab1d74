#!/usr/bin/env python3
"""Compares Samovar's alpha158 with Qlib's, value by value; where they part, 50 decimal digits say who is nearer.

    run_qlib.py BARS.parquet FOLDER
    samovar preheat --source files:FOLDER/bars.parquet --set alpha158 --cache-dir FOLDER/cache
    compare_alpha158.py FOLDER FOLDER/cache

The second argument is a cache, or any folder of `<symbol>.parquet` with the columns; `--reference` takes this folder's own float64
computation instead of Samovar's, to try the method itself. Both sides computed from the same float32-rounded bars, which is checked.

For each column: values, nulls, the largest relative distance |Samovar − Qlib|/|Qlib| where they agree, how many values are further
apart than 1e-4, and of these how many times which of the two is nearer to the value computed with 50 digits (`alpha158_reference.py`).
`worst` is that largest distance among those that are apart. A value that Qlib has as infinite counts as null there. Where the true
value is exactly zero and both are within 1e-12 of it, both are right. Nulls in different places are listed with who is right.

Why Qlib is off is told apart by computing the bars' own arithmetic (differences, ratios, logarithms) in float32 as Qlib does, but every
window by itself: where that comes out within 1e-4 of Qlib, float32 is why; else Qlib's sums, which it carries along, are.

Exit 1 if Qlib is nearer anywhere, if a null of Samovar's is wrong, or if a file holds NaN or infinity.

needs: pip install numpy polars mpmath gmpy2
"""

import argparse
import multiprocessing
import sys
from collections import Counter
from pathlib import Path

import mpmath
import numpy as np
import polars as pl
from alpha158_reference import NAMES, Exact, alpha158_float64, split

LIMIT = 1e-4
RAW = ["open", "high", "low", "close", "volume"]


def samovar_files(folder):
    """{symbol: path}; of a cache, the files of its newest version of the set."""
    folders = sorted(folder.glob("features-v1/*/alpha158@*"), key=lambda path: path.stat().st_mtime)
    return {path.stem: path for path in sorted((folders[-1] if folders else folder).glob("*.parquet"))}


def read_samovar(path, bars):
    """The columns, NaN for null, and what is wrong with the file."""
    frame, problems = pl.read_parquet(path), []
    order = [name for name in frame.columns if name in NAMES]
    if order != NAMES:
        return None, [f"{path.name}: columns are {order}"]
    for name in RAW:
        if name in frame.columns and not np.array_equal(frame[name].cast(pl.Float64).to_numpy(), bars[name]):
            problems.append(f"{path.name}: {name} is not what Qlib was given")
    columns = {}
    for name in NAMES:
        values = frame[name].cast(pl.Float64)
        problems += [f"{path.name}: {name} holds NaN or infinity"] if not values.drop_nulls().is_finite().all() else []
        columns[name] = values.fill_null(float("nan")).to_numpy()
    if len(frame) != len(bars["close"]):
        return None, [f"{path.name}: {len(frame)} rows, not {len(bars['close'])}"]
    return columns, problems


def judge(samovar, qlib, exact):
    """Whose value is nearer to the exact one: "samovar", "qlib" or "both"; a null is right only where the exact one is null."""
    if exact is None or np.isnan(samovar) or np.isnan(qlib):
        ours, theirs = np.isnan(samovar) == (exact is None), np.isnan(qlib) == (exact is None)
        return "both" if ours == theirs else "samovar" if ours else "qlib"
    ours, theirs = abs(mpmath.mpf(float(samovar)) - exact), abs(mpmath.mpf(float(qlib)) - exact)
    if ours == theirs or (abs(exact) < mpmath.mpf(10) ** -40 and max(ours, theirs) < 1e-12):
        return "both"
    return "samovar" if ours < theirs else "qlib"


def compare(task):
    """Of one symbol: per column what `main` adds up, examples of every judgement, and problems."""
    symbol, bars, qlib, path = task
    samovar, problems = (alpha158_float64(bars), []) if path is None else read_samovar(path, bars)
    exact, columns, examples, narrow = Exact(bars), {}, [], alpha158_float64(bars, np.float32)
    for name in NAMES if samovar else []:
        ours, theirs = samovar[name], np.where(np.isfinite(qlib[name]), qlib[name], np.nan)
        misplaced = np.isnan(ours) != np.isnan(theirs)
        with np.errstate(all="ignore"):
            apart = np.where(ours == theirs, 0, np.abs(ours - theirs) / np.abs(theirs))
        known = ~np.isnan(ours) & ~misplaced
        far = known & ~(apart <= LIMIT)
        counts = Counter(values=int(known.sum()), nulls=int(np.isnan(ours).sum()), far=int(far.sum()), misplaced=int(misplaced.sum()))
        for row in np.flatnonzero(far | misplaced):
            true = exact.value(name, int(row))
            nearer = judge(ours[row], theirs[row], true)
            kind = "null" if misplaced[row] else "far"
            counts[kind, nearer] += 1
            if nearer == "samovar":
                with np.errstate(all="ignore"):
                    by_float32 = abs(narrow[name][row] - theirs[row]) <= LIMIT * abs(theirs[row])
                counts["float32" if by_float32 or (np.isnan(narrow[name][row]) and np.isnan(theirs[row])) else "sums"] += 1
            true = np.nan if true is None else float(true)
            if kind == "null" or nearer == "qlib" or counts[kind, nearer] == 1:
                examples.append((name, kind, nearer, symbol, int(row), float(ours[row]), float(theirs[row]), true))
        near = known & ~far
        columns[name] = counts, float(apart[near].max(initial=0)), float(apart[far].max(initial=0))
    return columns, examples, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="what run_qlib.py wrote")
    parser.add_argument("samovar", type=Path, nargs="?", help="Samovar's cache, or a folder of its files")
    parser.add_argument("--reference", action="store_true", help="compare the float64 reference instead of Samovar")
    parser.add_argument("--most", type=int, help="only the first so many symbols")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    if (options.samovar is None) != options.reference:
        parser.error("either Samovar's files or --reference")

    bars = pl.read_parquet(options.folder / "bars.parquet").partition_by("symbol", as_dict=True, maintain_order=True)
    bars = {symbol: {name: part[name].to_numpy() for name in RAW} for (symbol,), part in list(bars.items())[: options.most]}
    files = {} if options.reference else samovar_files(options.samovar)
    frames = pl.read_parquet(options.folder / "qlib.parquet").partition_by("symbol", as_dict=True)
    tasks, problems = [], []
    for symbol, own in bars.items():
        frame = frames[symbol,].sort("row")
        if options.reference or symbol in files:
            qlib = {name: frame[name].to_numpy().astype(np.float64) for name in NAMES}
            tasks.append((symbol, own, qlib, files.get(symbol)))
        else:
            problems.append(f"{symbol}: Samovar has no file")
    if not tasks:
        sys.exit("no symbol is on both sides")

    total = {name: [Counter(), 0.0, 0.0] for name in NAMES}
    examples = []
    with multiprocessing.Pool(options.jobs) as pool:
        for columns, some, wrong in pool.imap_unordered(compare, tasks):
            for name, (counts, near, far) in columns.items():
                total[name][0] += counts
                total[name][1:] = max(total[name][1], near), max(total[name][2], far)
            examples += some
            problems += wrong

    print(f"{len(tasks)} symbols, {sum(len(task[1]['close']) for task in tasks)} bars; beyond {LIMIT:g} of Qlib's value counts as apart")
    print(f"{'':8} {'':>9} {'':>8} {'where they agree':>16} {'':>8} {'':>9}  {'apart: nearer is':^26} {'null in one: right is':^26}")
    titles = [f"{name:>8}" for name in ("Samovar", "Qlib", "both")]
    print(f"{'column':8} {'values':>9} {'nulls':>8} {'worst':>16} {'apart':>8} {'worst':>9} {' '.join(titles)} {' '.join(titles)}")
    for name in NAMES:
        counts, near, far = total[name]
        judged = [f"{counts[kind, who]:8}" for kind in ("far", "null") for who in ("samovar", "qlib", "both")]
        print(f"{name:8} {counts['values']:9} {counts['nulls']:8} {near:16.1e} {counts['far']:8} {far:9.1e} {' '.join(judged)}")
    everything = sum((counts for counts, _, _ in total.values()), Counter())
    for kind, text in (("far", "apart"), ("null", "null in one")):
        judged = ", ".join(f"{who} {everything[kind, who]}" for who in ("samovar", "qlib", "both"))
        print(f"{text}: {everything['far' if kind == 'far' else 'misplaced']} of {everything['values']} values; right or nearer: {judged}")
    print(f"why Qlib is off: float32 before windows {everything['float32']}, sums carried along {everything['sums']}")
    for why in ("float32", "sums"):
        families = Counter()
        for name, (counts, _, _) in total.items():
            families[split(name)[0]] += counts[why]
        print(f"  {why}: " + (", ".join(f"{family} {count}" for family, count in families.most_common() if count) or "none"))
    order = {"qlib": 0, "samovar": 1, "both": 2}
    shown = Counter()
    for name, kind, nearer, symbol, row, ours, theirs, true in sorted(examples, key=lambda x: (order[x[2]], x[1], NAMES.index(x[0]), x[3:5])):
        shown[kind, nearer, name] += 1
        if shown[kind, nearer, name] <= (3 if nearer == "qlib" else 1):
            print(f"{kind}: {nearer:7} is right, {name} of {symbol}[{row}]: Samovar {ours!r}, Qlib {theirs!r}, 50 digits {true!r}")
    for problem in problems[:20]:
        print(problem)
    failed = bool(problems) or any(everything[kind, "qlib"] for kind in ("far", "null"))
    print("FAILED" if failed else "Samovar agrees with Qlib, or is nearer to the truth")
    sys.exit(failed)


if __name__ == "__main__":
    main()
