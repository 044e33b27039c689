#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""serve: what Prometheus and browsers get, that it agrees with a recording, and that nobody can bring it down.

WAKELAG_SCRAPE_SECONDS: how long the real Prometheus scrapes (6; a minute is the full test)."""

import json
import re
import socket
import urllib.error
import urllib.parse
import urllib.request

from live import *

SCRAPE_SECONDS = int(os.environ.get("WAKELAG_SCRAPE_SECONDS", "6"))
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
DRIFT = "wakelag_thread_drift_seconds"
SAMPLE = re.compile(r'^([a-z_0-9]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
SUFFIXES = {"counter": ["_total"], "gauge": [""], "info": ["_info"], "histogram": ["_bucket", "_count", "_sum"]}


def tools():
    """The directory of prometheus and promtool; None: the reason was told."""
    if not hasattr(tools, "answer"):
        done = run([os.path.join(ROOT, "tools/prometheus/fetch")], status=None)
        tools.answer = done.stdout.strip() if done.returncode == 0 else None
        tools.reason = "no Prometheus: " + (done.stderr.strip().splitlines() or ["?"])[-1]
    return tools.answer


class Server:
    """A `wakelag serve` in the background; entering waits until all is attached."""

    def __init__(self, *args):
        self.args = args

    def __enter__(self):
        self.process = start([WAKELAG, "serve", *self.args], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
        self.talk = ""
        for line in self.process.stderr:
            self.talk += line
            if line.startswith(READY):
                self.url = re.search(r"http://\S+(?=/)", self.talk).group()
                self.address = self.url[len("http://"):]
                return self
        raise RuntimeError(f"serve ended, status {self.process.wait()}: {self.talk}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.status = self.process.wait(END_SECONDS)
        self.process.stderr.close()

    def get(self, path, accept=None, timeout=10):
        """(status, content type, text)."""
        request = urllib.request.Request(self.url + path, headers={"Accept": accept} if accept else {})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as reply:
                return reply.status, reply.headers["Content-Type"], reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], error.read().decode()

    def connect(self):
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=10)

    def anonymous_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as f:
            return int(re.search(r"RssAnon:\s*(\d+)", f.read()).group(1))


def parse(text):
    """An OpenMetrics text, strictly: {(name, labels): value}."""
    lines = text.split("\n")
    assert lines[-2:] == ["# EOF", ""], lines[-2:]
    family, kind, families, samples = None, None, set(), {}
    for line in lines[:-2]:
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family not in families, f"{family} comes twice"
            families.add(family)
        elif line.startswith("# "):
            word, name = line.split(" ")[1:3]
            assert word in ("HELP", "UNIT") and name == family, line
            assert word != "UNIT" or family.endswith("_" + line.split(" ")[3]), line
        else:
            name, labels, value = SAMPLE.match(line).groups()
            assert name in [family + s for s in SUFFIXES[kind]], line
            key = (name, tuple(LABEL.findall(labels or "")))
            assert key not in samples, line
            samples[key] = float(value)
    return samples


def histograms(samples, family):
    """labels without le -> [(bound, cumulative count)], each checked."""
    result = collections.defaultdict(list)
    for (name, labels), value in samples.items():
        if name == family + "_bucket":
            result[labels[:-1]].append((float(labels[-1][1]), value))
    for labels, buckets in result.items():
        assert buckets == sorted(buckets) and buckets[-1][0] == float("inf"), buckets
        assert [n for _, n in buckets] == sorted(n for _, n in buckets), buckets
        assert buckets[-1][1] == samples[(family + "_count", labels)], labels
    return result


def bucket(bounds, ns):
    return next(i for i, bound in enumerate(bounds) if ns <= bound * 1e9)


def pages():
    load, _ = start_ready(workload("sleepers", 4, 30))
    with Server("-p", load.pid, "--listen", ":0") as server:
        wait_for(lambda: server.get("/healthz")[0] == 200, what="health")
        wait_for(lambda: f"{DRIFT}_bucket" in server.get("/metrics", OPENMETRICS)[2], what="samples")
        status, kind, text = server.get("/metrics", OPENMETRICS)
        first = parse(text)
        check("serve_openmetrics", status == 200 and kind.startswith(OPENMETRICS) and f"{DRIFT}_bucket" in text, kind)
        status, kind, classic = server.get("/metrics")
        check("serve_classic", kind.startswith("text/plain; version=0.0.4") and "# EOF" not in classic, kind)
        if tools():
            done = subprocess.run([tools() + "/promtool", "check", "metrics"], input=classic, capture_output=True,
                                  text=True, check=False)
            check("serve_promtool_metrics", done.returncode == 0, done.stderr + done.stdout)
        else:
            skip("serve_promtool_metrics", tools.reason)
        wait_for(lambda: "<title>wakelag: pid" in server.get("/")[2] and "thread.drift" in server.get("/")[2], what="picture")
        page = server.get("/")[2]
        check("serve_page", "http-equiv=\"refresh\"" in page and "<script" not in page and page.count("<svg") == 1, page[:300])
        check("serve_svg", server.get("/heatmap.svg")[1] == "image/svg+xml", server.get("/heatmap.svg")[1])
        check("serve_not_found", server.get("/nothing")[0] == 404, "")
        wait_for(lambda: server.get("/metrics", OPENMETRICS)[2] != text, what="a newer page")
        later = parse(server.get("/metrics", OPENMETRICS)[2])
        sums = [k for k in first if k[0].endswith(("_total", "_bucket", "_count", "_sum"))]
        shrunk = [(k, first[k], later.get(k)) for k in sums if later.get(k, -1) < first[k]]
        check("serve_grows_only", not shrunk, shrunk[:5])
        check("serve_grows", any(later[k] > first[k] for k in sums if k[0] == DRIFT + "_count"), "")
        check("serve_self", first[("wakelag_records_total", ())] > 0 and
              first[("wakelag_resident_memory_bytes", ())] > 1 << 20, "")
    check("serve_status", server.status == 0, server.status)
    stop(load)


def top():
    """A hundred threads, few series."""
    load, _ = start_ready(workload("sleepers", 100, 30))
    with Server("-p", load.pid, "--listen", ":0", "--top", "5") as server:
        key = (DRIFT + "_count", (("class", "nanosleep"), ("entity", "rest")))
        wait_for(lambda: key in parse(server.get("/metrics", OPENMETRICS)[2]), what="rest")
        found = histograms(parse(server.get("/metrics", OPENMETRICS)[2]), DRIFT)
        check("serve_top", len({dict(labels)["entity"] for labels in found}) == 6, list(found))
    stop(load)


def listening(pid):
    """The local addresses of a process's listening sockets, in hex."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        inodes.update(re.findall(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}")))
    found = []
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as f:
            rows = [line.split() for line in f.readlines()[1:]]
        found += [row[1].split(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes]
    return found


def addresses():
    load, _ = start_ready(workload("sleepers", 1, 30))
    with Server("-p", load.pid, "--listen", ":0") as server:
        found = listening(server.process.pid)
        check("serve_loopback_only", found == ["0100007F"], found)
        done = run([WAKELAG, "serve", "-p", load.pid, "--listen", server.address], status=None)
        check("serve_port_taken", done.returncode == 1 and "EADDRINUSE" in done.stderr and "hint: " in done.stderr, done.stderr)
    with Server("-p", load.pid, "--listen", "0.0.0.0:0") as server:
        check("serve_beyond_when_told", listening(server.process.pid) == ["00000000"] and "no passwords" in server.talk,
              server.talk)
    for wrong in ("9465", "example.org:9465", "127.0.0.1:65536", "[::1:9465", "1.2.3.4.5:1"):
        done = run([WAKELAG, "serve", "-p", load.pid, "--listen", wrong], status=None)
        check(f"serve_usage_{wrong}", done.returncode == 64 and "--listen" in done.stderr, done.stderr)
    stop(load)


MALFORMED = [
    b"\r\n" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00\xff\x80" * 1000, b"GET /" + b"a" * 100000,
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"GET /%00%ff/../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 20000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"HEAD /metrics HTTP/1.0\r\n\r\n", b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
]


def send(server, data):
    """What came back, until the server closed or took too long."""
    with server.connect() as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: s.recv(65536), b""))
        except OSError:
            return b""


def is_well(server):
    begin = time.monotonic()
    return server.get("/healthz")[0] == 200 and time.monotonic() - begin < 3


def drifts(server):
    """Samples so far."""
    samples = parse(server.get("/metrics", OPENMETRICS)[2])
    return sum(value for (name, _), value in samples.items() if name == DRIFT + "_count")


def hostile():
    """Nonsense, clients that neither speak nor listen, and a thousand at a time."""
    load, _ = start_ready(workload("sleepers", 4, 60))
    with Server("-p", load.pid, "--listen", ":0") as server:
        wait_for(lambda: server.get("/healthz")[0] == 200, what="health")
        replies = [send(server, data) for data in MALFORMED]
        check("serve_malformed", is_well(server) and not any(b" 200 " in r[:20] for r in replies[:-2]), [r[:40] for r in replies])
        check("serve_head", replies[-2].startswith(b"HTTP/1.") and b" 200 " in replies[-2][:20] and
              replies[-2].endswith(b"\r\n\r\n"), replies[-2][-80:])
        check("serve_read_only", b" 405 " in replies[-1][:20], replies[-1][:40])
        silent = [server.connect() for _ in range(1000)]
        check("serve_1000_silent", is_well(server), "not served beside them")
        for s in silent[::2]:
            try:
                s.sendall(b"GET /metrics HTTP/1.1\r\n")  # and never the rest of it
            except OSError:
                pass
        check("serve_1000_half", is_well(server), "not served beside them")
        deaf = [server.connect() for _ in range(50)]
        for s in deaf:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        check("serve_deaf", is_well(server), "not served beside them")
        check("serve_bounded", server.anonymous_kb() < 64 * 1024 and len(os.listdir(f"/proc/{server.process.pid}/fd")) < 256,
              f"{server.anonymous_kb()} kB")
        for s in silent + deaf:
            s.close()
        before = drifts(server)
        wait_for(lambda: drifts(server) > before, what="further samples")
        ok("serve_still_records")
    check("serve_hostile_status", server.status == 0, server.status)
    stop(load)


class Prometheus:
    """The real one, scraping every half second, with our alert rules made quicker."""

    def __init__(self, target):
        os.makedirs(path("prometheus"), exist_ok=True)
        with open(os.path.join(ROOT, "tools/deploy/wakelag-alerts.yml"), encoding="utf-8") as f:
            rules = f.read().replace("[2m]", "[4s]").replace("for: 1m", "for: 1s")
        with open(path("wakelag-alerts.yml"), "w", encoding="utf-8") as f:
            f.write(rules)
        with open(os.path.join(ROOT, "tools/deploy/prometheus.yml"), encoding="utf-8") as f:
            config = f.read().replace("15s", "500ms").replace("127.0.0.1:9465", target)
        with open(path("prometheus.yml"), "w", encoding="utf-8") as f:
            f.write(config)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{s.getsockname()[1]}"

    def __enter__(self):
        self.log = open(path("prometheus.log"), "w", encoding="utf-8")
        self.process = start([tools() + "/prometheus", f"--config.file={path('prometheus.yml')}",
                              f"--storage.tsdb.path={path('prometheus')}", f"--web.listen-address={self.address}"],
                             stdout=self.log, stderr=self.log)
        try:
            wait_for(self.is_ready, what="Prometheus")
        except RuntimeError as error:
            with open(path("prometheus.log"), encoding="utf-8") as f:
                raise RuntimeError(f"{error}: {f.read()[-800:]}") from None
        return self

    def __exit__(self, *_):
        stop(self.process)
        self.log.close()

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=2):
                return True
        except OSError:
            return False

    def api(self, what, **query):
        url = f"http://{self.address}/api/v1/{what}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as reply:
            return json.load(reply)["data"]

    def query(self, text, **options):
        """[(labels, value)]"""
        return [(r["metric"], float(r["value"][1])) for r in self.api("query", query=text, **options)["result"]]


def scraped():
    """What Prometheus makes of it is what a recording of the same time says."""
    if not tools():
        return [skip(name, tools.reason) for name in ("serve_prometheus", "serve_quantiles", "serve_alert")]
    file, cpu = path("s.wlag"), last_cpu()
    load = start(workload("mixer", SCRAPE_SECONDS + 40, cpu), stdout=subprocess.DEVNULL)
    spinners = [start_ready(workload("spin", 1, cpu, SCRAPE_SECONDS + 40))[0] for _ in range(3)]
    with Recording(file, "-p", load.pid), Server("-p", load.pid, "--listen", ":0") as server, \
            Prometheus(server.address) as prometheus:
        begin = time.monotonic()
        wait_for(lambda: any(a["labels"]["alertname"] == "WakelagThreadDrift" and a["state"] == "firing"
                             for a in prometheus.api("alerts")["alerts"]), what="alert")
        ok("serve_alert")
        wait_for(lambda: time.monotonic() - begin > SCRAPE_SECONDS, SCRAPE_SECONDS + 5, "time")
        end = time.time()
        check("serve_prometheus", prometheus.query("up", time=end)[0][1] == 1, prometheus.api("targets"))
        counts = {labels["entity"]: n for labels, n in prometheus.query(f"sum by (entity) ({DRIFT}_count)", time=end)}
        found = {(entity, q): quantile_of(prometheus, entity, q, end) for entity in counts for q in (0.5, 0.9, 0.99)}
        bounds = sorted({float(labels["le"]) for labels, _ in prometheus.query(f"{DRIFT}_bucket", time=end)})
        start_time = prometheus.query("wakelag_start_time_seconds", time=end)[0][1]
        answered = [e for e in expressions() if prometheus.query(e, time=end)]  # raises if it is none
        check("deploy_expressions", len(answered) > 8, f"only {answered} have an answer")
    compare(file, start_time, counts, found, bounds)
    for process in spinners + [load]:
        stop(process)


def quantile_of(prometheus, entity, q, end):
    text = f'histogram_quantile({q}, sum by (le) ({DRIFT}_bucket{{entity="{entity}"}}))'
    return prometheus.query(text, time=end)[0][1] * 1e9


def compare(file, start_time, counts, found, bounds):
    """Of the samples that the recording has since the server began, as many as the server had then. Those that were
    asked for before it began, and ended after, the server may have or not."""
    begin = json.loads(run([WAKELAG, "export", file, "--format", "json"]).stdout)["recording"]["start_unix_ns"]
    since = start_time * 1e9 - begin
    wrong = []
    for entity, count in counts.items():
        ended = [e for e in export(file, "events", "thread.drift") if e["entity"] == entity and e["t_ns"] >= since]
        asked = [e for e in ended if e["t_ns"] - e["latency_ns"] >= since]
        lists = [sorted(e["latency_ns"] for e in events[:int(count)]) for events in (ended, asked)]
        if len(lists[0]) < count - 2:
            wrong.append((entity, count, len(lists[0])))
        for q in (0.5, 0.9, 0.99):
            truths_of = [quantile(own, q) for own in lists]
            if min(abs(bucket(bounds, t) - bucket(bounds, found[entity, q])) for t in truths_of) > 1:
                wrong.append((entity, q, truths_of, found[entity, q]))
    check("serve_quantiles", len(counts) >= 2 and min(counts.values()) > 100 and not wrong, f"{counts} {wrong}")


def exported():
    """A recording in the same form has every sample in its bucket, but for those at a bound."""
    file = path("e.wlag")
    load, _ = start_ready(workload("sleepers", 3, 30))
    with Recording(file, "-p", str(load.pid), "-d", "1s") as recording:
        recording.end(None)
    stop(load)
    samples = parse(run([WAKELAG, "export", file, "--format", "openmetrics"]).stdout)
    found = histograms(samples, DRIFT)
    events = export(file, "events", "thread.drift")
    wrong = []
    for labels, buckets in found.items():
        own = [e["latency_ns"] for e in events if e["entity"] == dict(labels)["entity"] and e["class"] == dict(labels)["class"]]
        for bound, count in buckets[:-1]:
            low, high = (sum(ns <= bound * 1e9 * f for ns in own) for f in (0.96, 1.04))
            if not low <= count <= high:
                wrong.append((labels, bound, count, low, high))
        if buckets[-1][1] != len(own):
            wrong.append((labels, buckets[-1], len(own)))
    check("export_openmetrics", len(found) == 3 and not wrong, wrong)


def expressions():
    """What the dashboard and the rules ask Prometheus."""
    with open(os.path.join(ROOT, "tools/deploy/grafana-dashboard.json"), encoding="utf-8") as f:
        board = json.load(f)
    found = [t["expr"] for p in board["panels"] for t in p.get("targets", [])]
    with open(os.path.join(ROOT, "tools/deploy/wakelag-alerts.yml"), encoding="utf-8") as f:
        found += re.findall(r"^ +expr: (.*)", f.read(), re.M)
    return [e.replace("$job", ".*").replace("$instance", ".*").replace("$__rate_interval", "1m") for e in found]


def goroutines():
    """Gauges of a Go process; and all families that the dashboard and the rules ask for are there, or are documented."""
    try:
        load, _ = start_ready([os.path.join(WORKLOADS, "go", "timers"), "sleep,ticker", "4", "10000", "3000"], stdin=subprocess.PIPE)
    except FileNotFoundError:
        return skip("serve_go", "no Go workloads")
    load.stdin.write("\n")
    load.stdin.flush()
    with Server("-p", load.pid, "--go", "full", "--listen", ":0") as server:
        wait_for(lambda: all(f"wakelag_{name}" in server.get("/metrics", OPENMETRICS)[2]
                             for name in ("goroutines{", "goroutines_at{", "goroutine_drift_seconds_bucket{")),
                 what="goroutines")
        samples = parse(server.get("/metrics", OPENMETRICS)[2])
    gauges = {name: value for (name, labels), value in samples.items() if dict(labels).get("pid") == str(load.pid)}
    check("serve_go", gauges["wakelag_goroutines"] >= 8 and gauges["wakelag_procs"] >= 1 and
          gauges["wakelag_threads"] >= gauges["wakelag_threads_idle"], gauges)
    sites = {dict(labels)["name"] for (name, labels) in samples if name == "wakelag_goroutines_at"}
    check("serve_go_sites", any(s.startswith("main.") for s in sites), sites)
    load.stdin.close()
    stop(load)
    check_names({name for name, _ in samples})


def check_names(known):
    with open(os.path.join(ROOT, "docs/serve.md"), encoding="utf-8") as f:
        documented = set(re.findall(r"`(wakelag_\w+)`", f.read()))
    metrics = re.findall(r"\w+\.\w+", re.search(r"--metric.*?\n +-", run([WAKELAG, "report", "--help"]).stdout, re.S).group())
    families = {f"wakelag_{m.replace('.', '_')}_seconds" for m in metrics}
    families |= {f + s for f in families for s in ("_bucket", "_sum", "_count")}
    asked = {name for e in expressions() for name in re.findall(r"\bwakelag_\w+", e)}
    unknown = {n for n in asked - known - documented - families
               if not re.fullmatch(r"wakelag_\w+_(blame|stage|cpu)_seconds_\w+", n)}
    check("deploy_names", len(asked) > 20 and not unknown, unknown)
    undocumented = {n for n in known if not n.startswith(tuple(families)) and n not in documented
                    and not re.fullmatch(r"wakelag_\w+_(blame|stage|cpu)_seconds_\w+", n)}
    gauges = {n for n in undocumented if f"`{n.removeprefix('wakelag_')}`" in definitions()}
    check("serve_documented", not undocumented - gauges, undocumented - gauges)


def definitions():
    with open(os.path.join(ROOT, "docs/definitions.md"), encoding="utf-8") as f:
        return f.read()


def rules():
    if not tools():
        return [skip(name, tools.reason) for name in ("deploy_rules", "deploy_rules_fire", "deploy_config")]
    for name, args in (("deploy_rules", ["check", "rules", "wakelag-alerts.yml"]),
                       ("deploy_rules_fire", ["test", "rules", "wakelag-alerts.test.yml"]),
                       ("deploy_config", ["check", "config", "prometheus.yml"])):
        done = run([tools() + "/promtool"] + args, status=None, cwd=os.path.join(ROOT, "tools/deploy"))
        check(name, done.returncode == 0, done.stdout + done.stderr)


main(pages, top, addresses, hostile, scraped, exported, goroutines, rules)
