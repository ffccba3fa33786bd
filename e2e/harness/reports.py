"""The probe's reports as others read them: SARIF by its schema, JUnit by a library.

    python reports.py REPORT.json REPORT.sarif REPORT.xml

A line for each thing that is wrong with the last two, as reports of what is in the first.
"""

import json
import sys
from pathlib import Path

import jsonschema
from junitparser import Failure, JUnitXml, Skipped

SCHEMA = "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"


def _named(checks: list[dict], *outcomes: str) -> list[str]:
    return sorted(check["id"] for check in checks if check["outcome"] in outcomes)


def _validator() -> jsonschema.protocols.Validator:
    schema = json.loads((Path(__file__).parent.parent / SCHEMA).read_text())
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema, format_checker=kind.FORMAT_CHECKER)


def _sarif(checks: list[dict], document: dict) -> list[str]:
    problems = [f"SARIF: {error.json_path}: {error.message}" for error in _validator().iter_errors(document)]
    results = document["runs"][0]["results"]
    if sorted(result["ruleId"] for result in results) != _named(checks, "wrong", "advice"):
        problems.append("SARIF: the results are others than the findings and the advice")
    for result in results:
        for location in result["locations"]:
            # Code scanning of GitHub refuses the document for one that has a scheme, or is absolute.
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            if ":" in uri or uri.startswith("/"):
                problems.append(f"SARIF: {uri} is no relative reference")
    return problems


def _junit(checks: list[dict], file: Path) -> list[str]:
    document = JUnitXml.fromfile(str(file))
    [suite] = document
    cases = list(suite)
    problems = []
    if [case.name for case in cases] != [check["id"] for check in checks]:
        problems.append("JUnit: the tests are others than the checks")
    for kind, outcome, counted in ((Failure, "wrong", suite.failures), (Skipped, "not_checked", suite.skipped)):
        names = sorted(case.name for case in cases if any(isinstance(result, kind) for result in case.result))
        if names != _named(checks, outcome) or counted != len(names):
            problems.append(f"JUnit: {kind.__name__} is other than {outcome}")
    before = (suite.tests, suite.failures, suite.errors, suite.skipped)
    suite.update_statistics()
    if before != (suite.tests, suite.failures, suite.errors, suite.skipped):
        problems.append("JUnit: the counts are wrong")
    return problems


def main() -> None:
    report, sarif, junit = map(Path, sys.argv[1:])
    checks = json.loads(report.read_text())["checks"]
    for problem in _sarif(checks, json.loads(sarif.read_text())) + _junit(checks, junit):
        print(problem)


if __name__ == "__main__":
    main()
