"""The loss, computed only where it is asked for: the output projection of a Gemma has 262,144 rows."""

from dataclasses import dataclass
from types import MethodType

import torch
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from cancertype.label_trie import LabelTrie

from .data import IGNORED


@dataclass
class LabelLoss(ModelOutput):
    """Each of shape (batch,): ``nll`` in nats, ``tokens`` counted, ``correct`` 1 where every target was likeliest."""

    nll: torch.Tensor | None = None
    tokens: torch.Tensor | None = None
    correct: torch.Tensor | None = None


def compute_label_loss(model: PreTrainedModel, trie: LabelTrie | None) -> None:
    """Make ``model`` (the causal language model inside any adapter) return a ``LabelLoss`` instead of logits.

    With a ``trie`` the softmax runs over the tokens that continue some label; without one, over the whole vocabulary.
    The forward method of this instance is replaced, as TRL does for its own chunked loss, so that the wrappers around
    it (adapter, mixed precision, DDP) work as ever.
    """
    device = model.get_input_embeddings().weight.device
    columns = None if trie is None else torch.tensor(trie.choices, device=device)
    allowed = None if trie is None else torch.from_numpy(trie.allowed).to(device)
    soft_cap = getattr(model.config, "final_logit_softcapping", None)

    def forward(self, input_ids=None, attention_mask=None, targets=None, nodes=None, **_):
        hidden = self.model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).last_hidden_state
        where = targets != IGNORED
        logits = _logits(self.lm_head, hidden[where], columns).float()
        if soft_cap is not None:
            logits = torch.tanh(logits / soft_cap) * soft_cap
        wanted = targets[where]
        if columns is not None:
            logits = logits.masked_fill(~allowed[nodes[where]], float("-inf"))
            wanted = torch.searchsorted(columns, wanted)
        nll = functional.cross_entropy(logits, wanted, reduction="none")
        rows = where.nonzero()[:, 0]
        wrong = (logits.argmax(-1) != wanted).float()
        return LabelLoss(
            nll=nll.new_zeros(len(targets)).index_add(0, rows, nll),
            tokens=where.sum(1),
            correct=(wrong.new_zeros(len(targets)).index_add(0, rows, wrong) == 0).long(),
        )

    model.forward = MethodType(forward, model)


def _logits(head: torch.nn.Module, hidden: torch.Tensor, columns: torch.Tensor | None) -> torch.Tensor:
    """Logits (targets, vocabulary), or (targets, columns) of the given tokens only."""
    if columns is None:
        return head(hidden)
    if type(head) is torch.nn.Linear:
        return functional.linear(hidden, head.weight[columns])
    # An adapter that trains the embedding wraps the head, and only the wrapper knows its weight.
    return head(hidden)[:, columns]
