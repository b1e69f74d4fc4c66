"""OpenAI's Python SDK, unchanged, against a server: run by openai-python.test.ts, prints one line per check passed."""

import sys

import openai

client = openai.OpenAI(base_url=f"{sys.argv[1]}/v1", api_key="none", max_retries=2)
model = client.models.list().data[0].id

answer = client.completions.create(model=model, prompt="The capital of France is", max_tokens=8, temperature=0)
assert answer.object == "text_completion" and answer.usage.completion_tokens == 8, answer
assert answer.choices[0].finish_reason == "length" and answer.choices[0].text, answer
print("completion")

stream = client.completions.create(
    model=model,
    prompt="The capital of France is",
    max_tokens=8,
    temperature=0,
    stream=True,
    stream_options={"include_usage": True},
)
chunks = list(stream)
assert "".join(c.choices[0].text for c in chunks if c.choices) == answer.choices[0].text, chunks
assert chunks[-1].usage.completion_tokens == 8, chunks[-1]
print("completion stream")

messages = [{"role": "user", "content": "Say hello."}]
chat = client.chat.completions.create(model=model, messages=messages, max_tokens=8, temperature=0, logprobs=True)
assert chat.choices[0].message.role == "assistant", chat
assert len(chat.choices[0].logprobs.content) == chat.usage.completion_tokens, chat
print("chat")

with client.chat.completions.create(
    model=model, messages=messages, max_tokens=8, temperature=0, stream=True
) as events:
    text = "".join(e.choices[0].delta.content or "" for e in events if e.choices)
assert text == chat.choices[0].message.content, text
print("chat stream")

try:
    client.completions.create(model="no-such-model", prompt="x")
    raise AssertionError("an unknown model was accepted")
except openai.NotFoundError as error:
    assert error.code == "model_not_found", error
try:
    client.completions.create(model=model, prompt="x", temperature=-1)
    raise AssertionError("a negative temperature was accepted")
except openai.BadRequestError as error:
    assert error.param == "temperature", error
print("errors")
