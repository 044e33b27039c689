#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# seconds: 400
"""Programs of others, as Debian ships them, under load on loopback: memcached, redis with I/O threads, mariadb."""

import re
import socket
import threading

from locklive import *

SECONDS = os.environ.get("REAL_SECONDS", "3")
KEEP = os.environ.get("KEEP_RECORDINGS")     # a directory: the recordings are left there


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def is_open(where):
    try:
        if isinstance(where, int):
            socket.create_connection(("127.0.0.1", where), 1).close()
        else:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(where)
        return True
    except OSError:
        return False


def own_directory(name):
    """One that the server, who is nobody, may write."""
    home = path(name)
    os.mkdir(home)
    os.chown(home, NOBODY, NOBODY)
    return home


class Server:
    def __init__(self, name, command, where):
        self.name, self.file = name, path(f"{name}.wlag")
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        self.log = open(path(f"{name}.log"), "wb+")
        self.process = start(as_nobody + command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for(lambda: is_open(where) or self.process.poll() is not None, what=f"{name} on {where}")
        if self.process.poll() is not None:
            self.log.seek(0)
            raise RuntimeError(f"{name}: status {self.process.returncode}: {self.log.read()[-500:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=END_SECONDS)
        finally:
            stop(self.process)
            self.log.close()

    def record_under(self, load):
        """SECONDS of it."""
        file = os.path.basename(self.file)      # the recording has its own command line in it
        with load, Recording(file, "-p", str(self.process.pid), "-d", f"{SECONDS}s", cwd=directory) as recording:
            if recording.end(None):
                raise RuntimeError(recording.talk)
        if KEEP:
            shutil.copy(self.file, os.path.join(KEEP, f"{self.name}.wlag"))
        self.locks = export(self.file, "locks")
        self.report = run([WAKELAG, "report", self.file]).stdout

    def check(self, name, condition, reason=""):
        return check(f"{self.name}_{name}", condition, reason)

    def sites(self, metric, *classes):
        """Name of a place in the code that waited -> ns."""
        rows = export(self.file, "stages", metric, by="site")
        return {r["name"]: r["sum_ns"] for r in of_threads(rows) if r["stage"] == "total" and r["class"] in classes}


class Load:
    """Runs until it is told to stop, on threads of this test or as a program."""

    def __init__(self, *targets):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=t, args=(self.over,), daemon=True) for t in targets]

    def __enter__(self):
        for t in self.threads:
            t.start()

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join(END_SECONDS)


def fetch(*packages):
    """Unpacked, not installed: that would start their services. A directory; None and why."""
    done = run([os.path.join(ROOT, "tools/go/programs")] + list(packages), status=None, timeout=200)
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return os.path.join(done.stdout.strip(), "usr/bin"), None


def set_without_end(port, keys):
    """Requests without answers, so that the server has always some: its own threads are what there is to wait for."""
    def load(over):
        requests = b"".join(b"set key%d 0 0 100 noreply\r\n%s\r\n" % (i % keys, b"x" * 100) for i in range(1000))
        with socket.create_connection(("127.0.0.1", port)) as s:
            while not over.is_set():
                s.sendall(requests)
    return load


def memcached():
    programs, why = fetch("memcached")
    if not programs:
        skip("memcached", why)
        return
    port = free_port()
    command = [os.path.join(programs, "memcached"), "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-t", "4"]
    with Server("memcached", command, port) as server:
        server.record_under(Load(*[set_without_end(port, 4)] * 8))
    check_real(server, ("mutex",), "memcached")


def ping_in_bursts(port):
    """Now there is enough for the I/O threads, now too little: then they wait until they are let go on."""
    def load(over):
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(64)]
        while not over.wait(0.002):
            for some in (clients, clients[:1]):
                for client in some:
                    client.sendall(b"PING\r\n" * 10)
                for client in some:
                    left = 10 * len(b"+PONG\r\n")
                    while left:
                        left -= len(client.recv(left))
        for client in clients:
            client.close()
    return load


def redis():
    if not shutil.which("redis-check-rdb"):
        skip("redis", "no redis-check-rdb, which is redis-server by another name")
        return
    port = free_port()
    # The package redis-server would start its service; the program is in redis-tools.
    program = path("redis-server")
    os.symlink(shutil.which("redis-check-rdb"), program)
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--io-threads", "4",
               "--io-threads-do-reads", "yes"]
    with Server("redis", command, port) as server:
        server.record_under(Load(ping_in_bursts(port)))
    check_real(server, ("mutex",), "IOThreadMain")
    server.check("lock", any("io_threads_mutex" in r["name"] for r in server.locks), f"{server.locks[:3]}")


def program_load(command, lines=None):
    """A program, which reads the same lines without end."""
    def load(over):
        process = start(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while lines and not over.is_set():
                process.stdin.write(lines)
                process.stdin.flush()
            over.wait()
            stop(process)
            process.stdin.close()
        except BrokenPipeError:     # of what was not written yet
            pass
    return load


def make_database(home):
    data = os.path.join(home, "data")
    run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "mariadb-install-db", "--no-defaults",
         f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"])
    return data


def mariadb():
    missing = [p for p in ("mariadb-install-db", "mariadbd", "mariadb", "sysbench") if not shutil.which(p)]
    if missing:
        skip("mariadb", f"no {missing[0]}")
        return
    home = own_directory("mariadb")
    socket_file = os.path.join(home, "socket")
    command = ["mariadbd", "--no-defaults", f"--datadir={make_database(home)}", f"--socket={socket_file}",
               f"--pid-file={home}/pid", "--skip-networking", "--innodb-buffer-pool-size=32M"]
    bench = ["sysbench", "oltp_update_index", f"--mysql-socket={socket_file}", "--mysql-user=root", "--tables=1",
             "--table-size=10", "--threads=8", "--time=0", "--mysql-ignore-errors=all"]
    client = ["mariadb", "--no-defaults", "-uroot", "-S", socket_file]
    with Server("mariadb", command, socket_file) as server:
        run(client + ["-e", "create database sbtest"])
        run(bench + ["prepare"])
        lock = program_load(client + ["sbtest"], "lock tables sbtest1 write; unlock tables;\n" * 100)
        server.record_under(Load(program_load(bench + ["run"]), lock))
    check_real(server, ("mutex", "rwlock"), "rw_pr_wrlock")
    table = [site for site in server.sites("thread.futex", "cond") if "MDL_wait::timed_wait" in site]
    server.check("table", table, "nobody waited for the table's metadata lock")


def check_real(server, classes, name):
    """Most of the waits for locks have a place in the code with a name, and the report shows one that is known."""
    sites = server.sites("lock.wait", *classes)
    total, named = sum(sites.values()), sum(ns for name, ns in sites.items() if not re.match(r"(0x|$)", name))
    server.check("named", total and named >= 0.9 * total, f"{named} of {total} ns, {list(sites.items())[:5]}")
    server.check("name", any(name in n for n in sites) or any(name in r["name"] for r in server.locks),
                 f"no {name} in {list(sites)[:8]}, {server.locks[:3]}")
    top = max(sites, key=sites.get, default="")
    server.check("report", top and top.split(" ")[0] in server.report, f"no {top}")
    lost = lost_waits(server.file)
    server.check("loss", sum(lost.values()) <= 0.01 * max(1, sum(r["count"] for r in server.locks)), f"{lost}")


main(memcached, redis, mariadb)
