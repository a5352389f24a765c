"""How a script is told what to do, and tells what it sees: one line of JSON for each call.

    python SCRIPT '{"base_url": "http://127.0.0.1:6120", "model": "scripted-1", "calls": ["chat"], "errors": ["status=429"]}'

`base_url` is the root, whatever answers there: the scripted provider, or a gateway with one behind it. Without `calls`, every
call of the script is made; `errors` are those that are asked for, each of a model of its own, since what is learned of one keeps
others from being asked. What a call tells is the same, wherever it is answered, if the content is.
"""

import json
import sys
from typing import Any, Callable

ASKED: dict[str, Any] = json.loads(sys.argv[1])
BASE_URL: str = ASKED["base_url"]
MODEL: str = ASKED.get("model", "scripted-1")

# None of them is a key of anybody.
KEY = "sk-scripted"
# Sent by no SDK: it must come through.
UNKNOWN = {"x_unknown": {"kept": 1.5}}
# What the provider is to answer, for one request.
SCRIPTED = "x-scripted"

CALLS: dict[str, Callable[[], Any]] = {}


def call(made: Callable[[], Any]) -> Callable[[], Any]:
    """Makes a function one of the script's calls."""
    CALLS[made.__name__] = made
    return made


def run() -> None:
    """Makes the calls that were asked for."""
    for name in ASKED.get("calls", CALLS):
        print(json.dumps({"call": name, "said": CALLS[name]()}, ensure_ascii=False), flush=True)


def asked_errors(usual: list[str]) -> list[tuple[str, str]]:
    """The errors that are asked for, each as it is scripted, and the model that it is asked of."""
    if "errors" not in ASKED:
        return [(script, MODEL) for script in usual]
    return [(script, f"{MODEL}-{number}") for number, script in enumerate(ASKED["errors"])]


def error_of(attempt: Callable[[], Any], kind: type[Exception]) -> list[Any]:
    """The class of the error that an attempt ends in, and its status if it has one."""
    try:
        attempt()
    except kind as error:
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        return [type(error).__name__, status if isinstance(status, int) else None]
    return ["no error", None]
