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


def test_coroutines_of_any_plugin_have_an_issuer(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import anyio
        import pytest
        from gatelet import AsyncGatelet, AsyncIssuer

        async def look(async_issuer: AsyncIssuer) -> None:
            async with anyio.create_task_group() as tasks:
                async def wait() -> None:
                    assert (await async_issuer.expect("clock-is-not-an-endpoint", exactly=0, wait=0.1)) == []
                tasks.start_soon(wait)
                assert (await async_issuer.mint()).claims["sub"] == "alice"
            with anyio.move_on_after(0.2) as scope:
                await async_issuer.requests(wait=60)
            assert scope.cancelled_caught
            async with AsyncGatelet() as gatelet, await gatelet.issuer(seed=1) as issuer:
                assert await issuer.clock()

        @pytest.mark.asyncio
        async def test_pytest_asyncio(async_issuer):
            await look(async_issuer)

        # By its default, once for asyncio and once for trio.
        @pytest.mark.anyio
        async def test_anyio(async_issuer, anyio_backend):
            await look(async_issuer)
        """
    )
    result = pytester.runpytest_subprocess("-W", "error", "-o", "asyncio_default_fixture_loop_scope=function", "-v", timeout=50)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*test_anyio?trio? PASSED*"])


def test_each_worker_has_a_process_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_one(issuer, gatelet, zoo_specimen):
            assert zoo_specimen.token and gatelet.pid
        """
    )
    result = pytester.runpytest_subprocess("-n", "2")
    outcomes = result.parseoutcomes()
    assert outcomes.keys() == {"passed"} and outcomes["passed"] > 20


def test_a_program_that_is_not_there_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATELET_BIN", "/nothing/is/here")
    pytester.makepyfile("def test_it(issuer): pass", test_zoo="def test_zoo(zoo_specimen): pass")
    result = pytester.runpytest_subprocess()
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*DidNotStart: /nothing/is/here cannot be run: *"])
