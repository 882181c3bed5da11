#!/usr/bin/env python3
"""Breaks the renewal core on purpose, one rule at a time, and sees the simulator notice.

usage: mutations.py BUILD_DIR [NAME...]

BUILD_DIR is a build in which `simulate` is built (Ninja, no sanitizers). Each mutation replaces one piece of one source
file in a copy, compiles that copy as the build compiles the original, and links `simulate` anew with it. The property
that the rule serves must then be broken in some world. A rule whose text is not found once is an error as well: the
list below is to be kept as the source is.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOM = pathlib.Path(__file__).resolve().parents[2] / "vault_plugin" / "renewal"
WORLDS = "40000"
MANY = "1000000"  # for what takes a rare turn of events

# What is broken, where, what stands there, what stands there instead, who notices, in how many worlds.
MUTATIONS = [
    ("the last attempt is not brought forward to before the end", "schedule.cpp",
     "return now < last ? std::min(wanted, last) : now;", "return last < end ? wanted : now;", "NeverLostInVain"),
    ("one attempt may take all the time there is", "schedule.cpp",
     "return std::min({wanted, policy.requestTimeout,", "return std::max({wanted, policy.requestTimeout,",
     "NeverLostInVain"),
    ("a slow server is cut off each time", "schedule.cpp",
     "std::max({share, atLeast, known, pace.gap})", "std::max({share / 8, atLeast / 8, known / 8, pace.gap / 8})",
     "NeverLostInVain"),
    ("the first look-up may take the whole request timeout", "schedule.cpp",
     "return std::min(std::max({Duration(policy.firstBudget), failing, 2 * latency}), policy.requestTimeout);",
     "return std::max(policy.requestTimeout, failing + latency);", "NeverLostInVain"),
    ("of several lost answers the first or the last brought the end", "planning.cpp",
     "(last - first) / _policy->looksAtEnd", "last - first", "NeverLostInVain", MANY),
    ("who is denied after the end is as good as dead", "life.cpp",
     "if (now < life.hopeUntil) {\n\t\t// Then", "if (now < life.earliest) {\n\t\t// Then", "NeverLostInVain", MANY),
    ("any refusal ends all hope", "conclusions.cpp",
     "if (endKnown() && span.sent.boot >= _memory.life.latest) {\n\t\t_memory.life.hopeFrom",
     "if (endKnown()) {\n\t\t_memory.life.hopeFrom", "NeverLostInVain", MANY),
    ("Retry-After is obeyed beyond the end", "planning.cpp",
     "return beforeEnd(now + retryAfter.value_or(pause), now, end, guard);",
     "return retryAfter ? now + *retryAfter : beforeEnd(now + pause, now, end, guard);", "NeverLostInVain"),
    ("Retry-After is obeyed as long as it says where no end is known", "planning.cpp",
     "(retryAfter ? std::min<Duration>(*retryAfter, _policy->longestPause)", "(retryAfter ? *retryAfter",
     "NeverLostInVain"),
    ("the first refusal is believed to be death", "conclusions.cpp",
     "enter(past || !endKnown() ? State::expired", "enter(true ? State::expired", "DeathIsForecast"),
    ("who was refused once does not ask again", "conclusions.cpp",
     "past ? Reason::expired : Reason::refused);\n\t}\n\tplan(span.now.boot);",
     "past ? Reason::expired : Reason::refused);\n\t}\n\task(Question::probe, _memory.life.latest, span.now.boot);",
     "NeverLostInVain"),
    ("who was denied once does not ask again", "planning.cpp",
     "ask(Question::renewal, halfway(now), now);\n\t\tbreak;\n\tcase State::expired:",
     "ask(Question::probe, life.latest, now);\n\t\tbreak;\n\tcase State::expired:", "NeverLostInVain"),
    ("the next try after a failure is the old cadence's", "planning.cpp",
     "const auto at = retry(now, retryAfter);", "const auto at = now + life.lease / 2;", "NeverLostInVain"),
    ("requests follow each other without a gap", "planning.cpp",
     "return std::max(now, _memory.started + pace().gap);", "return now;", "NeverHammered"),
    ("pauses do not double", "schedule.cpp",
     "auto pause = doubling(policy.firstPause, streak, policy.longestPause);",
     "auto pause = doubling(policy.firstPause, 1, policy.longestPause);", "NeverHammered"),
    ("a refusal among other failures is the first one again", "schedule.cpp",
     "std::max(doubling(first, streak, remains), scaled(failing, 1 / policy.refusalsPerOutage));",
     "doubling(first, streak + 0 * static_cast<std::uint32_t>(failing / 1h), remains);", "NeverHammered"),
    ("the dead are probed every five minutes for ever", "schedule.cpp",
     "return doubling(first, streak, policy.longestProbe);", "return doubling(first, 1, policy.longestProbe);",
     "NeverHammered"),
    ("renewed at a quarter of the lease", "schedule.cpp",
     "const auto wanted = std::max(scaled(lease, policy.fraction), policy.minInterval);",
     "const auto wanted = scaled(lease, policy.fraction / 2);", "NeverHammered"),
    ("the max TTL of the first look-up is not used", "life.cpp",
     "if (facts.explicitMaxTtl <= Duration::zero() ||", "if (true ||", "DeathIsForecast"),
    ("a warning of the cap is overlooked", "life.cpp",
     "if (grant.capWarning) {\n\t\tlife.wall", "if (false) {\n\t\tlife.wall", "DeathIsForecast"),
    ("a slow answer's forecast is taken for a raised cap", "life.cpp",
     "life.earliest > *life.wall + 2 * _policy->forecastSlack + life.wallWithin", "life.earliest > *life.wall",
     "DeathIsForecast"),
    ("the max TTL is told at each grant", "reporting.cpp",
     "_memory.toldNotRenewable = true;", "_memory.toldNotRenewable = false;", "DeathIsForecast"),
    ("the end is told as if the answer had taken no time and no rounding", "life.cpp",
     "auto earliest = std::max(span.sent.boot + ttl - rounding, span.sent.boot);",
     "auto earliest = span.now.boot + ttl + 4 * rounding;", "DeathIsForecast"),
    ("a new credential is not looked at", "keeper.cpp",
     "enter(State::starting, Reason::credentialChanged);\n\task(Question::first, now.boot, now.boot);",
     "enter(State::expired, Reason::credentialChanged);\n\task(Question::probe, now.boot + 1h, now.boot);",
     "AlwaysRecovers"),
    ("the log takes every line of every failure", "reporting.cpp",
     "if (_memory.notesUnspent <= (level == Level::error ? -_policy->deathsAtOnce : 0)) {", "if (false) {",
     "StaysQuiet"),
    ("each answer is an event of its state, too", "reporting.cpp",
     "if (state != _memory.toldState) {", "if (now > Instant::min()) {", "StaysQuiet"),
    ("stop does not stop", "keeper.cpp",
     "_memory.running = false;\n\treturn report(now, {});", "return report(now, {});", "StopsForGood"),
]


def mutated(file, old, new):
    source = (ROOM / file).read_text()
    count = source.count(old)
    if count != 1:
        raise RuntimeError(f"{file} holds the text {count} times, not once: {old!r}; mend the list in {__file__}")
    return source.replace(old, new)


def compile_command(build, file):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if entry["file"] == str(ROOM / file):
            return entry["command"], entry["directory"]
    raise RuntimeError(f"{build} does not build {ROOM / file}")


def shell(command, directory):
    done = subprocess.run(command, shell=True, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


def program_with(build, file, text, folder):
    """`simulate`, linked with a mutated copy of `file`: the linker takes what it defines before it looks into the room."""
    copy = folder / file
    copy.write_text(text)
    compiled = folder / (file + ".o")
    command, directory = compile_command(build, file)
    original_object = command.split(" -o ")[1].split(" ")[0]
    command = command.replace(original_object, str(compiled)).replace(str(ROOM / file), str(copy))
    shell(command, directory)
    link = shell("ninja -t commands tests/simulation/simulate", build).splitlines()[-1]
    program = folder / "simulate"
    link = link.replace(" -o tests/simulation/simulate ", f" {compiled} -o {program} ")
    shell(link, build)
    return program


def survives(build, mutation):
    """Why the mutation went unnoticed; None: it was caught."""
    _, file, old, new, prop, *more = mutation
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        program = program_with(build, file, mutated(file, old, new), pathlib.Path(folder))
        run = subprocess.run([program, "--worlds", *(more or [WORLDS]), "--seed", "1", "--property", prop, "--brief"],
                             capture_output=True, text=True, check=False, timeout=300)
        if run.returncode == 1 and f"{prop}: BROKEN" in run.stdout:
            return None
        return run.stdout + run.stderr


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    wanted = [mutation for mutation in MUTATIONS if not sys.argv[2:] or mutation[0] in sys.argv[2:]]
    if not wanted:
        sys.exit(f"no such mutation: {' '.join(sys.argv[2:])}")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        for mutation, why in zip(wanted, pool.map(lambda mutation: attempt(build, mutation), wanted)):
            print(f"{'caught' if why is None else 'MISSED'}  {mutation[4]:16}  {mutation[0]}", flush=True)
            if why is not None:
                failed += 1
                print(why)
    print(f"{len(wanted) - failed} of {len(wanted)} mutations caught")
    return 1 if failed else 0


def attempt(build, mutation):
    try:
        return survives(build, mutation)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main())
