"""Calls with Google's SDK for Gemini."""

from asked import BASE_URL, KEY, MODEL, SCRIPTED, asked_errors, call, error_of, run
from google import genai
from google.genai import errors as sdk_errors
from google.genai import types

ONCE = types.HttpRetryOptions(attempts=1)
OPTIONS = types.HttpOptions(base_url=BASE_URL, api_version="v1beta", timeout=30_000, retry_options=ONCE)
client = genai.Client(api_key=KEY, http_options=OPTIONS)

CITY = types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)})
TOOLS = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name=name, description=name, parameters=CITY)
            for name in ("weather", "forecast")
        ]
    )
]
NOTHING_BY_ITSELF = types.AutomaticFunctionCallingConfig(disable=True)


def asked(script=None, model=MODEL, **config):
    headers = {SCRIPTED: script} if script else {}
    http_options = types.HttpOptions(headers=headers)
    config = types.GenerateContentConfig(
        http_options=http_options, automatic_function_calling=NOTHING_BY_ITSELF, **config
    )
    return {"model": model, "contents": "How is the weather in Zürich?", "config": config}


def told(answer):
    used = answer.usage_metadata
    return {
        "text": answer.text,
        "finish": answer.candidates[0].finish_reason.name,
        "usage": [used.prompt_token_count, used.candidates_token_count, used.total_token_count],
        "model": answer.model_version,
    }


@call
def generate():
    return told(client.models.generate_content(**asked()))


@call
def stream():
    chunks = list(client.models.generate_content_stream(**asked()))
    return {**told(chunks[-1]), "text": "".join(chunk.text or "" for chunk in chunks), "pieces": len(chunks)}


@call
def thinking():
    answer = client.models.generate_content(**asked("thinking=let me see,text=done,reasoning_tokens=4"))
    parts = [[part.text, bool(part.thought)] for part in answer.candidates[0].content.parts]
    return [parts, answer.usage_metadata.thoughts_token_count]


@call
def tools():
    answer = client.models.generate_content(**asked("tools=2", tools=TOOLS))
    return [[each.id, each.name, each.args] for each in answer.function_calls]


@call
def tools_stream():
    chunks = client.models.generate_content_stream(**asked("tools=2", tools=TOOLS))
    return [[each.id, each.name, each.args] for chunk in chunks for each in chunk.function_calls or []]


@call
def refusal():
    candidate = client.models.generate_content(**asked("fault=refusal")).candidates[0]
    return [candidate.finish_reason.name, candidate.content]


@call
def count_tokens():
    return client.models.count_tokens(model=MODEL, contents="How is the weather in Zürich?").total_tokens


@call
def models():
    return [[model.name, model.input_token_limit] for model in client.models.list()]


@call
def errors():
    scripts = [f"status={status}" for status in (400, 401, 403, 404, 429, 500, 503)]
    scripts += ["fault=context_too_long"]
    attempt = lambda script, model: client.models.generate_content(**asked(script, model))  # noqa: E731
    return {
        script: error_of(lambda: attempt(script, model), sdk_errors.APIError)
        for script, model in asked_errors(scripts)
    }


@call
def stream_errors():
    script = "fault=error,status=503,after=2"
    attempt = lambda: list(client.models.generate_content_stream(**asked(script)))  # noqa: E731
    return {script: error_of(attempt, sdk_errors.APIError)}


run()
