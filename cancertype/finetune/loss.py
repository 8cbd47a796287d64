"""The loss, computed only where it is asked for: the output projection of a Gemma has 262,144 rows."""

from dataclasses import dataclass
from types import MethodType

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from ..language_model.label_trie import LabelTrie
from .data import IGNORED

_LOGITS_AT_ONCE = 1 << 25
"""Logits computed at a time, here and again for their gradient: 128 MiB of float32, 128 positions of Gemma's
vocabulary. All logits of a batch of whole texts would take gigabytes."""


@dataclass
class LabelLoss(ModelOutput):
    """Each of shape (batch,): ``nll`` in nats, ``tokens`` counted, ``correct`` 1 where every target was likeliest."""

    nll: torch.Tensor | None = None
    tokens: torch.Tensor | None = None
    correct: torch.Tensor | None = None


def return_label_loss(model: PreTrainedModel, trie: LabelTrie | None, teacher_share: float = 0.0) -> None:
    """Make ``model`` (the causal language model inside any adapter) return a ``LabelLoss`` instead of logits.

    With a ``trie`` the softmax is over the tokens that continue some label; without one, over the whole vocabulary. A
    batch may bring a ``teacher``, probabilities of shape (batch, labels of the trie): ``nll`` is then
    (1 - ``teacher_share``) times the loss at the true label plus ``teacher_share`` times the cross-entropy with the
    teacher's choice of the next token, at every node on the way to the true label (Hinton, Vinyals and Dean 2015, at
    temperature 1). For labels of one token that is the cross-entropy with the teacher's probabilities themselves.

    The forward method of this instance is replaced, as TRL does for its own chunked loss, so that the wrappers around
    it (adapter, mixed precision, DDP) keep working.
    """
    device = model.get_input_embeddings().weight.device
    target_loss = _TargetLoss(
        soft_cap=getattr(model.config, "final_logit_softcapping", None),
        teacher_share=teacher_share,
        columns=None if trie is None else torch.tensor(trie.choices, device=device),
        allowed=None if trie is None else torch.from_numpy(trie.allowed).to(device),
        leads=None if trie is None else torch.from_numpy(trie.leads).to(device, torch.float32),
    )
    width = model.config.get_text_config().vocab_size if trie is None else len(trie.choices)
    at_once = max(1, _LOGITS_AT_ONCE // width)

    def forward(
        self, input_ids=None, attention_mask=None, targets=None, nodes=None, rows=None, columns=None, teacher=None, **_
    ):
        hidden = self.model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).last_hidden_state
        at = (rows, columns)
        parts = (hidden[at], targets[at], nodes[at], rows if teacher is None else teacher[rows])
        chunks = list(zip(*(part.split(at_once) for part in parts), strict=True))
        losses = []
        for states, wanted, of_nodes, of_teacher in chunks:
            arguments = (self.lm_head, states, wanted, of_nodes, None if teacher is None else of_teacher)
            if len(chunks) > 1 and torch.is_grad_enabled():
                # Without it every chunk would keep its logits for the backward pass.
                losses.append(checkpoint(target_loss, *arguments, use_reentrant=False))
            else:
                losses.append(target_loss(*arguments))
        nll, wrong = (torch.cat(values) for values in zip(*losses, strict=True))
        return LabelLoss(
            nll=nll.new_zeros(len(targets)).index_add(0, rows, nll),
            tokens=(targets != IGNORED).sum(1),
            correct=(wrong.new_zeros(len(targets)).index_add(0, rows, wrong) == 0).long(),
        )

    model.forward = MethodType(forward, model)


@dataclass(frozen=True)
class _TargetLoss:
    """Loss of single targets. ``columns``, ``allowed`` and ``leads`` are the trie's ``choices``, ``allowed`` and
    ``leads`` as tensors, or None for the whole vocabulary."""

    soft_cap: float | None
    teacher_share: float
    columns: torch.Tensor | None
    allowed: torch.Tensor | None
    leads: torch.Tensor | None

    def __call__(
        self,
        head: torch.nn.Module,
        hidden: torch.Tensor,
        targets: torch.Tensor,
        nodes: torch.Tensor,
        teacher: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """From ``hidden`` (targets, size) the loss in nats and 1.0 where another token is likelier, each (targets,)."""
        logits = _logits(head, hidden, self.columns).float()
        if self.soft_cap is not None:
            logits = torch.tanh(logits / self.soft_cap) * self.soft_cap
        wanted = targets
        if self.columns is not None:
            logits = logits.masked_fill(~self.allowed[nodes], float("-inf"))
            wanted = torch.searchsorted(self.columns, wanted)
        nll = functional.cross_entropy(logits, wanted, reduction="none")
        if teacher is not None:
            nll = (1 - self.teacher_share) * nll + self.teacher_share * self._against(teacher, logits, wanted, nodes)
        return nll, (logits.argmax(-1) != wanted).float()

    def _against(
        self, teacher: torch.Tensor, logits: torch.Tensor, wanted: torch.Tensor, nodes: torch.Tensor
    ) -> torch.Tensor:
        """Cross-entropy with the teacher's choice of the next token, (targets,)."""
        choice = torch.einsum("pl,plc->pc", teacher, self.leads[nodes])
        total = choice.sum(-1, keepdim=True)
        # A teacher that has ruled out all labels below a node says nothing there, so the true label counts alone.
        certain = functional.one_hot(wanted, choice.shape[-1]).to(choice.dtype)
        choice = torch.where(total > 0, choice / total.clamp_min(torch.finfo(choice.dtype).tiny), certain)
        # Where no label goes on, 0 times minus infinity would not be a number.
        log_p = logits.log_softmax(-1).masked_fill(~self.allowed[nodes], 0.0)
        return -(choice * log_p).sum(-1)


def _logits(head: torch.nn.Module, hidden: torch.Tensor, columns: torch.Tensor | None) -> torch.Tensor:
    """Logits (targets, vocabulary), or (targets, columns) of the given tokens only."""
    if columns is None:
        return head(hidden)
    if type(head) is torch.nn.Linear:
        return functional.linear(hidden, head.weight[columns])
    # An adapter that trains the embedding wraps the head, and only the wrapper knows its weight.
    return head(hidden)[:, columns]
