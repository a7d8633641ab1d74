"""The other side of "Files beside polars and pandas" in benches/README.md: the same columns in files that polars and pandas write by
default, per symbol, and all files of features read back by polars.

parquet_peer.py CACHE_DIR [--repetitions N]
"""

import argparse
import io
import json
import time
from pathlib import Path

import pandas
import polars
import pyarrow


def best(work, repetitions):
    """The least milliseconds, of wall clock and of all cores' time."""
    wall, cpu = [], []
    for _ in range(repetitions):
        wall_start, cpu_start = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - wall_start)
        cpu.append(time.process_time() - cpu_start)
    return {"ms": round(min(wall) * 1e3, 1), "cpu_ms": round(min(cpu) * 1e3, 1)}


def written(frames, write):
    sizes = []

    def work():
        sizes.clear()
        for frame in frames:
            target = io.BytesIO()
            write(frame, target)
            sizes.append(target.tell())

    times = best(work, 2)
    return {"bytes": sum(sizes), **times}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cache", type=Path)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    result = {"versions": {"polars": polars.__version__, "pandas": pandas.__version__, "pyarrow": pyarrow.__version__}}
    for tree in ("bars", "features"):
        files = sorted((options.cache / f"{tree}-v1").rglob("*.parquet"))
        frames = [polars.read_parquet(file, hive_partitioning=False) for file in files]
        tables = [frame.to_pandas() for frame in frames]
        result[tree] = {
            "files": len(files),
            "samovar": {"bytes": sum(file.stat().st_size for file in files)},
            "polars": written(frames, lambda frame, target: frame.write_parquet(target)),
            "pandas": written(tables, lambda table, target: table.to_parquet(target, index=False)),
        }
        del frames, tables
    pattern = [str(folder / "*.parquet") for folder in sorted((options.cache / "features-v1").glob("*/*")) if folder.is_dir()]
    polars.scan_parquet(pattern).collect()
    result["polars scan_parquet"] = best(lambda: polars.scan_parquet(pattern).collect(), options.repetitions)
    print(json.dumps(result, indent=2))


main()
