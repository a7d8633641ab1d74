#!/usr/bin/env python3
"""How long one new day for all symbols takes beside a full preheat, and a preheat that finds everything fresh.

Makes its own copy of a table beside it (same server, another database), and changes only that copy. Needs the `mariadb` (or `mysql`)
command line client and nothing else; see README.md beside it.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from urllib.parse import parse_qs, unquote, urlsplit

DATABASE = "samovar_daily_bench"


def client(url):
    """The database's own client, logged in."""
    program = shutil.which("mariadb") or shutil.which("mysql") or sys.exit("neither `mariadb` nor `mysql` is installed")
    command = [program, "--batch", "--skip-column-names", f"--host={url.hostname}", f"--port={url.port or 3306}"]
    command.append(f"--user={unquote(url.username or 'root')}")
    environment = {**os.environ, **({"MYSQL_PWD": unquote(url.password)} if url.password else {})}

    def run(sql):
        done = subprocess.run(command, input=sql, env=environment, text=True, check=True, stdout=subprocess.PIPE)
        return [line.split("\t") for line in done.stdout.splitlines()]

    return run


class Bench:
    def __init__(self, options):
        self.options = options
        url = urlsplit(options.source)
        query = parse_qs(url.query)
        self.run = client(url)
        self.table = query.get("table", ["stock_kline_data"])[0]
        self.symbol, self.date = options.symbol, options.date
        copy = f"`{DATABASE}`.`{self.table}`"
        original = f"`{url.path.strip('/')}`.`{self.table}`"
        self.run(f"DROP DATABASE IF EXISTS `{DATABASE}`; CREATE DATABASE `{DATABASE}`; CREATE TABLE {copy} LIKE {original};"
                 f"INSERT INTO {copy} SELECT * FROM {original}; ANALYZE TABLE {copy}")
        self.copy = copy
        self.last = self.run(f"SELECT MAX(`{self.date}`) FROM {copy}")[0][0]
        self.columns = [row[0] for row in self.run(f"SHOW COLUMNS FROM {copy}")]
        self.url = url._replace(path=f"/{DATABASE}").geturl()

    def add_day(self, number):
        """The last day of all again, so many days later, with prices a little higher."""
        prices = {"open", "high", "low", "close"}
        factor = 1 + number / 100
        chosen = [f"DATE_ADD(`{name}`, INTERVAL {number} DAY)" if name == self.date
                  else f"`{name}` * {factor}" if name.lower() in prices else f"`{name}`" for name in self.columns]
        self.run(f"INSERT INTO {self.copy} SELECT {', '.join(chosen)} FROM {self.copy} WHERE `{self.date}` = '{self.last}'")

    def back(self):
        """As it was copied."""
        self.run(f"DELETE FROM {self.copy} WHERE `{self.date}` > '{self.last}'; OPTIMIZE TABLE {self.copy}")

    def preheat(self, folder, ttl, source=None):
        """Seconds of the process, and its report."""
        command = [self.options.samovar, "preheat", "--quiet", "--json", "--ttl", ttl, "--source", source or self.url,
                   "--cache-dir", os.path.join(folder, "cache"), "--config", os.path.join(folder, "settings.toml")]
        began = time.monotonic()
        done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
        return time.monotonic() - began, json.loads(done.stdout)


def fresh(bench, folder, symbols):
    """Preheats many symbols of few bars, and again when all are fresh: seconds of the latter."""
    import sqlite3
    path = os.path.join(folder, "many.db")
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE bars (symbol TEXT, trade_date TEXT, open REAL, high REAL, low REAL, close REAL, volume REAL)")
        rows = ((f"S{number:05}", f"2024-01-{day:02}", 10 + day, 11 + day, 9 + day, 10.5 + day, 1000) for number in range(symbols)
                for day in range(2, 6))
        database.executemany("INSERT INTO bars VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        database.execute("CREATE INDEX by_symbol ON bars (symbol, trade_date)")
    source = f"sqlite:{path}?table=bars"
    bench.preheat(folder, "24h", source)
    seconds = []
    for _ in range(bench.options.rounds):
        took, report = bench.preheat(folder, "24h", source)
        assert report["symbols"]["skipped_fresh"] == symbols, report["symbols"]
        seconds.append(took)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="mysql://USER@HOST:PORT/DATABASE?table=TABLE with daily bars")
    parser.add_argument("--samovar", default="target/release/samovar", help="the program to measure")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured, in turn")
    parser.add_argument("--days", type=int, default=2, help="new days after each full preheat, each measured")
    parser.add_argument("--symbol", default="symbol", help="the table's column of symbols")
    parser.add_argument("--date", default="trade_date", help="its column of dates")
    parser.add_argument("--fresh", type=int, default=5500, help="symbols of the preheat that finds everything fresh; 0 leaves it out")
    options = parser.parse_args()
    bench = Bench(options)
    full, new_day, unchanged, reports = [], [], [], []
    try:
        with tempfile.TemporaryDirectory(dir=os.environ.get("SAMOVAR_BENCH_DIR")) as scratch:
            for number in range(options.rounds):
                folder = os.path.join(scratch, str(number))
                os.mkdir(folder)
                took, report = bench.preheat(folder, "1s")
                full.append((took, report["seconds"]["total"]))
                for day in range(1, options.days + 1):
                    bench.add_day(day)
                    time.sleep(1.2)  # until the time to live is over
                    took, report = bench.preheat(folder, "1s")
                    assert report["symbols"]["appended"] > 0 and report["symbols"]["failed"] == 0, report["symbols"]
                    new_day.append((took, report["seconds"]["total"]))
                    reports.append(report)
                took, _ = bench.preheat(folder, "24h")
                unchanged.append(took)
                bench.back()
                shutil.rmtree(folder)
                print(f"round {number + 1}: full {full[-1][0]:.3f} s, new days "
                      + ", ".join(f"{took:.3f}" for took, _ in new_day[-options.days:]) + f" s, all fresh {unchanged[-1]:.3f} s", flush=True)
            many = []
            if options.fresh:
                folder = os.path.join(scratch, "fresh")
                os.mkdir(folder)
                many = fresh(bench, folder, options.fresh)
    finally:
        bench.run(f"DROP DATABASE IF EXISTS `{DATABASE}`")
    median = statistics.median
    (full_process, full_report), (day_process, day_report) = [[median(one) for one in zip(*measured)] for measured in (full, new_day)]
    counted = reports[-1].get("counted", {})
    print(f"full preheat:  {full_process:.3f} s as a process, {full_report:.3f} s by its report (medians of {len(full)})")
    print(f"one new day:   {day_process:.3f} s as a process, {day_report:.3f} s by its report (medians of {len(new_day)})")
    print(f"ratio:         {day_process / full_process:.1%} as a process, {day_report / full_report:.1%} by the reports")
    print(f"last new day:  {counted}")
    print(f"all fresh:     {median(unchanged):.3f} s as a process")
    if many:
        print(f"all fresh:     {median(many):.3f} s as a process with {options.fresh} symbols")


if __name__ == "__main__":
    main()
