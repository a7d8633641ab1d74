#!/usr/bin/env python3
"""Times Qlib's own engine on Alpha158, or on 14 of its factors, without any cache, and prints JSON.

    qlib_peer.py BARS.parquet STORE alpha158|alpha14 [--kernels 2] [--backend multiprocessing] [--repetitions 1] [--most N]

STORE is a Qlib data folder; it is made from the bars where there is none. Timed is one `D.features` over all symbols and days: reading
the store's binary files (which the system holds in memory after the first time), computing, and handing back one frame. A run over a
few symbols and other expressions comes first, unmeasured, so that everything is loaded and no result is. What Qlib keeps in its own
memory is thrown away before every run; loky's processes stay alive and keep theirs, so with loky there is one run only.

needs: pip install pyqlib==0.9.7 "numpy<2" polars
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

# One thread per process: Qlib's parallelism is its processes.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(name, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/reference"))

FOURTEEN = "ROC5 MA5 MA20 STD20 BETA20 RSQR20 RESI20 MAX20 MIN20 RSV20 CORR20 CNTP20 SUMP20 VMA20".split()

# Of nothing but the average price, which one of the factors uses, and in windows none of them has.
WARM_UP = ["Slope($vwap, 7)+Rsquare($vwap, 7)+Resi($vwap, 7)", "Corr($vwap, Log($vwap+1), 7)", "Rank($vwap, 7)+Quantile($vwap, 7, 0.3)"]
WARM_UP += ["IdxMax($vwap, 7)+Std($vwap, 7)+Sum(Greater(Abs($vwap), 0), 7)+Max($vwap, 7)"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bars", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("factors", choices=["alpha158", "alpha14"])
    parser.add_argument("--kernels", type=int, default=2, help="processes")
    parser.add_argument("--backend", default="multiprocessing", choices=["multiprocessing", "loky", "threading"])
    parser.add_argument("--memory-entries", type=int, default=500, help="expressions Qlib keeps in memory (its default is 500)")
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--most", type=int, help="only the first so many symbols, when the store is made")
    options = parser.parse_args()
    if options.backend == "loky" and options.repetitions > 1:
        parser.error("with loky only the first run finds nothing kept")

    import logging

    import numpy
    import pandas
    import qlib
    from qlib.contrib.data.loader import Alpha158DL
    from qlib.data import D
    from qlib.data.cache import H
    from qlib_store import read_bars, write_store

    if not (options.store / "calendars").exists():
        write_store(options.store, read_bars(options.bars, most=options.most))
    qlib.init(
        provider_uri=str(options.store),
        region="us",
        kernels=options.kernels,
        joblib_backend=options.backend,
        mem_cache_size_limit=options.memory_entries,
        expression_cache=None,
        dataset_cache=None,
        logging_level=logging.WARNING,
    )
    fields, names = Alpha158DL.get_feature_config()
    if options.factors == "alpha14":
        fields = [field for field, name in zip(fields, names) if name in FOURTEEN]
        assert len(fields) == 14
    for path in sorted(options.store.glob("features/*/*.bin")):
        path.read_bytes()
    everyone = D.list_instruments(D.instruments("all"), as_list=True)
    D.features(everyone[: 4 * options.kernels], WARM_UP)
    seconds = []
    for _ in range(options.repetitions):
        H.clear()
        started = time.perf_counter()
        frame = D.features(D.instruments("all"), fields)
        seconds.append(time.perf_counter() - started)
    rows, columns = frame.shape
    print(
        json.dumps(
            {
                "side": "qlib",
                "task": options.factors,
                "symbols": int(frame.index.get_level_values("instrument").nunique()),
                "rows": rows,
                "columns": columns,
                "threads": options.kernels,
                "settings": {"backend": options.backend, "memory_entries": options.memory_entries},
                "seconds": seconds,
                "rows_per_second": rows / min(seconds),
                "versions": {module.__name__: module.__version__ for module in (qlib, pandas, numpy)},
            }
        )
    )


if __name__ == "__main__":
    main()
