"""Layers of Gemma 3 with the weights of a GGUF file, and low-rank changes of these that can be learnt."""

import math

import numpy as np
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from torch import nn
from torch.nn.functional import gelu, linear, scaled_dot_product_attention

MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
NORMS = ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm", "attn_q_norm", "attn_k_norm")
EPSILON = 1e-6
PERIOD = 6  # every sixth layer sees all of the text, the others a window


class Weights:
    """What a GGUF file has, as float32."""

    def __init__(self, path):
        self.file = GGUFReader(path)
        self.tensors = {tensor.name: tensor for tensor in self.file.tensors}
        assert self.field("general.architecture") == "gemma3"

    def __getitem__(self, name):
        tensor = self.tensors[f"{name}.weight"]
        return torch.from_numpy(np.array(dequantize(tensor.data, tensor.tensor_type), np.float32))

    def field(self, name):
        return self.file.get_field(name).contents()


class Linear(nn.Module):
    """Fixed weights, to which the product of two thin matrices is added where changes are wanted."""

    def __init__(self, weights, changes):
        super().__init__()
        outputs, inputs = weights.shape
        self.register_buffer("weights", weights.bfloat16())
        self.changes = changes
        if changes is not None:
            rank = changes["rank"]
            self.drop = nn.Dropout(changes["dropped"])
            self.a = nn.Parameter(torch.randn(rank, inputs) / math.sqrt(inputs))
            self.b = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x):
        x = x.bfloat16()
        y = linear(x, self.weights)
        if self.changes is not None:
            strong = (self.b * self.changes["strength"]).bfloat16()
            y = y + linear(linear(self.drop(x), self.a.bfloat16()), strong)
        return y


class Layer(nn.Module):
    """One of those numbered from 0."""

    def __init__(self, weights, index, changes=None):
        super().__init__()
        for name in NORMS:
            self.register_buffer(name, weights[f"blk.{index}.{name}"])
        for name in MATRICES:
            setattr(self, name, Linear(weights[f"blk.{index}.{name}"], changes))
        self.heads = weights.field("gemma3.attention.head_count")
        self.key_heads = weights.field("gemma3.attention.head_count_kv")
        self.size = weights.field("gemma3.attention.key_length")
        sees_all = index % PERIOD == PERIOD - 1
        self.window = None if sees_all else weights.field("gemma3.attention.sliding_window")
        self.base = weights.field("gemma3.rope.freq_base") if sees_all else 10_000.0

    def forward(self, x):
        x = x + scaled(self.attention(scaled(x, self.attn_norm)), self.post_attention_norm)
        y = scaled(x, self.ffn_norm)
        y = self.ffn_down(gelu(self.ffn_gate(y), approximate="tanh") * self.ffn_up(y))
        return x + scaled(y, self.post_ffw_norm)

    def attention(self, x):
        texts, tokens, _ = x.shape

        def split(y, heads):
            return y.view(texts, tokens, heads, self.size).transpose(1, 2)

        query = self.turned(scaled(split(self.attn_q(x), self.heads), self.attn_q_norm)).bfloat16()
        key = self.turned(scaled(split(self.attn_k(x), self.key_heads), self.attn_k_norm)).bfloat16()
        value = split(self.attn_v(x), self.key_heads)
        groups = self.heads // self.key_heads
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
        if self.window is None or tokens <= self.window:
            out = scaled_dot_product_attention(query, key, value, is_causal=True)
        else:
            back = torch.arange(tokens)[:, None] - torch.arange(tokens)
            out = scaled_dot_product_attention(query, key, value, attn_mask=(back >= 0) & (back < self.window))
        return self.attn_output(out.transpose(1, 2).reshape(texts, tokens, self.heads * self.size))

    def turned(self, x):
        """By position."""
        frequencies = self.base ** (-torch.arange(0, self.size, 2).float() / self.size)
        angles = torch.arange(x.shape[2]).float()[:, None] * frequencies
        first, second = x.split(self.size // 2, -1)
        cosine, sine = angles.cos(), angles.sin()
        return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)


def scaled(x, weights=1.0):
    """To a root mean square of 1, then by weights."""
    x = x.float()
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPSILON) * weights


def embedded(weights):
    """By token: what the first layer reads."""
    table = weights["token_embd"]
    return (table * math.sqrt(table.shape[1])).bfloat16()
