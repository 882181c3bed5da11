#!/usr/bin/env python3
"""workflow_test.py SOURCE_DIR: the workflow of public CI runs every step that ./dev check has, and README's commands."""
import pathlib
import subprocess
import sys
import unittest

try:
    import yaml
except ImportError:
    print("SKIPPED: the Python module yaml is not installed (package python3-yaml)")
    sys.exit(77)

SOURCE = pathlib.Path(sys.argv[1]).resolve()
JOBS = yaml.safe_load((SOURCE / ".github/workflows/ci.yml").read_text())["jobs"]


def commands(job):
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


class Workflow(unittest.TestCase):
    def test_runs_every_step_of_check(self):
        listed = subprocess.run([SOURCE / "dev", "check", "--list"], check=True, capture_output=True, text=True).stdout
        steps = {line.split()[0] for line in listed.splitlines()}
        self.assertIn("./dev check ${{ matrix.steps }}", commands("check"))
        run = " ".join(JOBS["check"]["strategy"]["matrix"]["steps"]).split()
        self.assertEqual(sorted(run + ["distro"]), sorted(steps))  # distro is the job debian, once a release

    def test_runs_the_two_commands_of_readme_on_each_release(self):
        readme = (SOURCE / "README.md").read_text()
        for command in ("./dev demo", "./dev test"):
            self.assertIn(f"\n{command} ", readme)
            self.assertIn(command, commands("debian"))

    def test_builds_the_image_from_the_file_that_there_is(self):
        build, = [command for command in commands("container") if command.startswith("docker build")]
        self.assertTrue((SOURCE / build.split("--file ")[1].split()[0]).exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
