"""Writes the exchanges' calendars of this folder, and the figures the tests compare them with.

    python3 -m venv calendars-venv && calendars-venv/bin/pip install exchange_calendars
    calendars-venv/bin/python assets/calendars/make_calendars.py

For each exchange: its time zone, its regular hours, the weekdays it was closed, and the days with other hours, all local.
Everything that is not written down follows: every other weekday is a session with regular hours.
"""

import csv
import datetime
import importlib.metadata
import pathlib

import exchange_calendars
import pandas

# Our file, the calendar it is taken from, first and last year. Years after the package's release are what its rules say; nobody
# knows the closings yet that are decided from case to case, so the years end soon.
EXCHANGES = [
    ("XNYS", "New York", 1990, 2030),
    ("XSHG", "Shanghai and Shenzhen", 1991, 2030),
    ("XHKG", "Hong Kong", 1990, 2030),
    ("XLON", "London", 1990, 2030),
    ("XFRA", "Frankfurt", 1990, 2030),
    ("XTKS", "Tokyo", 1997, 2030),
    ("XKRX", "Seoul", 1990, 2030),
    ("XMOS", "Moscow", 1990, 2030),
]
FOLDER = pathlib.Path(__file__).resolve().parent
GOLDEN = FOLDER.parent.parent / "tests" / "golden" / "sessions_by_year.csv"


def text_of(time):
    return time.strftime("%H:%M")


def wrapped(head, items):
    """Lines of a bearable length, each beginning with the same words."""
    for start in range(0, len(items), 12):
        yield " ".join([head, *items[start : start + 12]])


def calendar_of(code, first_year, last_year):
    last = pandas.Timestamp(last_year, 12, 31)
    # A year more is asked for than is written: rules such as "the first session of a year" go wrong at the end of a calendar.
    end = last + pandas.DateOffset(years=1)
    bound = type(exchange_calendars.get_calendar(code)).bound_max()
    if bound is not None:
        last, end = min(last, bound), min(end, bound)
    return exchange_calendars.get_calendar(code, start=pandas.Timestamp(first_year, 1, 1), end=end), last


def write(code, name, first_year, last_year, version):
    calendar, last = calendar_of(code, first_year, last_year)
    first = pandas.Timestamp(first_year, 1, 1)
    schedule = calendar.schedule[:last]
    opens = schedule["open"].dt.tz_convert(calendar.tz)
    closes = schedule["close"].dt.tz_convert(calendar.tz)

    changes = sorted({start for start, _ in [*calendar.open_times, *calendar.close_times] if start is not None})
    starts = [first, *[start for start in changes if first < start <= last]]

    def regular(day):
        def pick(times):
            return [time for start, time in times if start is None or start <= day][-1]

        return pick(calendar.open_times), pick(calendar.close_times)

    special = {}
    golden = {}
    for day in schedule.index:
        assert day.weekday() < 5, f"{code}: a session at a weekend, {day}"
        hours = (opens[day].time(), closes[day].time())
        assert opens[day].date() == closes[day].date() == day.date(), f"{code}: a session over midnight, {day}"
        if hours != regular(day):
            special.setdefault(hours, []).append(day.strftime("%Y%m%d"))
        year = golden.setdefault(day.year, [0, 0, 0])
        year[0] += 1
        year[1] += int(schedule["open"][day].timestamp()) // 60
        year[2] += int(schedule["close"][day].timestamp()) // 60

    sessions = set(schedule.index)
    closed = {}
    for day in pandas.bdate_range(first, last):
        if day not in sessions:
            closed.setdefault(day.year, []).append(day.strftime("%m%d"))

    lines = [
        f"# Sessions of {name}, made by make_calendars.py; see README.md for where they come from.",
        f"# exchange_calendars {version}, {datetime.date.today()}",
        f"zone {calendar.tz}",
        f"covers {first.date()} {last.date()}",
    ]
    for start in starts:
        opening, closing = regular(start)
        lines.append(f"hours {start.date()} {text_of(opening)} {text_of(closing)}")
    for year, days in sorted(closed.items()):
        lines.extend(wrapped(f"closed {year}", days))
    for (opening, closing), days in sorted(special.items()):
        lines.extend(wrapped(f"special {text_of(opening)} {text_of(closing)}", days))
    (FOLDER / f"{code}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [[code, year, *figures] for year, figures in sorted(golden.items())]


def main():
    version = importlib.metadata.version("exchange_calendars")
    rows = [row for exchange in EXCHANGES for row in write(*exchange, version)]
    with GOLDEN.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["exchange", "year", "sessions", "open_minutes", "close_minutes"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
