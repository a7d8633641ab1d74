"""Reads the same rows with connectorx, in every way it can share them out, and prints JSON.

    python connectorx_peer.py mysql://USER@HOST:PORT/DATABASE --table TABLE --symbol COLUMN --partition-on INTEGER_COLUMN

Every way is measured --repetitions times; the best of the best is what counts. `lists` are statements of their own for so many
equal shares of the symbols, `partitions` are connectorx's own over the range of an integer column, `whole` is one statement.
"""

import argparse
import json
import time

import connectorx


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("url")
    arguments.add_argument("--table", default="stock_kline_data")
    arguments.add_argument("--symbol", default="symbol")
    arguments.add_argument("--columns", default="symbol, trade_date, open, high, low, close, volume")
    arguments.add_argument("--order", default="symbol, trade_date")
    arguments.add_argument("--partition-on", default="volume")
    arguments.add_argument("--shares", default="1,2,4")
    arguments.add_argument("--protocols", default="binary,text")
    arguments.add_argument("--repetitions", type=int, default=5)
    options = arguments.parse_args()

    listed = connectorx.read_sql(options.url, f"SELECT DISTINCT {options.symbol} FROM {options.table} ORDER BY 1", return_type="arrow")
    symbols = [str(symbol) for symbol in listed.column(0).to_pylist()]
    select = f"SELECT {options.columns} FROM {options.table}"
    order = f" ORDER BY {options.order}"

    def lists(shares):
        size = -(-len(symbols) // shares)
        quoted = ["'" + symbol.replace("'", "''") + "'" for symbol in symbols]
        return [
            f"{select} WHERE {options.symbol} IN ({','.join(quoted[start:start + size])}){order}" for start in range(0, len(symbols), size)
        ]

    ways = {}
    for protocol in options.protocols.split(","):
        common = {"return_type": "arrow", "protocol": protocol}
        ways[f"{protocol} whole"] = lambda common=common: connectorx.read_sql(options.url, select + order, **common)
        for shares in map(int, options.shares.split(",")):
            ways[f"{protocol} lists {shares}"] = lambda shares=shares, common=common: connectorx.read_sql(
                options.url, lists(shares), **common
            )
            if shares > 1:
                ways[f"{protocol} partitions {shares}"] = lambda shares=shares, common=common: connectorx.read_sql(
                    options.url, select + order, partition_on=options.partition_on, partition_num=shares, **common
                )

    report = {}
    for way, read in ways.items():
        seconds = []
        for _ in range(options.repetitions):
            started = time.perf_counter()
            rows = read().num_rows
            seconds.append(time.perf_counter() - started)
        report[way] = {"rows": rows, "seconds": [round(second, 4) for second in seconds], "rows_per_second": round(rows / min(seconds))}
    best = max(report, key=lambda way: report[way]["rows_per_second"])
    print(json.dumps({"best": best, "best_rows_per_second": report[best]["rows_per_second"], "ways": report}, indent=1))


if __name__ == "__main__":
    main()
