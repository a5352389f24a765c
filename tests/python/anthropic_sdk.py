"""Calls with Anthropic's SDK."""

import anthropic
from asked import BASE_URL, KEY, MODEL, SCRIPTED, UNKNOWN, asked_errors, call, error_of, run

client = anthropic.Anthropic(base_url=BASE_URL, api_key=KEY, max_retries=0, timeout=30.0)

ASKED = {
    "model": MODEL,
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "How is the weather in Zürich?"}],
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"name": name, "description": name, "input_schema": SCHEMA} for name in ("weather", "forecast")]


def scripted(script):
    return {**ASKED, "extra_headers": {SCRIPTED: script}}


def told(message):
    return {
        "blocks": [block.model_dump(exclude_none=True) for block in message.content],
        "stop": message.stop_reason,
        "usage": [message.usage.input_tokens, message.usage.output_tokens],
    }


@call
def message():
    answer = client.messages.create(**ASKED, extra_body=UNKNOWN)
    return {**told(answer), "extra": answer.model_extra["x_extra"]}


@call
def message_bytes():
    return client.messages.with_raw_response.create(**ASKED).text()


@call
def stream():
    with client.messages.stream(**ASKED) as stream:
        pieces = list(stream.text_stream)
        return {**told(stream.get_final_message()), "pieces": len(pieces)}


@call
def events():
    return [event.type for event in client.messages.create(**scripted("text=a b,pings=1"), stream=True)]


@call
def thinking():
    asked = scripted("thinking=let me see what there is,text=done")
    with client.messages.stream(**asked, thinking={"type": "enabled", "budget_tokens": 1024}) as stream:
        return told(stream.get_final_message())


@call
def tools():
    return told(client.messages.create(**scripted("tools=2"), tools=TOOLS))


@call
def tools_stream():
    with client.messages.stream(**scripted("tools=2"), tools=TOOLS) as stream:
        return told(stream.get_final_message())


@call
def cached():
    answer = client.messages.create(**scripted("cache_read_tokens=7,cache_write_tokens=5"))
    return [answer.usage.cache_read_input_tokens, answer.usage.cache_creation_input_tokens]


@call
def refusal():
    answer = client.messages.create(**scripted("fault=refusal"))
    return [answer.stop_reason, answer.stop_details.type, answer.content]


@call
def count_tokens():
    asked = {key: ASKED[key] for key in ("model", "messages")}
    return client.messages.count_tokens(**asked).input_tokens


@call
def models():
    return [[model.id, model.display_name] for model in client.models.list()]


@call
def errors():
    scripts = [f"status={status}" for status in (400, 401, 402, 403, 404, 409, 422, 429, 500, 503, 529)]
    scripts += ["fault=context_too_long", "fault=reset", "fault=close", "fault=close,after=1"]
    attempt = lambda script, model: client.messages.create(**{**scripted(script), "model": model})  # noqa: E731
    return {
        script: error_of(lambda: attempt(script, model), anthropic.AnthropicError)
        for script, model in asked_errors(scripts)
    }


@call
def stream_errors():
    def asked(script):
        return lambda: list(client.messages.create(**scripted(script), stream=True))

    return {"fault=error,status=529,after=2": error_of(asked("fault=error,status=529,after=2"), anthropic.AnthropicError)}


run()
