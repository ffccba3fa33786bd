"""Nobody waits for what nobody sends: requests that would wait for others wait for a moment."""

import contextlib

import schemathesis

MOMENT = 0.01


def _shortened(values: object, *kinds: type) -> None:
    if isinstance(values, dict) and type(values.get("wait")) in kinds:
        with contextlib.suppress(ValueError):
            if MOMENT < float(values["wait"]) <= 60:
                values["wait"] = MOMENT


@schemathesis.hook
def before_call(context, case, kwargs) -> None:
    _shortened(case.query, int, float, str)
    _shortened(case.body, int, float)
