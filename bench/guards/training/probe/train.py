"""Fits the injection probe (see probe.ts): one argument, JSON.

The layers between the two whose states are read learn low-rank changes, and a head learns to judge the states: a text's
tokens become features, their mean and several attentive means of them one score (src/guards/detect/probe/head.ts has the
same). Some authors are left out at first: calibration and threshold come from what is said of their texts. Then it learns
from them too.
"""

import json
import math
import struct
import sys
import time
from pathlib import Path

import numpy as np
import torch
from gemma import Layer, Weights, embedded, scaled
from gguf import GGUFWriter
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, gelu

FEATURES, VIEWS = 64, 4
DIMENSIONS = 768  # principal components that are learnt from; the file has the product
WHITENING = 0.5  # power of a component's deviation that it is divided by
CHANGES = {"rank": 16, "strength": 2.0, "dropped": 0.1}
TEXTS, TOKENS = 64, 4_000  # a batch has at most so many texts, and tokens with padding
EPOCHS = 2  # and one with all texts
RATES = {"head": 0.003, "changes": 0.0005}
LAST_RATE = 0.3  # of these
DECAY = {"head": 0.1, "changes": 0.05}
DROPPED = {"inputs": 0.2, "pooled": 0.3}
WARMING = 60  # steps
TYPICAL_TEXTS = 24  # of a batch: losses are summed over its texts, and divided by this
MAX_GRADIENT = 2.0
SMOOTHED = 0.05  # of the labels
KEPT = 0.99  # of the mean of the weights, at each step
MAX_EXPONENT = 15
FALSE_POSITIVES = 0.005  # of the harmless texts left out

given = json.loads(sys.argv[1])
FIRST, LAST = given["layers"]  # after which states are read


class Parts:
    """Parts of texts, as tokens, with the states that the fixed layers leave of them."""

    def __init__(self, parts, weights):
        self.tokens = [torch.tensor(part["tokens"]) for part in parts]
        self.lengths = np.array([len(part["tokens"]) for part in parts])
        self.ends = np.cumsum(self.lengths)
        self.text = np.array([part["text"] for part in parts])
        self.source = np.array([part["source"] for part in parts])
        self.is_left_out = np.array([part["isLeftOut"] for part in parts])
        self.is_attack = np.array([part["isAttack"] for part in parts])
        self.words = np.array([part["words"] for part in parts])
        # What is judged at once: a part, or of an attack, all of them, since nobody says which it is in.
        self.judged = np.where(self.is_attack, self.text, len(parts) + np.arange(len(parts)))
        self.states = self.read(weights)

    def read(self, weights):
        file, tokens = Path(given["folder"]) / "states.pt", torch.cat(self.tokens)
        if file.exists() and torch.equal((saved := torch.load(file, weights_only=True))["tokens"], tokens):
            return saved["states"]
        table, layers = embedded(weights), [Layer(weights, index) for index in range(FIRST)]
        states = torch.empty(len(tokens), table.shape[1], dtype=torch.bfloat16)
        done = 0
        with torch.inference_mode():
            for count, batch in enumerate(self.batches(np.arange(len(self.tokens)), 2 * TOKENS)):
                x = nn.utils.rnn.pad_sequence([table[self.tokens[part]] for part in batch], batch_first=True).float()
                for layer in layers:
                    x = layer(x)
                for row, part in zip(x, batch):
                    states[self.rows(part)] = row[: self.lengths[part]].bfloat16()
                done += self.lengths[batch].sum()
                if count % 50 == 49:
                    print(f"  states of {done} of {len(tokens)} tokens", flush=True)
        torch.save({"tokens": tokens, "states": states}, file)
        return states

    def rows(self, part):
        return slice(self.ends[part] - self.lengths[part], self.ends[part])

    def batches(self, chosen, tokens=TOKENS):
        """Those of one length together, for little padding, and what is judged at once in one."""
        together = {}
        for part in chosen:
            together.setdefault(self.judged[part], []).append(part)
        batch = []
        for several in sorted(together.values(), key=self.longest):
            count = len(batch) + len(several)
            if batch and (count > TEXTS or self.longest(several) * count > tokens):
                yield np.array(batch)
                batch = []
            batch += several
        if batch:
            yield np.array(batch)

    def longest(self, several):
        return self.lengths[several].max()

    def labelled(self, batch, scores):
        """Of what is judged at once the worst part's score, and whether it is an attack."""
        _, first, index = np.unique(self.judged[batch], return_index=True, return_inverse=True)
        lowest = torch.full((len(first),), -torch.inf)
        worst = lowest.scatter_reduce(0, torch.from_numpy(index), scores, "amax")
        return worst, torch.tensor(self.is_attack[batch][first], dtype=torch.float32)

    def padded(self, batch):
        """States, and which of them are tokens of the text."""
        states = nn.utils.rnn.pad_sequence([self.states[self.rows(part)] for part in batch], batch_first=True)
        lengths = torch.from_numpy(self.lengths[batch])[:, None]
        place = torch.arange(states.shape[1])[None]
        return states, (place >= 1) & (place < lengths)  # without what begins every text


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(DIMENSIONS, FEATURES)
        self.attend = nn.Linear(FEATURES, VIEWS)
        self.output = nn.Linear(FEATURES * (1 + VIEWS), 1)
        nn.init.zeros_(self.attend.weight)
        self.drop_inputs, self.drop_pooled = nn.Dropout(DROPPED["inputs"]), nn.Dropout(DROPPED["pooled"])

    def forward(self, inputs, is_token):
        features = gelu(self.project(self.drop_inputs(inputs)), approximate="tanh")
        attention = self.attend(features).clamp(-MAX_EXPONENT, MAX_EXPONENT).exp()
        weights = torch.cat([torch.ones_like(attention[..., :1]), attention], -1) * is_token[..., None]
        pooled = weights.transpose(1, 2) @ features / weights.sum(1)[..., None]
        return self.output(self.drop_pooled(pooled.flatten(1)))[:, 0]


class Probe(nn.Module):
    """Layers that learn, and the head on what they and the fixed ones know."""

    def __init__(self, weights, parts, sample):
        super().__init__()
        self.layers = nn.ModuleList(Layer(weights, index, CHANGES) for index in range(FIRST, LAST))
        self.head = Head()
        with torch.inference_mode():
            batches = [parts.padded(batch) for batch in parts.batches(sample)]
            states = torch.cat([self.states(x)[is_token] for x, is_token in batches])
        self.mean, self.deviation = states.mean(0), states.std(0) + 1e-3
        states = (states - self.mean) / self.deviation
        variances, vectors = torch.linalg.eigh(states.T @ states / len(states))
        kept = variances.flip(0)[:DIMENSIONS].clamp(min=1e-3)
        self.components = vectors.flip(1)[:, :DIMENSIONS] / kept.pow(WHITENING / 2)

    def states(self, first):
        last = first.float()
        for layer in self.layers:
            last = layer(last)
        return torch.cat([scaled(first), scaled(last)], -1)

    def forward(self, first, is_token):
        return self.head(((self.states(first) - self.mean) / self.deviation) @ self.components, is_token)


class MeanWeights:
    """A mean of a probe's weights over its last steps, which judges what it hasn't seen better than the last weights."""

    def __init__(self, probe):
        self.weights = list(probe.parameters())
        self.means = [each.detach().clone() for each in self.weights]
        self.steps = 0

    def take(self):
        self.steps += 1
        kept = min(KEPT, (1 + self.steps) / (10 + self.steps))
        for mean, each in zip(self.means, self.weights):
            mean.lerp_(each.detach(), 1 - kept)

    def put(self):
        for mean, each in zip(self.means, self.weights):
            each.data.copy_(mean)


def learn(probe, parts, chosen, random, epochs, of_rates=1.0):
    probe.train()
    means = MeanWeights(probe)
    optimiser = torch.optim.AdamW(
        [
            {"params": list(learnt.parameters()), "lr": RATES[name] * of_rates, "weight_decay": DECAY[name]}
            for name, learnt in (("head", probe.head), ("changes", probe.layers))
        ],
        betas=(0.9, 0.98),
    )
    steps = [batch for _ in range(epochs) for batch in shuffled(parts, chosen, random)]

    def rate(step):
        return min(1, step / WARMING) * max(0.5 * (1 + math.cos(math.pi * step / len(steps))), 0.02)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    began, losses = time.monotonic(), []
    for step, batch in enumerate(steps, 1):
        scores, labels = parts.labelled(batch, probe(*parts.padded(batch)))
        labels = labels * (1 - SMOOTHED) + SMOOTHED / 2
        losses_sum = binary_cross_entropy_with_logits(scores, labels, reduction="sum")
        loss = losses_sum / TYPICAL_TEXTS
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(probe.parameters(), MAX_GRADIENT)
        optimiser.step()
        schedule.step()
        means.take()
        losses.append(losses_sum.item() / len(scores))
        if step % 50 == 0:
            took = time.monotonic() - began
            print(f"  step {step} of {len(steps)}, {took:.0f} s, loss {np.mean(losses[-50:]):.4f}", flush=True)
    means.put()
    probe.eval()


def shuffled(parts, chosen, random):
    """Batches of an epoch, in an order of their own."""
    judged = parts.judged[chosen]
    pools = np.array_split(random.permutation(np.unique(judged)), max(1, len(chosen) // 2048))
    batches = [batch for pool in pools for batch in parts.batches(chosen[np.isin(judged, pool)])]
    return [batches[index] for index in random.permutation(len(batches))]


def worst_parts(probe, parts, chosen):
    """By text: its worst part's score."""
    worst = {}
    with torch.inference_mode():
        for batch in parts.batches(chosen):
            for part, score in zip(batch, probe(*parts.padded(batch)).tolist()):
                text = parts.text[part]
                if text not in worst or score > worst[text]["score"]:
                    worst[text] = {
                        "score": score,
                        "words": float(parts.words[part]),
                        "is_attack": bool(parts.is_attack[part]),
                        "source": parts.source[part],
                    }
    return list(worst.values())


def calibration(texts):
    """Weights of the score, of the words' log-odds, and of one: a logistic regression."""
    x = torch.tensor([[each["score"], each["words"], 1] for each in texts], dtype=torch.float64)
    y = torch.tensor([each["is_attack"] for each in texts], dtype=torch.float64)
    plane = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([plane], max_iter=100)

    def loss():
        optimiser.zero_grad()
        value = binary_cross_entropy_with_logits(x @ plane, y)
        value.backward()
        return value

    optimiser.step(loss)
    return plane.tolist()


def threshold_of(texts, false_positives):
    """The probability that at most this share of the harmless texts reaches."""
    harmless = sorted((each["probability"] for each in texts if not each["is_attack"]), reverse=True)
    return round(harmless[int(len(harmless) * false_positives)] + 5e-5, 4)


def curve(texts):
    """What a lower or higher threshold would find."""
    attacks = [each["probability"] for each in texts if each["is_attack"]]
    rows = []
    for false_positives in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1):
        threshold = threshold_of(texts, false_positives)
        found = sum(probability >= threshold for probability in attacks) / len(attacks)
        rows.append({"falsePositives": false_positives, "threshold": threshold, "found": round(found, 4)})
    return rows


def table(texts, threshold):
    """By source: how many attacks were found, and how many harmless texts taken for one."""
    rows = {}
    for each in texts:
        row = rows.setdefault(each["source"], {"attacks": 0, "found": 0, "harmless": 0, "mistaken": 0})
        is_hit = each["probability"] >= threshold
        row["attacks" if each["is_attack"] else "harmless"] += 1
        if is_hit:
            row["found" if each["is_attack"] else "mistaken"] += 1
    return dict(sorted(rows.items()))


def write_head(probe, header):
    """As ProbeHead.parse reads it: the head over states instead of their components."""
    head = probe.head
    project = head.project.weight @ (probe.components / probe.deviation[:, None]).T
    bias = head.project.bias - project @ probe.mean
    weights = [project, bias, head.attend.weight, head.attend.bias, head.output.weight, head.output.bias]
    text = json.dumps(header).encode()
    with open(given["head"], "wb") as file:
        file.write(b"SLP1" + struct.pack("<I", len(text)) + text)
        for each in weights:
            file.write(each.detach().float().contiguous().numpy().astype("<f4").tobytes())


def write_adapter(probe):
    """The low-rank changes as llama.cpp reads them."""
    writer = GGUFWriter(given["adapter"], "gemma3")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", CHANGES["rank"] * CHANGES["strength"])
    for name, each in probe.layers.named_parameters():
        index, matrix, which = name.split(".")
        values = each.detach().half().contiguous().numpy()
        writer.add_tensor(f"blk.{FIRST + int(index)}.{matrix}.weight.lora_{which}", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    weights = Weights(given["path"])
    with open(f"{given['folder']}/parts.json") as file:
        parts = Parts(json.load(file), weights)

    torch.manual_seed(0)
    random = np.random.default_rng(0)
    print("without the authors that are left out", flush=True)
    chosen = np.flatnonzero(~parts.is_left_out)
    probe = Probe(weights, parts, random.choice(chosen, 400, replace=False))
    learn(probe, parts, chosen, random, EPOCHS)
    unseen = worst_parts(probe, parts, np.flatnonzero(parts.is_left_out))
    authors = [each for each in unseen if each["source"].startswith("author")]
    slope, words_slope, intercept = calibration(authors)
    for each in unseen:
        each["probability"] = 1 / (1 + np.exp(-(slope * each["score"] + words_slope * each["words"] + intercept)))
    threshold = threshold_of(authors, FALSE_POSITIVES)
    with open(given["report"], "w") as file:
        json.dump({"sources": table(unseen, threshold), "curve": curve(authors)}, file, indent=2)
        file.write("\n")

    print("with all", flush=True)
    learn(probe, parts, np.arange(len(parts.tokens)), random, 1, LAST_RATE)
    header = {key: given[key] for key in ("model", "layers", "stateSize")}
    header |= {"features": FEATURES, "views": VIEWS, "threshold": threshold}
    header |= {"slope": slope, "wordsSlope": words_slope, "intercept": intercept}
    write_head(probe, header)
    write_adapter(probe)


main()
