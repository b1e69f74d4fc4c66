"""OpenAI's Python SDK, unchanged, against a server: run by openai-python.test.ts, prints one line per check passed."""

import sys

import openai

base_url = f"{sys.argv[1]}/v1"
client = openai.OpenAI(base_url=base_url, api_key="none", max_retries=2)
to_the_end = {"ignore_eos": True}
model = client.models.list().data[0].id

answer = client.completions.create(
    model=model, prompt="The capital of France is", max_tokens=8, temperature=0, extra_body=to_the_end
)
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
    extra_body=to_the_end,
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

endless = client.completions.create(
    model=model, prompt="x", max_tokens=8000, stream=True, extra_body={**to_the_end, "timeout_ms": 200}
)
try:
    list(endless)
    raise AssertionError("a request past its deadline ended well")
except openai.APIError as error:
    assert error.code == "deadline_exceeded", error
print("error in a stream")



def occupy():
    """A request that is served or waits, known to have been accepted once its stream is open."""
    return client.completions.create(model=model, prompt="x", max_tokens=8000, stream=True, extra_body=to_the_end)


running, waiting = occupy(), occupy()
statuses = []


def make_room(response):
    """The server is full until the first refusal."""
    statuses.append(response.status_code)
    if response.status_code == 429:
        running.close()
        waiting.close()


hooked = openai.DefaultHttpxClient(event_hooks={"response": [make_room]})
patient = openai.OpenAI(base_url=base_url, api_key="none", max_retries=5, http_client=hooked)
last = patient.completions.create(model=model, prompt="z", max_tokens=1, temperature=0, extra_body=to_the_end)
assert statuses[0] == 429 and statuses[-1] == 200, statuses
assert last.usage.completion_tokens == 1, last
print("retry")
