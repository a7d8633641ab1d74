"""How fast connectorx reads the same rows out of PostgreSQL or SQLite: the other side of `rows_pg_sqlite`.

usage: connectorx_peer_pg_sqlite.py URL TABLE [--date COLUMN] [--repetitions N] [--ours PROGRAM SOURCE_URL [--digest]]
  URL: postgresql://user@host:5432/db or sqlite:///full/path.db
With --ours both sides are measured in turn, one repetition each, and the ratio is printed. All ways that connectorx has are tried
(protocols, 1, 2 and 4 partitions by ranges of symbols); the fastest counts.
needs: pip install connectorx pyarrow
"""
import argparse
import json
import subprocess
import time

import connectorx as cx

arguments = argparse.ArgumentParser()
arguments.add_argument("url")
arguments.add_argument("table")
arguments.add_argument("--date", default="trade_date")
arguments.add_argument("--repetitions", type=int, default=5)
arguments.add_argument("--ours", nargs=2, metavar=("PROGRAM", "SOURCE_URL"))
arguments.add_argument("--digest", action="store_true")
given = arguments.parse_args()

SELECT = f"SELECT symbol, {given.date}, open, high, low, close, volume FROM {given.table}"
ORDER = f" ORDER BY symbol, {given.date}"


def queries(symbols: list[str], partitions: int) -> list[str]:
    if partitions == 1:
        return [SELECT + ORDER]
    size = -(-len(symbols) // partitions)
    parts = [symbols[begin : begin + size] for begin in range(0, len(symbols), size)]
    quoted = lambda name: "'" + name.replace("'", "''") + "'"
    return [f"{SELECT} WHERE symbol >= {quoted(part[0])} AND symbol <= {quoted(part[-1])}{ORDER}" for part in parts]


def peer(way: tuple[str | None, int]) -> tuple[float, int]:
    protocol, partitions = way
    more = {"protocol": protocol} if protocol else {}
    began = time.perf_counter()
    table = cx.read_sql(given.url, queries(symbols, partitions), return_type="arrow", **more)
    return time.perf_counter() - began, table.num_rows


def ours() -> tuple[float, int]:
    command = [given.ours[0], given.ours[1], "--repetitions", "1"] + (["--digest"] if given.digest else [])
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return min(report["seconds"]), report["rows"]


listing = f"SELECT symbol FROM {given.table} GROUP BY symbol ORDER BY symbol"
symbols = [str(name) for name in cx.read_sql(given.url, listing, return_type="arrow").column(0).to_pylist()]
protocols = ["binary", "csv", "cursor"] if given.url.startswith("postgres") else [None]
ways = [(protocol, partitions) for protocol in protocols for partitions in (1, 2, 4)]
seconds: dict[str, list[float]] = {}
rows = 0
for _ in range(given.repetitions):
    for way in ways:
        took, rows = peer(way)
        seconds.setdefault(f"{way[0] or 'rows'} x{way[1]}", []).append(took)
    if given.ours:
        took, our_rows = ours()
        assert our_rows == rows, (our_rows, rows)
        seconds.setdefault("samovar", []).append(took)
best = {way: min(took) for way, took in seconds.items()}
fastest = min((way for way in best if way != "samovar"), key=best.get)
report = {"rows": rows, "rows_per_second": {way: round(rows / took) for way, took in best.items()}, "fastest_peer": fastest}
if given.ours:
    report["ratio"] = round(best[fastest] / best["samovar"], 2)
print(json.dumps(report, indent=2))
