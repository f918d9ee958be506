"""How many broken projects `task-master recover --research` mends, and how often it only says so.

    python3 crates/task-master/eval/recover.py BINARY [SET] [NUMBER...]

Each project of SET (broken when none is named) becomes a repository of its own. What is said to be
resolved counts only when the patch, applied to a fresh copy by git, changes neither test nor check, the
check passes there, and so does another one that the model never saw (held_out). Everything else that is
said to be resolved is a false one. The project itself must be as it was, every byte of it.
"""

import hashlib
import json
import os
import pathlib
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


def run(binary, project, held_out):
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        place = work / "project"
        repository(project, place)
        before = digest(place)
        arguments = [binary, "recover", "--research", "--yes", "--json", "--timeout-s", "60"]
        started = time.monotonic()
        told = subprocess.run(arguments, cwd=place, capture_output=True, text=True)
        seconds = time.monotonic() - started
        # What is left unresolved is written down, and that is all.
        shutil.rmtree(place / ".taskmaster", ignore_errors=True)
        found = json.loads(told.stdout) if told.stdout.strip() else {"status": "error", "attempts": []}
        is_resolved = found["status"] == "resolved"
        why = verdict(project, held_out, found["patch"], work) if is_resolved else None
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


def main():
    binary = os.path.abspath(sys.argv[1])
    group = HERE / (sys.argv[2] if len(sys.argv) > 2 else "broken")
    projects = sorted(it for it in group.iterdir() if it.is_dir() and it.name != "held_out")
    wanted = sys.argv[3:] or [it.name for it in projects]
    results = []
    for project in projects:
        if project.name not in wanted:
            continue
        result = run(binary, project, group / "held_out" / f"{project.name}.sh")
        results.append(result)
        shown = {name: value for name, value in result.items() if name != "found" and value is not None}
        print(json.dumps(shown), flush=True)
    keep = os.environ.get("RECOVER_EVAL_KEEP")
    if keep:
        pathlib.Path(keep).write_text(json.dumps(results, indent=1))
    resolved = [it for it in results if it["status"] == "resolved"]
    false = [it for it in resolved if it["false"]]
    harmed = [it for it in results if not (it["bystanders"] and it["agrees"])]
    print(
        f"{len(results)} projects: {len(resolved) - len(false)} resolved, "
        f"{len(results) - len(resolved)} unresolved, {len(false)} false resolved, "
        f"{len(harmed)} with bystanders changed or another exit code"
    )
    sys.exit(1 if false or harmed else 0)


main()
