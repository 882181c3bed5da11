#!/usr/bin/env python3
"""ctest_report_test.py: ./dev test and ./dev check report each test that skipped or failed."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(__file__).with_name("ctest_report.py")
NO_VAULT = "Note: x\n/t/a.cpp:7: Skipped\nneither bao nor vault is on PATH\n\n[  SKIPPED ] A.B (0 ms)\n"
NO_BROWSER = "SKIPPED: chromium is not installed (packages chromium, chromium-driver)\n"


def case(name, status, output, more=""):
    return f'<testcase name="{name}" status="{status}">{more}<system-out>{output}</system-out></testcase>'


def report(what, *cases, strict=False):
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(f"<testsuite>{''.join(cases)}</testsuite>")
        file.flush()
        done = subprocess.run([sys.executable, PROGRAM, what, file.name, *["--strict"] * strict], text=True,
                              capture_output=True, check=False)
    return done.returncode, done.stdout


class CtestReport(unittest.TestCase):
    def test_names_each_reason_once_with_its_tests(self):
        code, told = report("skipped", case("A.B", "notrun", NO_VAULT), case("A.C", "notrun", NO_VAULT),
                            case("D.E", "run", "all is well"))
        self.assertEqual((code, told), (0, "skipped: neither bao nor vault is on PATH\n    A.B\n    A.C\n"))

    def test_hears_a_program_that_skips_some_of_its_tests(self):
        self.assertIn("skipped: neither bao", report("skipped", case("A", "run", NO_VAULT))[1])

    def test_tells_a_test_without_a_reason(self):
        self.assertIn("without a reason", report("skipped", case("A", "notrun", "", '<skipped message=""/>'))[1])

    def test_lets_no_test_skip_for_want_of_a_package_where_it_is_strict(self):
        self.assertEqual(report("skipped", case("A", "notrun", NO_BROWSER))[0], 0)
        self.assertEqual(report("skipped", case("A", "notrun", NO_BROWSER), strict=True)[0], 1)
        self.assertEqual(report("skipped", case("A", "notrun", NO_VAULT), strict=True)[0], 0)

    def test_tells_the_last_lines_of_each_that_failed(self):
        lines = "".join(f"line {i}\n" for i in range(100))
        code, told = report("failed", case("A", "run", "fine"), case("B", "fail", lines + "y" * 5000, "<failure/>"))
        self.assertEqual(code, 0)
        self.assertTrue(told.startswith("failed: B\n"))
        self.assertNotIn("line 39\n", told)
        self.assertIn("line 99\n", told)
        self.assertLess(max(map(len, told.splitlines())), 500)


if __name__ == "__main__":
    unittest.main()
