"""What the plugin does to a run."""

import pytest

pytest_plugins = ["pytester"]


def test_a_failure_lists_what_the_issuer_was_asked(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import urllib.request

        def test_it(issuer):
            urllib.request.urlopen(issuer.jwks_uri).close()
            assert False
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*gatelet: what http://* was asked*", "1. GET /t/*/oauth/jwks (jwks): 200"])


def test_each_specimen_is_a_test_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def zoo_spec():
            return {"scope": "mcp:write"}

        def test_it(zoo_specimen, issuer):
            assert zoo_specimen.valid == (zoo_specimen.name == "valid")
            assert zoo_specimen.valid == (zoo_specimen.status == 200)
            assert zoo_specimen.token and zoo_specimen.section
        """
    )
    result = pytester.runpytest_subprocess("-v")
    outcomes = result.parseoutcomes()
    assert outcomes.keys() == {"passed"} and outcomes["passed"] > 20
    result.stdout.fnmatch_lines(["*test_it[[]valid] PASSED*", "*test_it[[]expired] PASSED*"])


def test_nothing_is_started_for_who_needs_nothing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATELET_BIN", "/nothing/is/here")
    pytester.makepyfile("def test_it(): pass")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
