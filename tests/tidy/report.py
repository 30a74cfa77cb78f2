"""Runs named checks and prints them as cmocka prints its tests, so that one reader counts both."""
import sys


class Report:
    def __init__(self, suite):
        self.suite = suite
        self.passed = []
        self.failed = []

    def check(self, name, complaints):
        """A check passes if there is nothing to complain of."""
        complaints = list(complaints)
        if not complaints:
            self.passed.append(name)
            print(f"[       OK ] {name}")
            return
        self.failed.append(name)
        for complaint in complaints:
            print(complaint)
        print(f"[  FAILED  ] {name}")

    def finish(self):
        print(f"[==========] {self.suite}: {len(self.passed) + len(self.failed)} test(s) run.")
        print(f"[  PASSED  ] {len(self.passed)} test(s).")
        if self.failed:
            print(f"[  FAILED  ] {len(self.failed)} test(s), listed below:")
            for name in self.failed:
                print(f"[  FAILED  ] {name}")
        sys.exit(1 if self.failed else 0)
