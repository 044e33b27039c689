#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# seconds: 400
"""Go programs of others: etcd and caddy as Debian ships them, stripped, under load on loopback."""

import json
import re
import socket
import urllib.request

from live import *

CONNECTIONS = 16
SECONDS = 3
PUT = 'wrk.method = "POST"\nwrk.body = \'{"key": "Zm9v", "value": "YmFy"}\'\n'


def fetch(*packages):
    """Where the programs are; None where they can't be had, and why."""
    done = run([os.path.join(ROOT, "tools/go/programs")] + list(packages), status=None, timeout=380)
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    if not shutil.which("wrk"):
        return None, "no wrk"
    return os.path.join(done.stdout.strip(), "usr/bin"), None


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def answers(url):
    try:
        return bool(get(url))
    except OSError:
        return False


def number(text, pattern):
    found = re.search(pattern, text, re.MULTILINE)
    return int(float(found.group(1))) if found else None


class Server:
    """A program that serves, and how many goroutines it says it has."""

    def __init__(self, name, command, url, load, ask, pattern):
        self.name, self.url, self.ask, self.pattern = name, url, ask, pattern
        home = path(f"{name}-home")
        os.mkdir(home)
        self.log = open(path(f"{name}.log"), "w", encoding="utf-8")
        self.process = start(command, cwd=home, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                             env=dict(os.environ, HOME=home, XDG_DATA_HOME=home, XDG_CONFIG_HOME=home))
        self.pid = self.process.pid
        self.load_command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", "60s"] + load
        wait_for(lambda: answers(ask) or self.process.poll() is not None, what=f"answer of {name}")

    def load(self):
        """A load that runs, once it is felt."""
        before = self.cpu_ticks()
        load = start(self.load_command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        wait_for(lambda: self.cpu_ticks() > before + 20, what=f"load of {self.name}")
        return load

    def cpu_ticks(self):
        with open(f"/proc/{self.pid}/stat", encoding="utf-8") as f:
            return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))

    def goroutines(self):
        return number(get(self.ask), self.pattern)

    def end(self):
        stop(self.process)
        self.log.close()

    def check(self, name, condition, reason=""):
        return check(f"{self.name}_{name}", condition, reason)

    def record(self, level, load):
        """What the recording says of it, and its file; the load goes on."""
        file = path(f"{self.name}_{level}.wlag")
        with Recording(file, "-p", self.pid, "-d", f"{SECONDS}s", "--go", level) as recording:
            own = self.goroutines()
            status = recording.end(None)
        self.check(f"{level}_recorded", status == 0 and load.poll() is None, f"status {status}: {recording.talk}")
        self.check(f"{level}_loss", not lost_waits(file), lost_waits(file))
        found = {p["pid"]: p for p in json.loads(run([WAKELAG, "export", file, "--format", "json"]).stdout)["go"]}
        return found.get(self.pid, {}), own, file

    def check_found(self, level, found, own):
        self.check(f"{level}_version", re.fullmatch(r"go1\.\d+(\.\d+)?", found.get("version", "")), found)
        self.check(f"{level}_layout", found.get("checked"), found)
        known = found.get("gauges", {}).get("goroutines", {})
        self.check(f"{level}_goroutines", known.get("max", 0) > own / 2 and known.get("min", 1e9) < own * 2,
                   f"{known}, its own count {own}")

    def functions(self, file, metric):
        return {r["name"] for r in of_threads(export(file, "stages", metric))}

    def check_functions(self, file, metric, *wanted):
        """Rows have names, and some of them are those that work here."""
        names = self.functions(file, metric)
        strange = [n for n in names if not re.search(r"\w\.[\w(*]", n)]
        self.check(f"{metric}_names", len(strange) <= 1, f"{strange} among {names}")
        missing = [w for w in wanted if not any(w in n for n in names)]
        self.check(f"{metric}_functions", not missing, f"no {missing} in {names}")


def check_report(server, file, *words):
    report = run([WAKELAG, "report", file]).stdout
    missing = [w for w in words if w not in report]
    server.check("report", not missing, f"no {missing}")


def check_at_rest(server):
    """Nobody asks anything: what the snapshot counts is what it counts itself."""
    file = path("rest.wlag")
    own = 0

    def settled():
        nonlocal own
        before, own = own, server.goroutines()
        return before == own
    wait_for(settled, what="rest")
    run([WAKELAG, "record", "-p", server.pid, "-d", "100ms", "--go", "snapshot", "-o", file])
    rows = [int(r["value"]) for r in export(file, "gauges") if r["gauge"] == "goroutines"]
    # It counts the one that answers us, too; the runtime's own are in no profile.
    server.check("at_rest", rows and own - 3 <= rows[-1] <= own + 10, f"{rows}, its own count {own}")


def etcd():
    programs, why = fetch("etcd-server")
    if not programs:
        skip("etcd", why)
        return
    client, peer = free_ports(2)
    url, script = f"http://127.0.0.1:{client}", path("put.lua")
    with open(script, "w", encoding="ascii") as f:
        f.write(PUT)
    server = Server("etcd", [f"{programs}/etcd", "--data-dir", path("etcd-data"), "--listen-client-urls", url,
                             "--advertise-client-urls", url, "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                             "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}", "--initial-cluster",
                             f"default=http://127.0.0.1:{peer}"],
                    url, ["-s", script, f"{url}/v3/kv/put"], f"{url}/metrics", r"^go_goroutines (\S+)")
    load = server.load()
    found, own, file = server.record("full", load)
    server.check_found("full", found, own)
    server.check("full_level", found.get("level") == "full", found.get("why"))
    server.check_functions(file, "goroutine.drift", "etcd/mvcc.(*watchableStore).syncWatchersLoop", "raftNode")
    server.check_functions(file, "goroutine.runq", "net/http.(*conn).serve", "grpc.(*Server)", "raft.(*node).run")
    server.check_functions(file, "goroutine.chan", "grpc.(*Server)", "raft.(*node).run")
    server.check_functions(file, "goroutine.lock", "net/http.(*conn).serve")
    check_report(server, file, found.get("version", "none"), "probes full", "raft.(*node).run")
    found, own, file = server.record("auto", load)
    server.check_found("auto", found, own)
    server.check("auto_level", found.get("level") in ("light", "full", "snapshot") and "auto" in found["why"], found)
    stop(load)
    check_at_rest(server)
    server.end()


def caddy():
    programs, why = fetch("caddy")
    if not programs:
        skip("caddy", why)
        return
    port, admin = free_ports(2)
    files, config = path("files"), path("caddy.json")
    os.mkdir(files)
    with open(os.path.join(files, "index.html"), "w", encoding="ascii") as f:
        f.write("x" * 1000)
    handler = {"handler": "file_server", "root": files}
    with open(config, "w", encoding="ascii") as f:
        json.dump({"admin": {"listen": f"127.0.0.1:{admin}"},
                   "apps": {"http": {"servers": {"files": {"listen": [f"127.0.0.1:{port}"],
                                                           "routes": [{"handle": [handler]}]}}}}}, f)
    server = Server("caddy", [f"{programs}/caddy", "run", "--config", config], f"http://127.0.0.1:{port}/",
                    [f"http://127.0.0.1:{port}/"], f"http://127.0.0.1:{admin}/debug/pprof/goroutine?debug=1",
                    r"total (\d+)")
    load = server.load()
    found, own, file = server.record("full", load)
    server.check_found("full", found, own)
    server.check("full_level", found.get("level") == "full", found.get("why"))
    server.check_functions(file, "goroutine.runq", "net/http.(*conn).serve")
    server.check_functions(file, "goroutine.lock", "net/http.(*conn).serve")
    check_report(server, file, found.get("version", "none"), "probes full", "http.(*conn).serve")
    found, own, file = server.record("auto", load)
    server.check_found("auto", found, own)
    stop(load)
    check_at_rest(server)
    server.end()


main(etcd, caddy)
