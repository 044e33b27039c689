#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Profiles of a real program: what `go tool pprof` and `protoc` read in them, with the tables' sums."""

import gzip
import http.client
import re
import socket

from live import *

SCHEMA = os.path.join(ROOT, "src/export")


def pprof(*args):
    return run(["go", "tool", "pprof"] + list(args)).stdout


def profile(file, name, *args):
    out = path(name)
    return out, run([WAKELAG, "export", file, "--format", "pprof", "-o", out] + list(args)).stderr


def total(file, metric, table="heatmap"):
    """(samples, ns) of a metric in a table."""
    rows = export(file, table, metric)
    return sum(r["count"] for r in rows), sum(r["sum_ns"] for r in rows)


def samples(file):
    """Of `pprof -raw`: ({value type: sum}, the values of each sample by its labels, names of functions)."""
    raw = pprof("-raw", file)
    lines = raw[raw.index("\nSamples:\n") + 10:raw.index("\nLocations\n")].splitlines()
    types = [t.split("[")[0] for t in lines[0].split()]
    sums, labels = collections.Counter(), []
    for line in lines[1:]:
        values = re.match(r"((?: +\d+)+):", line)
        if values:
            for kind, value in zip(types, values[1].split()):
                sums[kind] += int(value)
            labels.append({})
        else:
            labels[-1].update(re.findall(r"(\w+):\[(.*?)\](?= \w+:|\s*$)", line))
    names = set(re.findall(r"^ +\d+: 0x\w+ (?:M=\d+ )?(.+?) \S*:\d+ s=", raw[raw.index("\nLocations\n"):], re.M))
    return sums, labels, names


def threads(file):
    """A mutex that two waiters want: their stacks, who held it, and as much time as the tables have."""
    out, talk = profile(file, "default.pb.gz")
    check("says_which_metric", "only lock.wait" in talk and "thread.futex" in talk, talk)
    sums, labels, names = samples(out)
    count, ns = total(file, "lock.wait")
    check("sums", count and (sums["contentions/count"], sums["delay/nanoseconds"]) == (count, ns),
          f"{dict(sums)}, table {count} and {ns} ns")
    locks = export(file, "locks")
    check("sums_of_locks", (sum(r["count"] for r in locks), sum(r["sum_ns"] for r in locks)) == (count, ns),
          f"table locks, heatmap {count} and {ns} ns")
    check("functions", any("pthread_mutex_lock" in n for n in names), f"{sorted(names)}")
    check("labels", all(l["metric"] == "lock.wait" and l["class"] and l["thread"] and l["lock"] for l in labels),
          f"{labels[:3]}")
    check("holders", any(l.get("holder") for l in labels), f"{labels[:3]}")
    top = pprof("-top", "-cum", "-unit=ns", "-nodefraction=0", out)
    shown = re.search(r"Total samples = (\d+)ns", top)
    check("top_total", shown and int(shown[1]) == ns, f"{top[:400]}, table {ns} ns")
    check("top_name", "pthread_mutex_lock" in top, top)


def metrics_of(file):
    """Another metric, with stages: they add up to the delay."""
    out, _ = profile(file, "drift.pb.gz", "--metric", "thread.drift")
    sums, _, names = samples(out)
    count, ns = total(file, "thread.drift")
    check("drift_sums", count and (sums["contentions/count"], sums["delay/nanoseconds"]) == (count, ns), f"{dict(sums)}")
    stages = {k: v for k, v in sums.items() if k.startswith("delay_")}
    check("drift_stages", len(stages) > 2 and sum(stages.values()) == ns, f"{stages}, {ns} ns")
    check("drift_class", "[nanosleep]" in names, f"{names}")
    top = pprof("-top", "-sample_index=delay_slack", out)
    check("sample_index", "Type: delay_slack" in top, top[:300])
    _, talk = profile(file, "two.pb.gz", "--metric", "thread.futex", "--metric", "lock.wait")
    check("warns_of_sums", "twice" in talk, talk)


def judged(file):
    if not shutil.which("protoc"):
        skip("protoc", "not installed")
        return
    out, _ = profile(file, "judged.pb.gz")
    with gzip.open(out) as f:
        decoded = subprocess.run(["protoc", f"--proto_path={SCHEMA}", "--decode=pprof.Profile", "profile.proto"],
                                 input=f.read(), capture_output=True, check=False)
    text = decoded.stdout.decode("utf-8", "replace")
    check("protoc", decoded.returncode == 0 and "sample {" in text and '"pthread_mutex_lock"' in text.replace("__", ""),
          decoded.stderr or text[:300])
    check("no_unknown_fields", not re.search(r"^\s*\d+[:{]", text, re.M), text[:300])


def page(port, target):
    """What pprof's web server answers, as soon as it listens."""
    for _ in range(END_SECONDS * 100):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=END_SECONDS)
            connection.request("GET", target)
            return connection.getresponse().read().decode()
        except ConnectionRefusedError:
            time.sleep(0.01)
    raise RuntimeError("pprof does not listen")


def web(file):
    out, _ = profile(file, "web.pb.gz")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    server = start(["go", "tool", "pprof", "-no_browser", f"-http=127.0.0.1:{port}", out], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        check("http_top", "pthread_mutex_lock" in page(port, "/ui/top"), "no pthread_mutex_lock in /ui/top")
        check("http_flamegraph", "pthread_mutex_lock" in page(port, "/ui/flamegraph"), "no pthread_mutex_lock in it")
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def folded(file):
    """Lines as flamegraph.pl reads them: frames, a space, a number."""
    text = run([WAKELAG, "export", file, "--format", "folded"]).stdout
    lines = [re.fullmatch(r"(\S.*) (\d+)", l) for l in text.splitlines()]
    check("folded_lines", lines and all(lines), text[:300])
    check("folded_sum", sum(int(l[2]) for l in lines if l) == total(file, "lock.wait")[1], text[:300])
    stacks = [l[1].split(";") for l in lines if l]
    check("folded_order", any("pthread_mutex_lock" in ";".join(s[2:]) and s[0] for s in stacks), f"{stacks[:3]}")
    check("folded_once", len({l[1] for l in lines if l}) == len(lines), "a stack has two lines")


def profiles():
    if not shutil.which("go"):
        skip("profiles", "no go tool pprof")
        return
    file = path("p.wlag")
    record_command(file, "--", *workload("locks", 5, 2, 40))
    for test in (threads, metrics_of, judged, web, folded):
        test(file)


def goroutines():
    """Locks of Go: the goroutine's number and its stack."""
    file = path("g.wlag")
    record_command(file, "--go", "full", "--", *workload("go/locks", 10, 10000))
    out, _ = profile(file, "g.pb.gz", "--metric", "goroutine.lock")
    sums, labels, names = samples(out)
    check("goroutine_sums", sums["contentions/count"] and
          (sums["contentions/count"], sums["delay/nanoseconds"]) == total(file, "goroutine.lock"), f"{dict(sums)}")
    check("goroutine_functions", "main.mutexWait" in names and any(n.startswith("sync.(*Mutex)") for n in names),
          f"{sorted(names)}")
    check("goroutine_waker", any("main.mutexHolder" in l.get("waker", "") for l in labels), f"{labels[:3]}")
    raw = pprof("-raw", out)
    check("goroutine_label", re.search(r"goroutine:\[\d+\]", raw), raw[:600])


main(profiles, goroutines)
