"""Asks libsolv, set up as dnf sets it up on EL, what the generated worlds allow.

Reads a list of questions on standard input and prints a list of answers. Each question names a folder, which holds
before/, after/ and context/, and host/ with what is installed, each with primary.xml and filelists.xml.
"""

import json
import sys

import solv

INSTALL = solv.Job.SOLVER_INSTALL | solv.Job.SOLVER_SOLVABLE
NAMED_IN_FULL = solv.Job.SOLVER_SETARCH | solv.Job.SOLVER_SETEVR


def load(pool, name, folder):
    repo = pool.add_repo(name)
    repo.add_rpmmd(solv.xfopen(f"{folder}/primary.xml"), None)
    repo.add_rpmmd(solv.xfopen(f"{folder}/filelists.xml"), "FL", solv.Repo.REPO_EXTEND_SOLVABLES)
    return repo


def pool_of(folders):
    pool = solv.Pool()
    pool.setdisttype(solv.Pool.DISTTYPE_RPM)
    pool.setarch("x86_64")
    # Set where libsolv is built for Fedora and EL.
    pool.set_flag(solv.Pool.POOL_FLAG_IMPLICITOBSOLETEUSESCOLORS, 1)
    return pool, [load(pool, f"r{number}", folder) for number, folder in enumerate(folders)]


def solver_of(pool):
    solver = pool.Solver()
    solver.set_flag(solv.Solver.SOLVER_FLAG_ALLOW_VENDORCHANGE, 1)
    solver.set_flag(solv.Solver.SOLVER_FLAG_KEEP_ORPHANS, 1)
    solver.set_flag(solv.Solver.SOLVER_FLAG_BEST_OBEY_POLICY, 1)
    solver.set_flag(solv.Solver.SOLVER_FLAG_YUM_OBSOLETES, 1)
    return solver


def nevra(solvable):
    epoch, _, rest = solvable.evr.rpartition(":")
    evr = f"{epoch}:{rest}" if epoch not in ("", "0") else rest
    return f"{solvable.name}-{evr}.{solvable.arch}"


def problems(pool, jobs):
    """The solver, and what is in the way, in libsolv's words."""
    solver = solver_of(pool)
    found = solver.solve(jobs)
    return solver, [str(problem) for problem in found]


def installable(folder, offered="after"):
    pool, repos = pool_of([f"{folder}/{offered}", f"{folder}/context"])
    pool.addfileprovides()
    pool.createwhatprovides()
    answer = {}
    for solvable in repos[0].solvables:
        _, wrong = problems(pool, [pool.Job(INSTALL | NAMED_IN_FULL, solvable.id)])
        answer[nevra(solvable)] = wrong
    return answer


def names_in(text):
    """Each name that a dependency mentions, with its range: [name] or [name, sign, version]."""
    if not text.startswith("("):
        return [text.split()]
    names = [[]]
    for word in text.split():
        if word in ("and", "or", "if", "else", "unless", "with", "without"):
            names.append([])
            continue
        word = word.lstrip("(")
        while word.count(")") > word.count("("):
            word = word.removesuffix(")")
        names[-1].append(word)
    return names


def lost(folder):
    """What was offered before and is no longer, of all that a package which stays and what it brings requires."""
    pool, (before, after, context) = pool_of([f"{folder}/{name}" for name in ("before", "after", "context")])
    pool.addfileprovides()
    pool.createwhatprovides()
    signs = {"<": solv.REL_LT, "=": solv.REL_EQ, ">": solv.REL_GT}

    def offering(name, sign="", version=None):
        wanted = pool.Dep(name)
        if sign:
            wanted = wanted.Rel(sum(signs[one] for one in sign), pool.Dep(version))
        return pool.whatprovides(wanted)

    answer = {}
    for stays in before.solvables:
        gone, walked, ahead = set(), set(), [stays]
        while ahead:
            one = ahead.pop()
            if one.id in walked:
                continue
            walked.add(one.id)
            for required in one.lookup_deparray(solv.SOLVABLE_REQUIRES):
                for name in names_in(str(required)):
                    found = offering(*name)
                    was = [other for other in found if other.repo in (before, context)]
                    if was and not any(other.repo in (after, context) for other in found):
                        gone.add(" ".join(name))
                    ahead.extend(was)
        answer[nevra(stays)] = sorted(gone)
    return answer


def host(folder, wanted):
    """What a host has after the package was installed from what was offered before; None if it cannot be."""
    pool, _ = pool_of([f"{folder}/before", f"{folder}/context"])
    pool.addfileprovides()
    pool.createwhatprovides()
    chosen = [one for one in pool.solvables_iter() if nevra(one) == wanted]
    if not chosen:
        return None
    solver, wrong = problems(pool, [pool.Job(INSTALL | NAMED_IN_FULL, chosen[0].id)])
    return None if wrong else [nevra(one) for one in solver.transaction().newsolvables()]


def upgrade(folder):
    """What is in the way of `dnf upgrade` with best=1."""
    pool, repos = pool_of([f"{folder}/after", f"{folder}/context", f"{folder}/host"])
    pool.installed = repos[2]
    pool.addfileprovides()
    pool.createwhatprovides()
    flags = solv.Job.SOLVER_UPDATE | solv.Job.SOLVER_SOLVABLE_ALL | solv.Job.SOLVER_FORCEBEST
    _, wrong = problems(pool, [pool.Job(flags, 0)])
    return wrong


def main():
    answers = []
    for question in json.load(sys.stdin):
        folder = question["folder"]
        match question["ask"]:
            case "installable":
                answers.append(installable(folder))
            case "change":
                now = installable(folder)
                answers.append({"before": installable(folder, "before"), "after": now, "lost": lost(folder)})
            case "host":
                answers.append(host(folder, question["wanted"]))
            case "upgrade":
                answers.append(upgrade(folder))
    json.dump(answers, sys.stdout)


main()
