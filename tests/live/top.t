#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""top shows the last seconds, again and again."""

from live import *


def frames():
    process, _ = start_ready(workload("sleepers", 2, 20))
    shown = run([WAKELAG, "top", "-p", process.pid, "-d", "3500ms"]).stdout
    stop(process)
    headlines = [line for line in shown.splitlines() if line.startswith("sleepers (") and " late " in line]
    check("top_redraws", len(headlines) >= 3, f"{len(headlines)} frames: {shown[:300]}")
    check("top_shows_drift", shown.count("thread.drift: timer-caused wakeups") >= 3, shown[:300])
    check("top_no_escapes_in_files", "\033" not in shown, "escape sequences")


def terminal():
    """In a terminal of 24 lines it stays within them, and redraws from the top left."""
    if not shutil.which("script"):
        return skip("top_terminal", "no script (package bsdutils)")
    process, _ = start_ready(workload("sleepers", 2, 20))
    command = f"stty rows 24 cols 80; {WAKELAG} top -p {process.pid} -d 2500ms"
    shown = run(["script", "-qec", command, "/dev/null"], env={**os.environ, "TERM": "xterm"}).stdout
    stop(process)
    drawn = shown.split("\033[H\033[2J")[1:]
    check("top_clears", len(drawn) >= 2, f"{len(drawn)} frames")
    check("top_fits", all(f.count("\n") <= 24 for f in drawn), [f.count("\n") for f in drawn])


main(frames, terminal)
