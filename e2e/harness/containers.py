"""What docs/testing-http.md says about containers, without Docker: each command line is started as compose would, but on
loopback, and each address that the page gives to another container is called by the name that it has there. The example with
testcontainers is run with a stand-in for that.
"""

import http.client
import json
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

from .recipes import PAGE, block
from .servers import HERE, PYTHON, free_port, surroundings
from .tally import Tally

ROOT = HERE.parent
PORT = 8720
"""What the page writes."""
READ_YAML = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"


def run(program: str, work: Path, tally: Tally) -> None:
    if not PYTHON.exists():
        return tally.not_run("docs/testing-http.md: containers", "e2e/install")
    compositions = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    if len(compositions) != 2:
        tally.not_ok("docs/testing-http.md has two compositions", f"it has {len(compositions)}")
    for number, text in enumerate(compositions, 1):
        _say(f"docs/testing-http.md: composition {number} is as it says", _composition(program, text), tally)
    _say("docs/testing-http.md: its example with testcontainers runs", _testcontainers(program, work), tally)


def _say(sentence: str, problems: list[str], tally: Tally) -> None:
    if problems:
        tally.not_ok(sentence, "\n".join(problems))
    else:
        tally.ok(sentence)


def _composition(program: str, text: str) -> list[str]:
    """What is wrong with it."""
    port = free_port()
    text = text.replace(str(PORT), str(port))
    done = subprocess.run([PYTHON, "-c", READ_YAML], input=text, capture_output=True, text=True, check=True)
    services = json.loads(done.stdout)["services"]
    gatelet = services.pop("gatelet")
    problems = [] if 'ENTRYPOINT ["gatelet"]' in (ROOT / "Dockerfile").read_text() else ["the image begins otherwise"]
    # The containers that have a network of their own call it by its name, and need it to be open to them.
    shared = {service.get("network_mode") == "service:gatelet" for service in services.values()}
    if shared != {("--expose" not in gatelet["command"])}:
        problems.append("a service is on another network than it says")
    command = [part.replace("0.0.0.0", "127.0.0.1") for part in gatelet["command"]]
    # Nobody holds the standard input of a container open.
    process = subprocess.Popen(
        [program, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=surroundings() | gatelet["environment"],
    )
    if process.stdout.readline():
        for name, service in services.items():
            problems += [f"{name}: {problem}" for problem in _reached(service["environment"], port)]
        if process.poll() is not None:
            problems.append("it ended by itself")
    process.terminate()
    _, log = process.communicate(timeout=20)
    if process.returncode != 0:
        problems.append(f"{command}: it ended with {process.returncode}")
    return [*problems, log.decode(errors="replace")] if problems else []


def _reached(environment: dict[str, str], port: int) -> list[str]:
    """What does not answer as it should of the addresses that a container is given."""
    problems, key = [], environment.get("GATELET_CONTROL_KEY", "")
    if "GATELET_CONTROL_URL" in environment:
        status, answer = _get(f"{environment['GATELET_CONTROL_URL']}/issuers", port, key)
        if status != 200 or [issuer["name"] for issuer in answer["issuers"]] != ["default"]:
            problems.append(f"the control plane answers {status} {answer}")
    if "ISSUER" in environment:
        at = urllib.parse.urlsplit(environment["ISSUER"])
        status, answer = _get(f"http://{at.netloc}/.well-known/oauth-authorization-server{at.path}", port)
        if (status, answer.get("issuer")) != (200, environment["ISSUER"]):
            problems.append(f"the metadata is {status} {answer}")
    if "JWKS_URI" in environment:
        status, answer = _get(environment["JWKS_URI"], port)
        if status != 200 or not answer["keys"]:
            problems.append(f"the keys are {status} {answer}")
    return problems


def _get(url: str, port: int, key: str = "") -> tuple[int, dict]:
    """What is answered at this port to who calls it by the name in the URL."""
    at = urllib.parse.urlsplit(url)
    if at.port != port:
        return 0, {"error": f"{url} is another server"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", at.path, headers={"Host": at.netloc, "Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    except (OSError, ValueError) as problem:
        return 0, {"error": f"{url}: {problem}"}
    finally:
        connection.close()


def _testcontainers(program: str, work: Path) -> list[str]:
    script = work / "testcontainers_example.py"
    script.write_text(block(PAGE.read_text(), "python"))
    paths = f"{ROOT / 'clients/python/src'}:{HERE / 'kits' / 'stand_in'}"
    env = surroundings() | {"PYTHONPATH": paths, "PROGRAM": program, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True, timeout=120)
    said = f"{done.stdout}\n{done.stderr}"
    told = re.fullmatch(r"start your server with http://localhost:\d+/t/\S+/oauth and it takes eyJ\S+\n", done.stdout)
    return [] if done.returncode == 0 and told else [said]
