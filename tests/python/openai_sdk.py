"""Calls with OpenAI's SDK."""

import asyncio

import openai
from asked import BASE_URL, KEY, MODEL, SCRIPTED, UNKNOWN, asked_errors, call, error_of, run

OPTIONS = {"base_url": f"{BASE_URL}/v1", "api_key": KEY, "max_retries": 0, "timeout": 30.0}
client = openai.OpenAI(**OPTIONS)

MESSAGES = [{"role": "user", "content": "How is the weather in Zürich?"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"type": "function", "function": {"name": name, "description": name, "parameters": PARAMETERS}}
    for name in ("weather", "forecast")
]
FLAT_TOOLS = [{"type": "function", "strict": False, **tool["function"]} for tool in TOOLS]


def scripted(script):
    return {SCRIPTED: script}


def called(tool_calls):
    return [[each.id, each.function.name, each.function.arguments] for each in tool_calls]


@call
def chat():
    answer = client.chat.completions.create(model=MODEL, messages=MESSAGES, extra_body=UNKNOWN)
    choice = answer.choices[0]
    return {
        "text": choice.message.content,
        "finish": choice.finish_reason,
        "usage": [answer.usage.prompt_tokens, answer.usage.completion_tokens],
        "extra": answer.model_extra["x_extra"],
    }


@call
def chat_bytes():
    return client.chat.completions.with_raw_response.create(model=MODEL, messages=MESSAGES).text


@call
def stream():
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
    )
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    return {
        "pieces": [choice.delta.content for choice in choices if choice.delta.content],
        "finish": choices[-1].finish_reason,
        "usage": [[chunk.usage.prompt_tokens, chunk.usage.completion_tokens] for chunk in chunks if chunk.usage],
        "extra": [chunk.model_extra["x_extra"] for chunk in chunks][0],
    }


@call
def stream_without_usage():
    chunks = client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
    return {"usage": [chunk.usage for chunk in chunks if chunk.usage]}


@call
def stream_async():
    async def text():
        async with openai.AsyncOpenAI(**OPTIONS) as client:
            chunks = await client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])

    return asyncio.run(text())


@call
def tools():
    answer = client.chat.completions.create(
        model=MODEL, messages=MESSAGES, tools=TOOLS, extra_headers=scripted("tools=2")
    )
    choice = answer.choices[0]
    return {"calls": called(choice.message.tool_calls), "text": choice.message.content, "finish": choice.finish_reason}


@call
def tools_stream():
    asked = {"model": MODEL, "messages": MESSAGES, "tools": TOOLS, "extra_headers": scripted("tools=2")}
    with client.chat.completions.stream(**asked) as stream:
        choice = stream.get_final_completion().choices[0]
    return {"calls": called(choice.message.tool_calls), "finish": choice.finish_reason}


@call
def refusal():
    answer = client.chat.completions.create(
        model=MODEL, messages=MESSAGES, extra_headers=scripted("fault=refusal")
    )
    return [answer.choices[0].finish_reason, answer.choices[0].message.content]


@call
def responses():
    answer = client.responses.create(model=MODEL, input="hi", extra_body=UNKNOWN)
    return {
        "text": answer.output_text,
        "status": answer.status,
        "usage": [answer.usage.input_tokens, answer.usage.output_tokens],
        "extra": answer.model_extra["x_extra"],
    }


@call
def responses_stream():
    asked = {"model": MODEL, "input": "hi", "extra_headers": scripted("thinking=let me see what there is")}
    with client.responses.stream(**asked) as stream:
        kinds = [event.type for event in stream]
        answer = stream.get_final_response()
    reasoning = [item.summary[0].text for item in answer.output if item.type == "reasoning"]
    return {
        "text": answer.output_text,
        "reasoning": reasoning,
        "status": answer.status,
        "pieces": kinds.count("response.output_text.delta"),
        "first": kinds[0],
        "last": kinds[-1],
    }


@call
def responses_tools_stream():
    asked = {"model": MODEL, "input": "hi", "tools": FLAT_TOOLS, "extra_headers": scripted("tools=2")}
    with client.responses.stream(**asked) as stream:
        answer = stream.get_final_response()
    return [[item.call_id, item.name, item.arguments] for item in answer.output if item.type == "function_call"]


@call
def count_tokens():
    return client.responses.input_tokens.count(model=MODEL, input="How is the weather in Zürich?").input_tokens


@call
def embeddings():
    answer = client.embeddings.create(model=MODEL, input=["a", "b"], dimensions=4)
    return {"vectors": [each.embedding for each in answer.data], "usage": answer.usage.prompt_tokens}


@call
def models():
    return [model.id for model in client.models.list()]


@call
def errors():
    def asked(script, model):
        return lambda: client.chat.completions.create(
            model=model, messages=MESSAGES, extra_headers=scripted(script)
        )

    scripts = [f"status={status}" for status in (400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 529)]
    scripts += ["fault=context_too_long", "fault=reset", "fault=close", "fault=close,after=1"]
    return {script: error_of(asked(script, model), openai.OpenAIError) for script, model in asked_errors(scripts)}


@call
def stream_errors():
    def asked(script):
        return lambda: list(
            client.chat.completions.create(
                model=MODEL, messages=MESSAGES, stream=True, extra_headers=scripted(script)
            )
        )

    scripts = ["fault=error,after=2", "fault=close,after=2"]
    return {script: error_of(asked(script), openai.OpenAIError) for script in scripts}


run()
