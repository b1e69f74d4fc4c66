"""Scores a file of multiple choices with lm-evaluation-harness: its multiple_choice task and its local-completions client, against a
running Sluice, whose /tokenize stands in for the tokenizer's files. Prints JSON: the accuracy and each document's pick."""

import json
import pathlib
import sys
import tempfile

import lm_eval
import requests
from lm_eval.models.openai_completions import LocalCompletionsAPI
from lm_eval.tasks import TaskManager

TASK = """task: choices
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{query}}}}"
doc_to_choice: choices
doc_to_target: gold
target_delimiter: ""
metric_list:
  - metric: acc
"""


class SluiceCompletions(LocalCompletionsAPI):
    def __init__(self, server, **options):
        super().__init__(base_url=f"{server}/v1/completions", tokenizer_backend=None, **options)
        self.server = server
        self.tokenizer = self  # only asked for whether there is one
        self.tokenized_requests = True

    def tok_encode(self, string, **_):
        if isinstance(string, list):
            return [self.tok_encode(each) for each in string]
        return requests.post(f"{self.server}/tokenize", json={"content": string}, timeout=60).json()["tokens"]


def main(server, model, file):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "choices.yaml").write_text(TASK.format(file=file))
        client = SluiceCompletions(server, model=model, num_concurrent=8)
        report = lm_eval.simple_evaluate(
            model=client, tasks=["choices"], task_manager=TaskManager(include_path=folder), log_samples=True, bootstrap_iters=0
        )
    samples = sorted(report["samples"]["choices"], key=lambda sample: sample["doc_id"])
    picks = [
        max(range(len(sample["filtered_resps"])), key=lambda index: sample["filtered_resps"][index][0]) for sample in samples
    ]
    print(json.dumps({"accuracy": report["results"]["choices"]["acc,none"], "picks": picks}))


main(*sys.argv[1:])
