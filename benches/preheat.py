#!/usr/bin/env python3
"""Times a cold preheat beside `mariadb --quick` reading the same rows and beside a pandas script, in turn, and prints JSON.

    preheat.py SAMOVAR mysql://USER@HOST:PORT/DATABASE?table=TABLE [--symbols 200] [--rounds 5] [--pandas-rounds N] [--out FILE]

Every round reads the same rows of the same symbols (the first ones by name) three times:

- `mariadb --quick` into nothing, one statement ordered by symbol and date, as the peer that only reads;
- `samovar preheat` into a new cache: bars and the 45 columns of `classic`, durable when it ends; timed are the whole process and
  what it reports itself;
- `peers/pandas_preheat.py` (left out with --pandas-rounds 0), without its start and imports.

The order within a round turns from round to round, so that no side always follows the same one. Counted is the median over the
rounds of the ratio within a round. The table has the columns symbol, trade_date, open, high, low, close, volume.

needs: the `mariadb` client; for pandas: pip install pandas sqlalchemy pymysql pyarrow
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

HERE = Path(__file__).resolve().parent


def client(url):
    command = ["mariadb", f"-h{url.hostname}", f"-P{url.port or 3306}", f"-u{url.username or 'root'}", "--quick", "--skip-column-names"]
    return command + ([f"-p{url.password}"] if url.password else []) + [url.path.strip("/")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samovar", type=Path)
    parser.add_argument("source")
    parser.add_argument("--symbols", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pandas-rounds", type=int, help="as many as --rounds when left out")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--samovar-options", default="", help="further arguments of `samovar preheat`")
    options = parser.parse_args()
    url = urlsplit(options.source)
    table = parse_qs(url.query)["table"][0]
    read = client(url)
    listed = subprocess.run(
        [*read, "-e", f"SELECT DISTINCT symbol FROM {table} ORDER BY symbol LIMIT {options.symbols}"], check=True, capture_output=True, text=True
    )
    symbols = listed.stdout.split()
    names = ",".join(f"'{symbol}'" for symbol in symbols)
    statement = (
        f"SELECT symbol, trade_date, open, high, low, close, volume FROM {table} WHERE symbol IN ({names}) ORDER BY symbol, trade_date"
    )
    pandas_rounds = options.rounds if options.pandas_rounds is None else options.pandas_rounds
    with tempfile.TemporaryDirectory(prefix="samovar-bench-") as folder:
        folder = Path(folder)
        (folder / "symbols").write_text("\n".join(symbols))
        environment = {**os.environ, "SAMOVAR_CONFIG": str(folder / "settings.toml")}

        def mariadb(_):
            started = time.perf_counter()
            subprocess.run([*read, "-e", statement], check=True, stdout=subprocess.DEVNULL)
            return {"seconds": time.perf_counter() - started}

        def samovar(round_number):
            # Folders of their own, removed at the end: ext4 is slow at making files where it has just removed some.
            command = [options.samovar, "preheat", "--source", options.source, "--symbols", ",".join(symbols), "--json"]
            command += ["--cache-dir", folder / f"cache{round_number}"]
            started = time.perf_counter()
            ran = subprocess.run([*command, *options.samovar_options.split()], check=True, capture_output=True, text=True, env=environment)
            seconds = time.perf_counter() - started
            report = json.loads(ran.stdout)
            assert report["symbols"]["ok"] == len(symbols), report
            return {"seconds": seconds, "reported": report["seconds"], "rows": report["rows"], "bytes": report["bytes"]}

        def pandas(round_number):
            if round_number >= pandas_rounds:
                return None
            target = f"mysql+pymysql://{url.netloc}{url.path}"
            script = HERE / "peers" / "pandas_preheat.py"
            ran = subprocess.run(
                [sys.executable, script, target, table, folder / "symbols", folder / f"pandas{round_number}"], check=True, capture_output=True, text=True
            )
            return json.loads(ran.stdout)

        sides = [mariadb, samovar, pandas]
        results = {side.__name__: [] for side in sides}
        mariadb(0)  # The table into the server's memory.
        for round_number in range(options.rounds):
            turned = sides[round_number % 3 :] + sides[: round_number % 3]
            for side in turned:
                results[side.__name__].append(side(round_number))
                os.sync()
    middle = lambda values: round(statistics.median(values), 3)  # noqa: E731
    seconds = {side: [run["seconds"] for run in runs if run] for side, runs in results.items()}
    against = lambda side: [theirs["seconds"] / ours["seconds"] for theirs, ours in zip(results[side], results["samovar"]) if theirs]  # noqa: E731
    summary = {
        "symbols": len(symbols),
        "rows": results["samovar"][0]["rows"],
        "bytes": results["samovar"][0]["bytes"],
        "median_seconds": {side: middle(runs) for side, runs in seconds.items() if runs}
        | {"samovar_reported": middle([run["reported"]["total"] for run in results["samovar"]])},
        "samovar_takes_of_mariadb": middle([1 / ratio for ratio in against("mariadb")]),
        "times_faster_than_pandas": middle(against("pandas")) if pandas_rounds else None,
        "seconds": {side: [round(run, 3) for run in runs] for side, runs in seconds.items()},
    }
    text = json.dumps(summary, indent=2)
    if options.out:
        options.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
