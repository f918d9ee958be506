"""Unmodified Python SDKs against the gateway at the base URL in argv[1]; fails on the first fault.

The model behind the gateway says `SAID` to everything, and the smallest fitting JSON to a schema.
"""

import sys

import anthropic
import ollama
import openai
from pydantic import BaseModel

SAID = "Hello there, friend."
BASE = sys.argv[1]
HI = [{"role": "user", "content": "Hi"}]
PICTURE = [{"role": "user", "content": "Look.", "images": ["aGk="]}]
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


class Plan(BaseModel):
    title: str
    steps: list[int]


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def fails(kind, ask):
    try:
        ask()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def openai_sdk():
    client = openai.OpenAI(base_url=f"{BASE}/v1", api_key="local", max_retries=0)
    chat = client.chat.completions
    answer = chat.create(model="gpt-4o", messages=HI)
    equal(answer.choices[0].message.content, SAID)
    equal(answer.choices[0].finish_reason, "stop")
    assert answer.usage.total_tokens > 0
    chunks = list(
        chat.create(model="gpt-4o", messages=HI, stream=True, stream_options={"include_usage": True})
    )
    text = "".join(it.choices[0].delta.content or "" for it in chunks if it.choices)
    equal(text, SAID)
    assert len(chunks) > 4 and chunks[-1].usage.completion_tokens > 0
    tool = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}
    forced = {"type": "function", "function": {"name": "weather"}}
    called = chat.create(model="gpt-4o", messages=HI, tools=[tool], tool_choice=forced)
    call = called.choices[0].message.tool_calls[0]
    equal((call.function.name, call.function.arguments[:8]), ("weather", '{"city":'))
    equal(called.choices[0].finish_reason, "tool_calls")
    turns = [
        *HI,
        called.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    equal(chat.create(model="gpt-4o", messages=turns).choices[0].message.content, SAID)
    with chat.stream(model="gpt-4o", messages=HI, tools=[tool], tool_choice=forced) as stream:
        streamed = stream.get_final_completion().choices[0].message.tool_calls[0]
    equal(streamed.function.name, "weather")
    parsed = chat.parse(model="gpt-4o", messages=HI, response_format=Plan)
    assert isinstance(parsed.choices[0].message.parsed, Plan)
    response = client.responses.create(model="gpt-5", input="Hi")
    equal(response.output_text, SAID)
    with client.responses.stream(model="gpt-5", input="Hi") as stream:
        deltas = [it.delta for it in stream if it.type == "response.output_text.delta"]
        equal(stream.get_final_response().output_text, SAID)
    equal("".join(deltas), SAID)
    parsed = client.responses.parse(model="gpt-5", input="Hi", text_format=Plan)
    assert isinstance(parsed.output_parsed, Plan)
    equal(client.completions.create(model="gpt-3.5", prompt="Hi").choices[0].text, SAID)
    assert [it.id for it in client.models.list()]
    vectors = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"]).data
    equal([it.embedding for it in vectors], [[0.5, -0.25, 0.0], [0.5, -0.25, 1.0]])
    error = fails(openai.BadRequestError, lambda: chat.create(model="gpt-4o", messages=[]))
    equal(error.type, "invalid_request_error")


def anthropic_sdk():
    client = anthropic.Anthropic(base_url=BASE, api_key="local", max_retries=0)
    ask = {"model": "claude-sonnet-4", "max_tokens": 200, "messages": HI}
    answer = client.messages.create(**ask)
    equal((answer.content[0].text, answer.stop_reason), (SAID, "end_turn"))
    with client.messages.stream(**ask) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    equal("".join(pieces), SAID)
    assert len(pieces) > 1 and final.usage.output_tokens > 0
    tools = [{"name": "weather", "input_schema": WEATHER}]
    forced = {"type": "tool", "name": "weather"}
    called = client.messages.create(**ask, tools=tools, tool_choice=forced)
    equal((called.content[0].type, called.stop_reason), ("tool_use", "tool_use"))
    assert called.content[0].input["city"]
    with client.messages.stream(**ask, tools=tools, tool_choice=forced) as stream:
        equal(stream.get_final_message().content[0].input, called.content[0].input)
    result = {"type": "tool_result", "tool_use_id": called.content[0].id, "content": "sunny"}
    turns = [*HI, {"role": "assistant", "content": called.content}]
    turns.append({"role": "user", "content": [result]})
    equal(client.messages.create(**{**ask, "messages": turns}).content[0].text, SAID)
    counted = client.messages.count_tokens(model="claude-sonnet-4", messages=HI)
    assert counted.input_tokens > 0
    assert [it.id for it in client.models.list()]
    fails(anthropic.BadRequestError, lambda: client.messages.create(**{**ask, "messages": []}))


def ollama_sdk():
    client = ollama.Client(host=BASE)
    answer = client.chat(model="llama3", messages=HI)
    equal((answer.message.content, answer.done_reason), (SAID, "stop"))
    pieces = [it.message.content for it in client.chat(model="llama3", messages=HI, stream=True)]
    equal("".join(pieces), SAID)
    equal(client.generate(model="llama3", prompt="Hi").response, SAID)
    plan = client.chat(model="llama3", messages=HI, format=Plan.model_json_schema())
    Plan.model_validate_json(plan.message.content)
    assert client.list().models[0].model
    assert client.show("llama3").capabilities
    assert client.ps().models
    equal(client.embed(model="bge-m3", input="a").embeddings[0][:2], [0.5, -0.25])
    equal(client.embeddings(model="bge-m3", prompt="a").embedding[:2], [0.5, -0.25])
    equal(client.chat(model="llama3", messages=PICTURE).message.content, SAID)
    nobody = [{"role": "wizard", "content": "Hi"}]
    fails(ollama.ResponseError, lambda: client.chat(model="llama3", messages=nobody))


for client in (openai_sdk, anthropic_sdk, ollama_sdk):
    client()
    print(client.__name__, "is served")
