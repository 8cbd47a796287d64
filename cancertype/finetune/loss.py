"""The loss, computed only where it is asked for: the output projection of a Gemma has 262,144 rows."""

from dataclasses import dataclass
from types import MethodType

import torch
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from ..language_model.label_trie import LabelTrie
from .data import IGNORED


@dataclass
class LabelLoss(ModelOutput):
    """Each of shape (batch,): ``nll`` in nats, ``tokens`` counted, ``correct`` 1 where every target was likeliest."""

    nll: torch.Tensor | None = None
    tokens: torch.Tensor | None = None
    correct: torch.Tensor | None = None


def compute_label_loss(model: PreTrainedModel, trie: LabelTrie | None, teacher_share: float = 0.0) -> None:
    """Make ``model`` (the causal language model inside any adapter) return a ``LabelLoss`` instead of logits.

    With a ``trie`` the softmax runs over the tokens that continue some label; without one, over the whole vocabulary.
    A batch may bring a ``teacher``, probabilities of shape (batch, labels of the trie): ``nll`` is then (1 -
    ``teacher_share``) times the loss at the true label plus ``teacher_share`` times the cross-entropy with the
    teacher's choice of the next token, at every node on the way to the true label (Hinton, Vinyals and Dean 2015, at
    temperature 1). For labels of one token that is the cross-entropy with the teacher's probabilities themselves.

    The forward method of this instance is replaced, as TRL does for its own chunked loss, so that the wrappers around
    it (adapter, mixed precision, DDP) work as ever.
    """
    device = model.get_input_embeddings().weight.device
    columns = None if trie is None else torch.tensor(trie.choices, device=device)
    allowed = None if trie is None else torch.from_numpy(trie.allowed).to(device)
    leads = None if trie is None else torch.from_numpy(trie.leads).to(device, torch.float32)
    soft_cap = getattr(model.config, "final_logit_softcapping", None)

    def forward(self, input_ids=None, attention_mask=None, targets=None, nodes=None, teacher=None, **_):
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
        if teacher is not None:
            choice = torch.einsum("pl,plc->pc", teacher[rows], leads[nodes[where]])
            total = choice.sum(-1, keepdim=True)
            # A teacher that has ruled out all labels below a node says nothing there: the true label stands alone.
            certain = functional.one_hot(wanted, choice.shape[-1]).to(choice.dtype)
            choice = torch.where(total > 0, choice / total.clamp_min(torch.finfo(choice.dtype).tiny), certain)
            # Where no label goes on, 0 times minus infinity would not be a number.
            among = logits.log_softmax(-1).masked_fill(~allowed[nodes[where]], 0.0)
            nll = (1 - teacher_share) * nll - teacher_share * (choice * among).sum(-1)
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
