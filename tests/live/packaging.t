#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""make install and uninstall, the man page as man shows it, completion as bash does it, the static program."""

from live import *


def make(*args):
    return run(["make", "-s", "-C", ROOT, f"B={BUILD}"] + list(args))


def files_below(top):
    return sorted(os.path.relpath(os.path.join(where, f), top) for where, _, names in os.walk(top) for f in names)


def install():
    to = path("root")
    make(f"DESTDIR={to}", "PREFIX=/opt/x", "install")
    expected = ["opt/x/bin/wakelag", "opt/x/share/bash-completion/completions/wakelag",
                "opt/x/share/doc/wakelag/LICENSE", "opt/x/share/doc/wakelag/README.md",
                "opt/x/share/doc/wakelag/definitions.md", "opt/x/share/man/man1/wakelag.1"]
    check("install", files_below(to) == expected, files_below(to))
    done = run([f"{to}/opt/x/bin/wakelag", "--version"])
    check("installed_runs", done.stdout.startswith("wakelag "), done.stdout)
    make(f"DESTDIR={to}", "PREFIX=/opt/x", "uninstall")
    check("uninstall", not files_below(to), files_below(to))


def man_page():
    if not shutil.which("man"):
        skip("man_page", "no man")
        return
    file = path("wakelag.1")
    with open(file, "w", encoding="utf-8") as f:
        f.write(run([WAKELAG, "print-man"]).stdout)
    done = run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", file])
    check("man_no_warnings", not done.stderr, done.stderr)
    text = run(["man", "-l", file], env=dict(os.environ, MANWIDTH="80", LC_ALL="C", MAN_KEEP_FORMATTING="")).stdout
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "METRICS", "STAGES", "TABLES",
                    "EXIT STATUS", "EXAMPLES", "FILES", "SEE ALSO"):
        check(f"man_{section.replace(' ', '_')}", f"\n{section}\n" in text, "no such section")
    check("man_option", "--duration=TIME" in text, text[:1000])
    check("man_fits", max(map(len, text.splitlines())) <= 80, "lines of more than 80 columns")


def complete(*words, cwd=None):
    """What bash offers for the last word, in a script that sources the completion."""
    line = " ".join(f"'{w}'" for w in words)
    script = (f"source '{path('completion')}'; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _wakelag; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    return run(["bash", "-uc", script], cwd=cwd).stdout.split()


def completion():
    with open(path("completion"), "w", encoding="utf-8") as f:
        f.write(run([WAKELAG, "print-completion"]).stdout)
    with open(path("a.wlag"), "wb"), open(path("b.txt"), "wb"):
        pass
    check("commands", {"record", "report", "export", "doctor", "--pid"} <= set(complete("wakelag", "")), "")
    check("command", complete("wakelag", "rec") == ["record"], complete("wakelag", "rec"))
    check("options", complete("wakelag", "export", "--ta") == ["--table"], complete("wakelag", "export", "--ta"))
    check("not_of_this_command", complete("wakelag", "report", "--pi") == [], complete("wakelag", "report", "--pi"))
    check("values", complete("wakelag", "export", "--table", "ev") == ["events"], "")
    check("values_after_equals", complete("wakelag", "export", "--table", "=", "ev") == ["events"], "")
    check("all_values_after_equals", "events" in complete("wakelag", "export", "--table", "="), "")
    check("metrics", complete("wakelag", "report", "--metric", "thread.d") == ["thread.drift"], "")
    check("recordings", complete("wakelag", "report", "", cwd=directory)[:1] == ["a.wlag"],
          complete("wakelag", "report", "", cwd=directory))
    check("pids", str(os.getpid()) in complete("wakelag", "-p", ""), "")
    check("programs", "bash" in complete("wakelag", "record", "--", "bas"), "")


def static():
    make("static")
    program = os.path.join(BUILD, "wakelag-static")
    check("static_needs_nothing", run(["ldd", program], status=None).returncode == 1, "it is dynamic")
    bare = path("bare")
    os.makedirs(bare)
    shutil.copy(program, os.path.join(bare, "wakelag"))
    done = run(["chroot", bare, "/wakelag", "--version"], status=None)
    check("static_in_an_empty_root", done.returncode == 0 and done.stdout.startswith("wakelag "), done.stderr)
    file = path("s.wlag")
    done = run([program, "record", "-o", file, "--", "true"], status=None)
    check("static_records", done.returncode == 0 and os.path.getsize(file) > 100, done.stderr)


main(install, man_page, completion, static)
