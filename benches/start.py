"""Starts Samovar beside a bare window and measures what both cost: "The window" in README.md.

Every program is started in turn, on an X server without a screen of its own (Xvfb, whose picture lies in a file that is looked at
every millisecond, so that neither program has to tell anything):

* first_ms      from the start of the process to the first pixel that is not the server's black
* first_cpu_ms  processor time all its threads had had by then; steadier than first_ms where others use the machine
* settled_ms    to the last change of the picture within the next seconds (Samovar: the list of symbols is there)
* idle_rss_mb   resident memory after ten seconds
* idle_cpu_ms   processor time of all its threads in ten seconds in which nobody does anything
* walked_rss_mb resident memory after 500 presses of the down key, a symbol's chart each, and five seconds

usage: start.py SAMOVAR BARE_WINDOW FOLDER [--rounds 5] [--source files:…] [--walk 500]

FOLDER gets an empty cache for every run and, once, a cache of 7,000 symbols of 250 bars with their classic features, or of --source.
Needs Xvfb, xdotool and, for the invented symbols, pyarrow.
"""

import argparse
import ctypes
import json
import mmap
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib

WIDTH, HEIGHT = 1600, 1000
IDLE_S = 10.0


class Screen:
    """Xvfb and a look at its picture."""

    def __init__(self, folder):
        self.folder = tempfile.mkdtemp(dir=folder)
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp", "-fbdir", self.folder]
        self.server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as told:
            self.display = f":{int(told.readline())}"
        with open(pathlib.Path(self.folder) / "Xvfb_screen0", "rb") as file:
            self.picture = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # The head of an X window dump: its own size first, bytes per line thirteenth, colours twentieth, each colour 12 bytes.
        head = struct.unpack(">25I", self.picture[:100])
        self.begin, self.line = head[0] + 12 * head[19], head[12]
        self.black = bytes(WIDTH * 4)

    def row(self, number):
        begin = self.begin + number * self.line
        return self.picture[begin : begin + WIDTH * 4]

    def is_black(self):
        return all(self.row(number) == self.black for number in range(20, HEIGHT, 140))

    def sum(self):
        check = 0
        for number in range(0, HEIGHT, 8):
            check = zlib.crc32(self.row(number), check)
        return check

    def close(self):
        self.picture.close()
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def thread_ms(process):
    """Processor time of each thread there is; the system counts it in nanoseconds."""
    found = {}
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        try:
            found[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e6
        except OSError:
            continue
    return found


def spent_ms(before, after, ticks):
    """What threads spent between two looks; of those that ended meanwhile only the system's ticks know."""
    spent = sum(total - before.get(thread, 0.0) for thread, total in after.items())
    return spent if before.keys() <= after.keys() else max(spent, ticks)


def ticks_ms(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def resident_mb(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent, as long as an XEvent."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 16),
    ]


def close(screen, window):
    """What a window manager does when the cross is clicked. A killed Samovar would check its files at the next start."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(screen.display.encode()))
    protocols, delete = (x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    message = ClientMessage(type=33, window=window, message_type=protocols, format=32)
    message.data[0] = delete
    x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x11.XCloseDisplay(display)


def window_of(screen, title):
    environment = {**os.environ, "DISPLAY": screen.display}
    found = subprocess.run(["xdotool", "search", "--name", title], env=environment, capture_output=True, text=True, check=True)
    return int(found.stdout.split()[0])


def key(screen, title, *keys):
    environment = {**os.environ, "DISPLAY": screen.display}
    window = str(window_of(screen, title))
    subprocess.run(["xdotool", "windowfocus", "--sync", window], env=environment, check=True, capture_output=True)
    subprocess.run(["xdotool", "key", *keys], env=environment, check=True)


def run(screen, command, home, title, walk, shot):
    """One start of one program."""
    environment = {**os.environ, "DISPLAY": screen.display, "LIBGL_ALWAYS_SOFTWARE": "1", "HOME": str(home), "SAMOVAR_CONFIG": str(home / "settings.toml")}
    environment |= {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CONFIG", "CACHE")}
    for name in ("WAYLAND_DISPLAY", "SAMOVAR_CACHE_DIR"):
        environment.pop(name, None)
    while not screen.is_black():
        time.sleep(0.02)
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while screen.is_black():
            if process.poll() is not None or time.perf_counter() - began > 60:
                sys.exit(f"{command} drew nothing")
            time.sleep(0.001)
        first = time.perf_counter()
        found = {"first_ms": (first - began) * 1e3, "first_cpu_ms": sum(thread_ms(process).values())}
        last, changed = screen.sum(), first
        while time.perf_counter() - began < IDLE_S:
            time.sleep(0.005)
            now = screen.sum()
            if now != last:
                last, changed = now, time.perf_counter()
        found |= {"settled_ms": (changed - began) * 1e3, "idle_rss_mb": resident_mb(process)}
        before, ticks = thread_ms(process), ticks_ms(process)
        time.sleep(IDLE_S)
        found |= {"idle_cpu_ms": spent_ms(before, thread_ms(process), ticks_ms(process) - ticks)}
        if walk:
            key(screen, title, "--delay", "40", "--repeat", str(walk), "Down")
            time.sleep(5)
            found |= {"walked_rss_mb": resident_mb(process)}
        if shot:
            subprocess.run(["import", "-window", "root", str(shot)], env=environment, check=False)
        return found
    finally:
        if process.poll() is None:
            close(screen, window_of(screen, title))
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            print(f"{title} did not close", file=sys.stderr)
            process.kill()
            process.wait()


def fill(samovar, folder, source):
    """A cache of 7,000 symbols, made once."""
    cache = folder / "full"
    if not cache.exists():
        if source is None:
            make = pathlib.Path(__file__).parent / "peers" / "make_market.py"
            source = f"files:{folder / 'market.parquet'}"
            subprocess.run([sys.executable, str(make), str(folder / "market.parquet"), "--symbols", "7000", "--bars", "250"], check=True)
        subprocess.run([samovar, "preheat", "--source", source, "--cache-dir", str(cache), "-q"], check=True)
    return cache, source or f"files:{folder / 'market.parquet'}"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("samovar", type=pathlib.Path)
    arguments.add_argument("bare", type=pathlib.Path)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--source")
    arguments.add_argument("--walk", type=int, default=500)
    arguments.add_argument("--shots", type=pathlib.Path, help="a folder for a picture of every window at its end")
    chosen = arguments.parse_args()
    folder = chosen.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    samovar, bare = str(chosen.samovar.resolve()), str(chosen.bare.resolve())
    full, source = fill(samovar, folder, chosen.source)
    measured = {"bare": [], "empty": [], "full": []}
    screen = Screen(folder)
    try:
        for number in range(chosen.rounds + 1):
            for name, found in measured.items():
                home = pathlib.Path(tempfile.mkdtemp(dir=folder))
                of_samovar = [samovar, "--source", source, "--cache-dir", str(full)] if name == "full" else [samovar, "--cache-dir", str(home / "empty")]
                shot = chosen.shots / f"{name}-{number}.png" if chosen.shots else None
                is_walked = name == "full" and number == 1
                title = "Bare window" if name == "bare" else "Samovar"
                one = run(screen, [bare] if name == "bare" else of_samovar, home, title, chosen.walk if is_walked else 0, shot)
                shutil.rmtree(home, ignore_errors=True)
                # The first round brings programs and fonts into the system's memory.
                if number > 0:
                    found.append(one)
                print(name, {what: round(value, 1) for what, value in one.items()}, file=sys.stderr)
    finally:
        screen.close()
    names = ["first_ms", "first_cpu_ms", "settled_ms", "idle_rss_mb", "idle_cpu_ms", "walked_rss_mb"]
    middle = {
        name: {what: round(statistics.median(values), 1) for what in names if (values := [one[what] for one in found if what in one])}
        for name, found in measured.items()
    }
    middle["ratio_of_first_frames"] = round(middle["full"]["first_ms"] / middle["bare"]["first_ms"], 2)
    print(json.dumps(middle, indent=2))


if __name__ == "__main__":
    main()
