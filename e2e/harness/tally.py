"""What passed and what failed, for the closing line."""

import os


class Tally:
    def __init__(self) -> None:
        self.passed = self.failed = 0
        self.complete = True
        """Whether everything ran."""

    def ok(self, sentence: str, checks: int = 1) -> None:
        self.passed += checks
        print(f"ok - {sentence}" + (f" ({checks} checks)" if checks > 1 else ""), flush=True)

    def not_ok(self, sentence: str, details: str = "") -> None:
        self.failed += 1
        print(f"not ok - {sentence}", flush=True)
        for line in details.splitlines():
            print(f"    {line}", flush=True)

    def not_run(self, sentence: str, needs: str) -> None:
        """Locally one does without; under CI=true nothing may be left out."""
        self.complete = False
        if os.environ.get("CI") == "true":
            self.not_ok(f"{sentence}: not run, needs {needs}")
        else:
            print(f"skip - {sentence}: not run, needs {needs}", flush=True)
