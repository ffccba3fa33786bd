"""The test kits of clients/, packed around a program, installed as a stranger would, and the tests that are written with
them.
"""

import os
import platform
import shutil
import subprocess
import sys
import venv
import xml.etree.ElementTree
from pathlib import Path

from .clients import NODE
from .servers import HERE, PYTHON, surroundings
from .tally import Tally

ROOT = HERE.parent
MATURIN = HERE / "python" / ".maturin" / "bin" / "maturin"
ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}
"""What node calls them."""


class Failed(Exception):
    """A command failed; what it said."""


def run(program: str, work: Path, tally: Tally) -> None:
    program = str(Path(program).resolve())
    parts = {
        "python": (_python, (PYTHON, MATURIN), "e2e/install"),
        "javascript": (_javascript, (NODE, Path(shutil.which("npm") or "npm")), "e2e/install and npm"),
    }
    for name, (part, needed, needs) in parts.items():
        if not all(path.exists() for path in needed):
            tally.not_run(f"kits: {name}", needs)
            continue
        here = work / f"kit-{name}"
        here.mkdir()
        try:
            part(program, here, tally)
        except Failed as problem:
            tally.not_ok(f"kits: {name}: it can be packed and installed", str(problem))


def _call(command: list[str | Path], cwd: Path, env: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise Failed(f"$ {' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def _suite(sentence: str, command: list[str | Path], cwd: Path, env: dict[str, str], report: Path, tally: Tally) -> None:
    """Runs tests that report in the form of JUnit, each of which is a check."""
    report.unlink(missing_ok=True)
    try:
        _call(command, cwd, env)
    except Failed as problem:
        failures = xml.etree.ElementTree.parse(report).iter("failure") if report.exists() else ()
        tally.not_ok(sentence, "\n".join([str(problem), *("".join(failure.itertext()) for failure in failures)]))
        return
    cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
    passed = [case for case in cases if case.find("skipped") is None]
    if passed:
        tally.ok(sentence, len(passed))
    else:
        tally.not_ok(sentence, "no test was run")


def _check(sentence: str, command: list[str | Path], cwd: Path, env: dict[str, str], tally: Tally) -> None:
    try:
        _call(command, cwd, env)
        tally.ok(sentence)
    except Failed as problem:
        tally.not_ok(sentence, str(problem))


# Python


def _python(program: str, here: Path, tally: Tally) -> None:
    wheel = _wheel(program, here)
    environment = here / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    env = surroundings() | {"PYTHONDONTWRITEBYTECODE": "1"}
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _call([*pip, "--requirement", HERE / "kits" / "requirements.txt", wheel], here, env)
    # The packages of the example itself are those that e2e/install has put beside the clients.
    where = ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    (Path(_call([python, *where], here, env).strip()) / "clients.pth").write_text(_call([PYTHON, *where], here, env))
    if (environment / "bin" / "gatelet").read_bytes() == Path(program).read_bytes():
        tally.ok("kits: python: the wheel carries the program")
    else:
        tally.not_ok("kits: python: the wheel carries the program", f"it carries another one than {program}")
    pytest = [python, "-m", "pytest", "-p", "no:cacheprovider", "--quiet"]
    for name, suite in (("python", ROOT / "clients/python/tests"), ("python: FastMCP", ROOT / "examples/fastmcp")):
        report = here / "report.xml"
        _suite(f"kits: {name}: its tests pass", [*pytest, f"--junitxml={report}"], suite, env, report, tally)
    mypy = [python, "-m", "mypy", "--strict", f"--cache-dir={here / 'mypy'}"]
    # 3.10 is the oldest Python that it says it is for.
    src = [*mypy, "--python-version=3.10", ROOT / "clients/python/src"]
    _check("kits: python: it is typed", src, here, env, tally)
    # These see the package that is installed: `py.typed` and all.
    _check("kits: python: its tests are typed, wrong uses of it are found", [*mypy, "."], ROOT / "clients/python/tests", env, tally)
    example = ROOT / "examples/fastmcp"
    _check("kits: python: FastMCP: its tests are typed", [*mypy, "conftest.py", "test_servers.py"], example, env, tally)


def _wheel(program: str, here: Path) -> Path:
    """Of a program in a target directory: cargo, which built it there, finds nothing to do."""
    target, profile = Path(program).parent.parent, Path(program).parent.name
    command = [MATURIN, "build", "--target-dir", target, "--profile", "dev" if profile == "debug" else profile]
    # For this machine. What a wheel for PyPI may link to is looked at where such wheels are built.
    command += ["--out", here, "--compatibility", "linux"]
    _call(command, ROOT / "clients" / "python", dict(os.environ))
    return next(here.glob("*.whl"))


# JavaScript


def _javascript(program: str, here: Path, tally: Tally) -> None:
    env = surroundings() | {"PATH": f"{NODE.parent}:{os.environ['PATH']}"}
    node = f"{sys.platform}-{ARCHITECTURES.get(platform.machine(), platform.machine())}"
    packed = _call([NODE, ROOT / "clients/js/pack.mjs", here / "packed", f"{node}={program}"], here, env)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / "kits" / name, here)
    _call(["npm", "ci", "--ignore-scripts", "--prefer-offline"], here, env)
    _call(["npm", "install", "--no-save", "--ignore-scripts", "--prefer-offline", *packed.split()], here, env)
    kit, example = here / "kit", here / "example"
    shutil.copytree(ROOT / "clients/js/test", kit)
    shutil.copytree(ROOT / "examples/typescript-sdk", example, ignore=shutil.ignore_patterns("node_modules"))
    bin, report, runners = here / "node_modules" / ".bin", here / "report.xml", kit / "runners"
    reporter = ["--test-reporter=junit", f"--test-reporter-destination={report}"]
    suites = {
        "javascript": ([NODE, "--test", *reporter], kit),
        "javascript: TypeScript SDK": (["npm", "test", "--", *reporter], example),
        "javascript: vitest": ([bin / "vitest", "run", "issuer.spec", "--reporter=junit", f"--outputFile={report}"], runners),
    }
    for name, (command, cwd) in suites.items():
        _suite(f"kits: {name}: its tests pass", command, cwd, env, report, tally)
    jest = [bin / "jest", "--rootDir", runners, "--testMatch", "**/*.jest.cjs"]
    _check("kits: javascript: jest: its tests pass", jest, here, env, tally)
    strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"]
    tsc = [bin / "tsc", "--noEmit", *strict, "--module", "nodenext", "--target", "es2024", "--types", "node"]
    types = [runners / name for name in ("types.ts", "types.cts")]
    _check("kits: javascript: it is typed, wrong uses of it are found", [*tsc, *types], here, env, tally)
