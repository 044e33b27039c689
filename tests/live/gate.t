#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""wakelag gate: verdicts and exit statuses on a recording, a live process and a command, and the reports."""

import json

from live import *

PASS, FAILED, OVER, INCONCLUSIVE, CMD, USAGE = 0, 1, 2, 3, 4, 64
# A sandbox that hides events loses some of any recording: what is tested here is not that.
LOSS = ["--max-loss", "100%"]
KEPT, BROKEN = "thread.drift p50 < 10s", "thread.drift p50 < 1ns"  # a timer's slack alone is 50 us


def gate(status, *args, **options):
    options.setdefault("env", {k: v for k, v in os.environ.items() if k != "GITHUB_ACTIONS"})
    return run([WAKELAG, "gate", *LOSS, *args], status=None, **options), status


def expect(name, done_and_status, says=""):
    done, status = done_and_status
    text = done.stdout + done.stderr
    return check(name, done.returncode == status and says in text, f"status {done.returncode}, not {status}: {text}")


def budgets(*texts):
    return [word for text in texts for word in ("--budget", text)]


def recording():
    if not hasattr(recording, "file"):
        recording.file = path("sleepers.wlag")
        record_command(recording.file, "--", *workload("sleepers", 2, 1, 400))
    return recording.file


def statuses():
    file = recording()
    expect("gate_pass", gate(PASS, file, *budgets(KEPT, "threads < 50", "loss <= 100%")), "3 passed")
    expect("gate_fail", gate(OVER, file, *budgets(BROKEN, KEPT)), "over the budget of 1ns")
    expect("gate_inconclusive", gate(INCONCLUSIVE, file, *budgets(KEPT, "thread.drift p50 < 1s for nosuch")),
           "no samples of that name")
    expect("gate_fail_before_inconclusive", gate(OVER, file, *budgets(BROKEN, KEPT + " for nosuch")))
    expect("gate_no_goroutines", gate(INCONCLUSIVE, file, *budgets("goroutine.drift p99 < 1s")), "nothing of that kind")
    expect("gate_no_file", gate(FAILED, path("nosuch.wlag"), *budgets(KEPT)), "ENOENT")
    expect("gate_usage", gate(USAGE, file, "--budget", "thread.drift p50 < 2"), "column 20: '2' is no value")
    expect("gate_no_budget", gate(USAGE, file), "against what?")
    expect("gate_of_itself", gate(PASS, file, "--baseline", file), "at most 10% worse")
    expect("gate_no_baseline", gate(FAILED, file, "--baseline", path("nosuch.wlag")), "ENOENT")


def baseline():
    """A stage that takes twice as long fails against its baseline and is named; the same again does not fail."""
    files = [path(f"planted.{name}") for name in ("base", "again", "twice")]
    for file, us in zip(files, (1000, 1000, 2000)):
        record_command(file, "--", *workload("planted", 2, last_cpu(), "busy", us))
    done, _ = gate(OVER, files[2], "--baseline", files[0])
    if done.returncode == INCONCLUSIVE:
        skip("gate_baseline_fails", done.stdout)
    else:
        check("gate_baseline_fails", done.returncode == OVER and "thread.drift p99 of worker" in done.stdout and
              "stage busy" in done.stdout, f"status {done.returncode}: {done.stdout}{done.stderr}")
    for name, bases in (("same", files[:1]), ("worst_of_several", [files[0], files[2]])):
        options = [word for base in bases for word in ("--baseline", base)]
        new = files[1] if name == "same" else files[2]
        done, _ = gate(PASS, new, *options)
        check(f"gate_baseline_{name}", done.returncode in (PASS, INCONCLUSIVE), done.stdout + done.stderr)


def budgets_in_a_file():
    rules = path("budgets.txt")
    write(rules, f"# reviewed\n{KEPT}  # the mixers\n\n{BROKEN} for \"sleep*\"\n")
    expect("gate_budgets_file", gate(OVER, recording(), "--budgets", rules), "1 passed, 1 failed")
    write(rules, f"{KEPT}\nthread.drift p50 < 1ms stage rung\n")
    expect("gate_budgets_line", gate(USAGE, recording(), "--budgets", rules), f"{rules}:2:30: 'rung' is no stage")


def reports():
    files = {name: path(f"report.{name}") for name in ("junit", "markdown", "json", "metrics")}
    options = [word for name, file in files.items() for word in (f"--{name}", file)]
    expect("gate_reports", gate(OVER, recording(), *budgets(KEPT, BROKEN, KEPT + " for nosuch"), *options))
    text = {name: open(file, encoding="utf-8").read() for name, file in files.items()}
    check("gate_json", [b["verdict"] for b in json.loads(text["json"])["budgets"]] == ["pass", "fail", "inconclusive"],
          text["json"])
    check("gate_metrics", text["metrics"].endswith("# EOF\n") and 'budget="thread.drift p50 < 1ns"' in text["metrics"],
          text["metrics"])
    check("gate_markdown", text["markdown"].startswith("### wakelag: over budget") and "**FAIL**" in text["markdown"],
          text["markdown"])
    check("gate_junit_properties", all(f'name="{p}"' in text["junit"] for p in ("host.name", "host.kernel", "loss")),
          text["junit"])
    if shutil.which("xmllint"):
        schema = os.path.join(ROOT, "tests", "gate", "junit.xsd")
        lint = run(["xmllint", "--noout", "--nonet", "--schema", schema, files["junit"]], status=None)
        check("gate_junit", lint.returncode == 0, lint.stderr)
    else:
        skip("gate_junit", "no xmllint")
    done, _ = gate(OVER, recording(), *budgets(BROKEN), "--json", "-")
    check("gate_json_alone_on_stdout", json.loads(done.stdout)["verdict"] == "fail", done.stdout)
    expect("gate_unwritable", gate(FAILED, recording(), *budgets(KEPT), "--junit", path("no/such/dir.xml")), "ENOENT")


def annotations():
    env = dict(os.environ, GITHUB_ACTIONS="true")
    done, _ = gate(OVER, recording(), *budgets(BROKEN, KEPT, KEPT + " for nosuch"), env=env)
    lines = [line for line in done.stdout.splitlines() if line.startswith("::")]
    check("gate_annotations", len(lines) == 2 and lines[0].startswith(f"::error title={BROKEN}::") and
          lines[1].startswith("::warning title="), done.stdout)
    done, _ = gate(OVER, recording(), *budgets(BROKEN))
    check("gate_no_annotations", "::" not in done.stdout, done.stdout)


def commands():
    done, _ = gate(PASS, *budgets(KEPT), "--", "sh", "-c", "echo mine; sleep 0.1")
    check("gate_stdout_is_the_commands", done.stdout == "mine\n", done.stdout)
    done, _ = gate(PASS, *budgets(KEPT), "--", *workload("sleepers", 1, 1, 400))
    check("gate_command", done.returncode == PASS, done.stderr)
    kept = path("kept.wlag")
    expect("gate_command_fails", gate(CMD, *budgets("threads < 1"), "-o", kept, "--", "sh", "-c", "exit 7"), "status 7")
    expect("gate_recording_is_kept", gate(OVER, kept, *budgets("threads < 1")), "over the budget of 1")


def early_ends():
    process, _ = start_ready(workload("sleepers", 1, 1, 400))
    expect("gate_target_gone", gate(INCONCLUSIVE, "-p", process.pid, "-d", "60s", *budgets(KEPT)), "the target ended after")
    stop(process)
    process, _ = start_ready(workload("sleepers", 1, 60, 400))
    expect("gate_live", gate(PASS, "-p", process.pid, "-d", "300ms", *budgets(KEPT)), "1 passed")
    file = path("stopped.wlag")
    with Recording(file, "-p", str(process.pid), "-d", "60s") as rec:
        before = samples_of(process.pid)
        wait_for(lambda: samples_of(process.pid) > before + 50, what="wakeups")
        rec.end()
    stop(process)
    expect("gate_stopped", gate(INCONCLUSIVE, file, *budgets(KEPT)), "a signal ended it after")
    cut = path("cut.wlag")
    with open(file, "rb") as whole, open(cut, "wb") as part:
        part.write(whole.read()[:os.path.getsize(file) * 2 // 3])
    expect("gate_cut", gate(INCONCLUSIVE, cut, *budgets(KEPT)), "cut off after")


def samples_of(pid):
    """Context switches that its threads asked for."""
    total = 0
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/status", encoding="ascii") as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("voluntary_ctxt"))
    return total


def evidence():
    """The worst samples are those of the table of all samples, with the same stages and the same to blame."""
    answer = path("evidence.json")
    gate(OVER, recording(), "--json", answer, *budgets("thread.drift max < 1ns"))
    with open(answer, encoding="utf-8") as f:
        worst = json.load(f)["budgets"][0]["worst"]
    events = sorted(export(recording(), "events", "thread.drift"), key=lambda e: -e["latency_ns"])[:3]
    check("gate_worst_samples", [w["latency_ns"] for w in worst] == [e["latency_ns"] for e in events], f"{worst} {events}")
    for number, (sample, event) in enumerate(zip(worst, events)):
        stages = {stage: event[stage] for stage in sample["stages"]}
        same = (sample["tid"], sample["t_ns"], sample["cpu"]) == (int(event["entity"]), event["t_ns"], int(event["cpu"]))
        blamed = not event["by"] or f"({event['by']})" in sample["by"]
        check(f"gate_evidence_{number}", same and blamed and sample["stages"] == stages, f"{sample} {event}")


def ci(status, *args, **env):
    program = os.path.join(ROOT, "tools", "ci", "wakelag-ci")
    env = {k: v for k, v in dict(os.environ, WAKELAG=WAKELAG, **env).items() if v}
    done = run([program, *args], status=None, env=env)
    check("ci_" + "_".join(a for a in args[:1]) + f"_{status}", done.returncode == status,
          f"status {done.returncode}: {done.stdout}{done.stderr}")
    return done


def soak_in_ci():
    """What the templates of tools/ci run: beside a test, then a verdict and what a job keeps."""
    out, summary = path("ci"), path("summary")
    process, _ = start_ready(workload("sleepers", 1, 60, 400))
    ci(PASS, "start", out, "-p", process.pid)
    before = samples_of(process.pid)
    wait_for(lambda: samples_of(process.pid) > before + 50, what="wakeups")
    ci(OVER, "stop", out, *LOSS, *budgets(KEPT, BROKEN), GITHUB_STEP_SUMMARY=summary, GITHUB_ACTIONS="")
    stop(process)
    kept = ("recording.wlag", "gate.txt", "gate.xml", "gate.md", "gate.json", "metrics.txt", "heatmap.svg", "heatmap.csv")
    missing = [name for name in kept if not os.path.getsize(os.path.join(out, name))]
    check("ci_keeps", not missing, missing)
    check("ci_summary", "over budget" in open(summary, encoding="utf-8").read())
    check("ci_ended", not os.path.exists(os.path.join(out, "record.pid")), os.listdir(out))
    nosuch = [*LOSS, *budgets(KEPT + " for nosuch")]
    ci(PASS, "stop", out, *nosuch)
    ci(INCONCLUSIVE, "stop", out, *nosuch, WAKELAG_INCONCLUSIVE="fail")
    ci(FAILED, "start", out, "-p", "4194304")
    ci(USAGE, "neither", out)


def templates():
    """The templates are YAML, and name only what is there."""
    try:
        import yaml
    except ImportError:
        skip("ci_templates", "no python3-yaml")
        return
    with open(os.path.join(ROOT, "tools/ci/github/action.yml"), encoding="utf-8") as f:
        action = yaml.safe_load(f)
    text = json.dumps(action["runs"])
    check("ci_github", action["runs"]["using"] == "composite" and all(f"inputs.{i} " in text or f"inputs.{i}" in text
          for i in action["inputs"]) and "${{" not in "".join(s.get("run", "") for s in action["runs"]["steps"]), text)
    with open(os.path.join(ROOT, "tools/ci/gitlab/wakelag.yml"), encoding="utf-8") as f:
        jobs = yaml.safe_load(f)
    variables = set(jobs[".wakelag"]["variables"])
    used = {word.strip('"${}').rstrip(";") for job in (".wakelag-start", ".wakelag-stop") for line in jobs[job]["script"]
            for word in line.split() if "$" in word}
    check("ci_gitlab", {w.rstrip('"').split("/")[0] for w in used} <= variables, f"{used} {variables}")


main(statuses, baseline, budgets_in_a_file, reports, annotations, commands, early_ends, evidence, soak_in_ci, templates)
