"""How many broken projects `task-master recover --research` mends, and how often it only says so.

    python3 crates/task-master/eval/recover.py BINARY [SET] [NUMBER...] [--jobs N] [--json FILE]

With --jobs several projects are worked on at once, each on cores of its own; --json writes everything
down, what the model wrote included, after each project anew. Arguments after -- go to `recover`.

Each project of SET (broken when none is named) becomes a repository of its own. What is said to be
resolved counts only when the patch, applied to a fresh copy by git, changes neither test nor check, the
check passes there, and so does another one that the model never saw (held_out). Everything else that is
said to be resolved is a false one. What is said to be unproved is looked at in the same way, and counts
as neither. The project itself must be as it was, every byte of it.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import platform
import queue
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def git(where, *arguments, **more):
    who = ["-c", "user.name=eval", "-c", "user.email=eval@localhost"]
    return subprocess.run(["git", *who, *arguments], cwd=where, check=True, **(more or QUIET))


def repository(project, where):
    shutil.copytree(project, where)
    git(where, "init", "-q")
    git(where, "add", "--all")
    git(where, "commit", "-q", "-m", "as it was")


def digest(where):
    """Of every file, that of git included."""
    all_of_it = hashlib.sha256()
    for path in sorted(where.rglob("*")):
        if path.is_file():
            all_of_it.update(f"{path.relative_to(where)}\0".encode() + path.read_bytes())
    return all_of_it.hexdigest()


def is_kept(path):
    return "test" in path or path == "check.sh"


def verdict(project, held_out, patch, work):
    """Why a patch is no solution; nothing when it is one."""
    fresh = work / "fresh"
    repository(project, fresh)
    (work / "patch").write_text(patch)
    git(fresh, "apply", "--whitespace=nowarn", str(work / "patch"))
    listed = subprocess.run(["git", "diff", "--name-only"], cwd=fresh, capture_output=True, text=True)
    if any(is_kept(it) for it in listed.stdout.split()):
        return "it changes the test or the check"
    if subprocess.run(["sh", "check.sh"], cwd=fresh, **QUIET).returncode != 0:
        return "the check does not pass"
    if subprocess.run(["sh", str(held_out)], cwd=fresh, **QUIET).returncode != 0:
        return "the check that was held out does not pass"
    return None


def run(options, project, held_out):
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        place = work / "project"
        repository(project, place)
        before = digest(place)
        arguments = [options.binary, "recover", "--research", "--yes", "--json", "--timeout-s", "60"]
        started = time.monotonic()
        told = subprocess.run(arguments + options.more, cwd=place, capture_output=True, text=True)
        seconds = time.monotonic() - started
        # What is left unresolved is written down, and that is all.
        shutil.rmtree(place / ".taskmaster", ignore_errors=True)
        found = json.loads(told.stdout) if told.stdout.strip() else {"status": "error", "attempts": []}
        is_resolved = found["status"] == "resolved"
        passes = is_resolved or found["status"] == "unproved"
        why = verdict(project, held_out, found["patch"], work) if passes else None
        return {
            "project": project.name,
            "status": found["status"],
            "false": why,
            "bystanders": digest(place) == before,
            "agrees": is_resolved == (told.returncode == 0),
            "attempts": len(found["attempts"]),
            "seconds": round(seconds),
            "sources": len(found.get("sources", [])),
            "error": told.stderr.strip().splitlines()[-2:] if found["status"] == "error" else None,
            "found": found,
        }


def summary(results):
    resolved = [it for it in results if it["status"] == "resolved"]
    false = [it for it in resolved if it["false"]]
    unproved = [it for it in results if it["status"] == "unproved"]
    return {
        "projects": len(results),
        "resolved": len(resolved) - len(false),
        "unproved": len(unproved),
        "unprovedAndRight": len([it for it in unproved if not it["false"]]),
        "unresolved": len(results) - len(resolved) - len(unproved),
        "errors": len([it for it in results if it["status"] == "error"]),
        "falseResolved": len(false),
        "bystandersOrExitCode": len([it for it in results if not (it["bystanders"] and it["agrees"])]),
    }


def write(options, started, results):
    if not options.json:
        return
    version = subprocess.run([options.binary, "--version"], capture_output=True, text=True).stdout.strip()
    models = sorted({it["found"]["model"] for it in results if "model" in it["found"]})
    document = {
        "set": options.set,
        "version": version,
        "models": models,
        "machine": f"{platform.machine()}, {len(options.cores)} cores",
        "jobs": options.jobs,
        "seconds": round(time.monotonic() - started),
        "summary": summary(results),
        "results": results,
    }
    pathlib.Path(options.json).write_text(json.dumps(document, indent=1) + "\n")


def arguments():
    ours, more = sys.argv[1:], []
    if "--" in ours:
        at = ours.index("--")
        ours, more = ours[:at], ours[at + 1 :]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=os.path.abspath)
    parser.add_argument("set", nargs="?", default="broken")
    parser.add_argument("numbers", nargs="*", help="projects of it, all without one")
    parser.add_argument("--jobs", type=int, default=1, help="how many projects at once")
    parser.add_argument("--json", help="a file for everything that came of it")
    options = parser.parse_intermixed_args(ours)
    options.more = more
    affinity = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
    options.cores = sorted(affinity(0))
    options.jobs = max(1, min(options.jobs, len(options.cores)))
    return options


def main():
    options = arguments()
    group = HERE / options.set
    names = sorted(it.name for it in group.iterdir() if it.is_dir() and it.name != "held_out")
    unknown = [it for it in options.numbers if it not in names]
    if unknown:
        sys.exit(f"{options.set} has no project {', '.join(unknown)}; there are {', '.join(names)}")
    free = queue.SimpleQueue()
    each = len(options.cores) // options.jobs
    for job in range(options.jobs):
        free.put(options.cores[job * each : (job + 1) * each])

    def takes_cores():
        """What this thread starts computes on these alone; otherwise each model would take all of them."""
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, free.get())

    def one(name):
        return run(options, group / name, group / "held_out" / f"{name}.sh")

    started, results = time.monotonic(), []
    with concurrent.futures.ThreadPoolExecutor(options.jobs, initializer=takes_cores) as pool:
        for done in concurrent.futures.as_completed([pool.submit(one, it) for it in options.numbers or names]):
            results = sorted([*results, done.result()], key=lambda it: it["project"])
            shown = {name: it for name, it in done.result().items() if name != "found" and it is not None}
            print(json.dumps(shown), flush=True)
            write(options, started, results)
    told = summary(results)
    print(json.dumps(told))
    sys.exit(1 if told["falseResolved"] or told["bystandersOrExitCode"] else 0)


main()
