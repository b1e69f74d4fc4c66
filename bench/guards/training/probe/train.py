"""Fits the head of the injection probe on states that states.ts has written (see probe.ts): one argument, JSON.

A text's tokens become features, their mean and four attentive means of them one score (src/guards/detect/probe/head.ts has
the same). Every source of texts is left out once; calibration and threshold come from what was left out.
"""

import json
import struct
import sys

import numpy as np
import torch
from torch import nn

FEATURES, VIEWS = 64, 4
DIMENSIONS = 768  # principal components that are learnt from; the file has the product
WHITENING = 0.5  # power of a component's deviation that it is divided by
EPOCHS, BATCH, RATE, DECAY = 6, 64, 0.003, 0.1
DROPPED = {"inputs": 0.2, "pooled": 0.3}
MAX_EXPONENT = 15
FALSE_POSITIVES = 0.01  # of the harmless texts left out

given = json.loads(sys.argv[1])
SIZE = len(given["layers"]) * given["stateSize"]
torch.manual_seed(0)


class Components:
    """Principal components of tokens' states."""

    def __init__(self, states):
        sample = states[::37].float()
        self.mean, self.deviation = sample.mean(0), sample.std(0) + 1e-3
        sample = (sample - self.mean) / self.deviation
        variances, vectors = torch.linalg.eigh(sample.T @ sample / len(sample))
        kept = variances.flip(0)[:DIMENSIONS].clamp(min=1e-3)
        self.matrix = vectors.flip(1)[:, :DIMENSIONS] / kept.pow(WHITENING / 2)

    def of(self, states):
        parts = states.split(20_000)
        return torch.cat([(((part.float() - self.mean) / self.deviation) @ self.matrix).bfloat16() for part in parts])


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(DIMENSIONS, FEATURES)
        self.attend = nn.Linear(FEATURES, VIEWS)
        self.output = nn.Linear(FEATURES * (1 + VIEWS), 1)
        nn.init.zeros_(self.attend.weight)
        self.drop_inputs, self.drop_pooled = nn.Dropout(DROPPED["inputs"]), nn.Dropout(DROPPED["pooled"])

    def forward(self, tokens, owner, texts):
        with torch.autocast("cpu", torch.bfloat16):
            projected = self.project(self.drop_inputs(tokens))
        features = nn.functional.gelu(projected.float(), approximate="tanh")
        attention = self.attend(features).clamp(-MAX_EXPONENT, MAX_EXPONENT).exp()
        weights = torch.cat([torch.ones(len(tokens), 1), attention], 1)
        totals = torch.zeros(texts, 1 + VIEWS).index_add_(0, owner, weights)
        pooled = [
            torch.zeros(texts, FEATURES).index_add_(0, owner, features * weights[:, view : view + 1])
            / totals[:, view : view + 1]
            for view in range(1 + VIEWS)
        ]
        return self.output(self.drop_pooled(torch.cat(pooled, 1)))[:, 0]


class Parts:
    """Parts of texts with their tokens."""

    def __init__(self, parts):
        self.text = np.array([part["text"] for part in parts])
        self.source = np.array([part["source"] for part in parts])
        self.fold = np.array([-1 if part["fold"] is None else part["fold"] for part in parts])
        self.is_attack = np.array([part["isAttack"] for part in parts])
        self.words = np.array([part["words"] for part in parts])
        self.lengths = np.array([part["tokens"] for part in parts])
        self.ends = np.cumsum(self.lengths)
        # Of an attack in several parts nobody says which it is in.
        counts = np.bincount(self.text)
        self.is_clear = ~self.is_attack | (counts[self.text] == 1)

    def batch(self, tokens, chosen):
        rows = np.concatenate([np.arange(self.ends[part] - self.lengths[part], self.ends[part]) for part in chosen])
        owner = np.repeat(np.arange(len(chosen)), self.lengths[chosen])
        return tokens[torch.from_numpy(rows)], torch.from_numpy(owner), len(chosen)


def fit(parts, tokens, chosen):
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    head = Head()
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY)
    steps = EPOCHS * -(-len(chosen) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    labels = torch.tensor(parts.is_attack, dtype=torch.float32)
    for _ in range(EPOCHS):
        shuffled = random.permutation(chosen)
        for start in range(0, len(shuffled), BATCH):
            batch = shuffled[start : start + BATCH]
            loss = nn.functional.binary_cross_entropy_with_logits(head(*parts.batch(tokens, batch)), labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return head.eval()


def scores(head, parts, tokens, chosen):
    with torch.inference_mode():
        return np.concatenate(
            [head(*parts.batch(tokens, chosen[start : start + 128])).numpy() for start in range(0, len(chosen), 128)]
        )


def left_out(parts, tokens):
    """By text that a fold leaves out: its worst part's score."""
    worst = {}
    for fold in range(given["folds"]):
        head = fit(parts, tokens, np.flatnonzero((parts.fold != fold) & parts.is_clear))
        chosen = np.flatnonzero(parts.fold == fold)
        for part, score in zip(chosen, scores(head, parts, tokens, chosen)):
            text = parts.text[part]
            if text not in worst or score > worst[text]["score"]:
                worst[text] = {
                    "score": float(score),
                    "words": float(parts.words[part]),
                    "is_attack": bool(parts.is_attack[part]),
                    "source": parts.source[part],
                }
        print(f"  fold {fold + 1} of {given['folds']}", flush=True)
    return list(worst.values())


def calibration(texts):
    """Weights of the score, of the words' log-odds, and of one: a logistic regression."""
    x = torch.tensor([[each["score"], each["words"], 1] for each in texts], dtype=torch.float64)
    y = torch.tensor([each["is_attack"] for each in texts], dtype=torch.float64)
    plane = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([plane], max_iter=100)

    def loss():
        optimiser.zero_grad()
        value = nn.functional.binary_cross_entropy_with_logits(x @ plane, y)
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


def write(head, components, header):
    """As ProbeHead.parse reads it: the head over states instead of their components."""
    project = head.project.weight @ (components.matrix / components.deviation[:, None]).T
    bias = head.project.bias - project @ components.mean
    weights = [project, bias, head.attend.weight, head.attend.bias, head.output.weight, head.output.bias]
    text = json.dumps(header).encode()
    with open(given["weights"], "wb") as file:
        file.write(b"SLP1" + struct.pack("<I", len(text)) + text)
        for each in weights:
            file.write(each.detach().float().contiguous().numpy().astype("<f4").tobytes())


def main():
    with open(f"{given['folder']}/parts.json") as file:
        parts = Parts(json.load(file))
    raw = np.memmap(f"{given['folder']}/states.bin", np.int16, "c").reshape(-1, SIZE)
    states = torch.from_numpy(np.asarray(raw)).view(torch.bfloat16)
    assert len(states) == parts.ends[-1]
    components = Components(states)
    tokens = components.of(states)

    unseen = left_out(parts, tokens)
    authors = [each for each in unseen if each["source"].startswith("author")]
    slope, words_slope, intercept = calibration(authors)
    for each in unseen:
        each["probability"] = 1 / (1 + np.exp(-(slope * each["score"] + words_slope * each["words"] + intercept)))
    threshold = threshold_of(authors, FALSE_POSITIVES)
    with open(given["report"], "w") as file:
        json.dump({"sources": table(unseen, threshold), "curve": curve(authors)}, file, indent=2)
        file.write("\n")

    head = fit(parts, tokens, np.flatnonzero(parts.is_clear))
    header = {key: given[key] for key in ("model", "layers", "stateSize")}
    header |= {"features": FEATURES, "views": VIEWS, "threshold": threshold}
    header |= {"slope": slope, "wordsSlope": words_slope, "intercept": intercept}
    write(head, components, header)


main()
