"""Through which assays training cases are seen, and how their pipelines differ."""

from typing import Annotated

from pydantic import Field, model_validator

from ..settings import Settings

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Range = Annotated[list[float], Field(min_length=2, max_length=2)]


class Shares(Settings):
    """Of all views, the shares that are seen through each kind of assay; the weights need not sum to 1.

    ``nothing`` are views in which nobody looked at the mutations: copy number, fusions or spectra are all there is."""

    own: float = Field(ge=0.0)
    panel: float = Field(ge=0.0)
    random_panel: float = Field(ge=0.0)
    list: float = Field(ge=0.0)
    nothing: float = Field(ge=0.0)

    @model_validator(mode="after")
    def _some(self) -> "Shares":
        if not any(weight for _, weight in self):
            raise ValueError("own, panel, random_panel, list and nothing are all 0: give at least one of them a weight")
        return self


class RandomPanels(Settings):
    """Panels that nobody sells, so that a model also serves panels that it does not know."""

    number: int = Field(ge=1)
    genes: list[int] = Field(min_length=2, max_length=2)
    other_genes: Share

    @model_validator(mode="after")
    def _in_order(self) -> "RandomPanels":
        if not 1 <= self.genes[0] <= self.genes[1]:
            raise ValueError(f"genes is {self.genes}: write the smaller number first, and at least 1")
        return self


class Lists(Settings):
    """Lists as people write them."""

    mutations: list[int] = Field(min_length=2, max_length=2)
    protein_change: Share

    @model_validator(mode="after")
    def _in_order(self) -> "Lists":
        if not 1 <= self.mutations[0] <= self.mutations[1]:
            raise ValueError(f"mutations is {self.mutations}: write the smaller number first, and at least 1")
        return self


class Pipelines(Settings):
    """How calls differ between pipelines: the share of the views that each difference is applied to."""

    tumour_only: Share
    germline_per_megabase: Range
    clonal_haematopoiesis: Share
    thinned: Share
    thinned_to: Range
    no_indels: Share
    no_alleles: Share
    no_context: Share
    no_sex: Share

    @model_validator(mode="after")
    def _in_order(self) -> "Pipelines":
        for name in ("germline_per_megabase", "thinned_to"):
            low, high = getattr(self, name)
            if not 0.0 <= low <= high:
                raise ValueError(f"{name} is [{low}, {high}]: write the smaller number first, and no negative one")
        if self.thinned_to[1] > 1.0:
            raise ValueError(f"thinned_to ends at {self.thinned_to[1]}: it is a share, at most 1")
        return self


class AlterationViews(Settings):
    """How copy number and fusions are shown.

    ``arms``, ``genes`` and ``fusions``: the share of every label's views that show them. ``uncalled`` and ``wrong``: at
    most this share of a case's arms has no call, or another one. ``mentioned``: the fewest and most events of a list.
    """

    arms: Share
    genes: Share
    fusions: Share
    uncalled: Share
    wrong: Share
    mentioned: list[int] = Field(min_length=2, max_length=2)

    @model_validator(mode="after")
    def _in_order(self) -> "AlterationViews":
        if not 0 <= self.mentioned[0] <= self.mentioned[1]:
            raise ValueError(f"mentioned is {self.mentioned}: write the smaller number first, and none below 0")
        return self


class Views(Settings):
    """Views of the training cases: how many, through which assays, and with which differences between pipelines.

    ``copies`` is the number of views of each training case besides the case as it is. ``not_panels`` are named panels
    that no training view uses, kept to test on. ``exchanged``: in each view, at most this share of the mutations comes
    from another case of the label. ``other_calls``: how often a case that has other calls is seen through them.
    ``unstated``: of the cases seen through their own assay, the share that does not tell what was sequenced, so that
    counts mean nothing. ``no_spectra``: the share of every label's views that
    show no matrix of spectra.
    """

    copies: int = Field(ge=0)
    seed: int = Field(ge=0)
    shares: Shares
    not_panels: list[str]
    random_panels: RandomPanels
    lists: Lists
    pipelines: Pipelines
    alterations: AlterationViews
    exchanged: Share
    other_calls: Share
    unstated: Share
    no_spectra: Share
