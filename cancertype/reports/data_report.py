"""The data report: one self-contained page of what was kept, how it looks, and what was left out and why."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from ..cohort.splits import SPLITS
from ..features import Vocabulary
from ..files import write_text
from ..labels import LABELS, NAMES
from ..variants.cases import Dropped
from ..variants.schema import SUBSTITUTIONS
from . import arms_picture
from .pages import BLUE, INK, ORANGE, RULE, embedded, plain, render, styled

SOURCE_TITLES = {
    "tcga": "TCGA tumours",
    "depmap": "DepMap cell lines",
    "cbioportal": "cBioPortal studies",
    "table": "Own table",
    "simulated_tcga": "Simulated tumours",
    "simulated_depmap": "Simulated cell lines",
}
"""The sources in the order in which they are shown."""

_BESIDE = {"alterations": "Copy number and fusions of all sources", "spectra": "Spectra of all sources"}
"""What the cohort brings to its cases from all sources together."""

_SOURCE_COLOURS = {
    "tcga": BLUE,
    "depmap": ORANGE,
    "cbioportal": "#8c6bb1",
    "table": "#5aa9a3",
    "simulated_tcga": "#a9c6d8",
    "simulated_depmap": "#ecc9a4",
}
_KIND_COLOURS = {"tumour": BLUE, "cell line": ORANGE}
_SOFT = "#5c6a75"
_SUBSTITUTION_COLOURS = dict(
    zip(SUBSTITUTIONS, ("#56b4e9", INK, "#d55e00", "#c3c9ce", "#009e73", "#cc79a7"), strict=True)
)
"""The order of hues that mutational-signature plots use, in the colour-blind-safe shades of Okabe and Ito (2008)."""

_MODELLED = SPLITS[:3]
_COLUMNS = ("case_id", "patient_id", "source", "kind", "label", "origin", "panel", "split", "burden", *SUBSTITUTIONS)
_WHATS = {
    "case": "Cases",
    "row": "Rows",
    "variant": "Variants",
    "protein change": "Protein changes (the variant is kept)",
    "consequence": "Stated consequences (the variant is kept)",
    "gene": "Gene names (the variant is kept)",
    "class": "Classes",
    "cell": "Cells",
    "sample": "Samples of copy number and fusions",
    "spectrum": "Spectra",
}
"""What can be dropped, in the order of the report, with its titles; anything else follows by name."""

_EXAMPLES = 5
_GROUPS_SHOWN = 12
_TOP = 20
_FEW_TEST_CASES = 10
_UNEQUAL = 5
_FEWEST_TO_COMPARE = 5
"""Cases with fewer variants than this may be alike by chance: one BRAF V600E says little."""


@dataclass(frozen=True)
class Group:
    """Cases that belong together: of one patient, or with the same mutations."""

    name: str
    cases: list[dict]

    @property
    def contradictory(self) -> bool:
        """Whether the cases have two labels, counting out of scope as one."""
        return len({case["label"] for case in self.cases}) > 1


def summary(cases: pa.Table, dropped: Sequence[Dropped]) -> dict:
    """The report's counts, for JSON.

    ``cases`` has at least the columns case_id, patient_id, source, label, origin and split. Keys: cases, patients,
    sources and splits (name to cases), labels (every label to source to split to cases), out_of_scope (source to the
    source's own class to cases) and dropped (source, what, reason, n, examples; the largest n first within each what).
    """
    frame = cases.select(["patient_id", "source", "label", "origin", "split"]).to_pandas()
    labels: dict = {label: {} for label in LABELS}
    modelled = frame[frame["split"].isin(_MODELLED)]
    for (label, source, split), n in modelled.groupby(["label", "source", "split"]).size().items():
        labels[label].setdefault(source, dict.fromkeys(_MODELLED, 0))[split] = int(n)
    others = frame[~frame["split"].isin(_MODELLED)].fillna({"origin": ""})
    outside: dict = {source: {} for source in _in_order(others["source"].unique())}
    for (source, origin), n in sorted(
        others.groupby(["source", "origin"]).size().items(), key=lambda item: (-item[1], item[0])
    ):
        outside[source][origin or "not given"] = int(n)
    return {
        "cases": len(frame),
        "patients": int(frame["patient_id"].nunique()),
        "sources": {source: int((frame["source"] == source).sum()) for source in _in_order(frame["source"].unique())},
        "splits": {split: int((frame["split"] == split).sum()) for split in SPLITS},
        "labels": labels,
        "out_of_scope": outside,
        "dropped": [
            {"source": d.source, "what": d.what, "reason": d.reason, "n": d.n, "examples": list(d.examples)}
            for d in _merged(dropped)
        ],
    }


def write_report(
    path: Path,
    cases: pa.Table,
    vocabulary: Vocabulary,
    dropped: Sequence[Dropped],
    notes: Sequence[dict],
    sources: Sequence[dict],
    profiles: Sequence[str | None] | None = None,
) -> None:
    """Write the page, one HTML file that needs no other. The same arguments give the same bytes.

    ``cases`` comes from ``features.count`` and has the cohort's column split. ``notes`` (of the readers) and
    ``sources`` (the records of source.json) are in the same order. With ``profiles`` (``cohort.patients.profiles``, one
    per case), cases of different patients with the same mutations are flagged too. Raises ``ValueError`` when ``notes``
    and ``sources``, or ``cases`` and ``profiles``, differ in length.
    """
    frame = cases.select(list(_COLUMNS)).to_pandas()
    modelled = frame[frame["split"].isin(_MODELLED)]
    measured = _measured(modelled)
    origins = [{"record": record, "notes": note} for record, note in zip(sources, notes, strict=True)]
    simulated = {record["source"] for record in sources if record["simulated"]}
    counts, n_variants = summary(cases, dropped), int(frame["burden"].sum())
    patients, same, alike = _duplicates(frame, profiles)
    filters = _germline_filters(origins)
    pictures = {
        "labels": embedded(lambda: _draw_labels(modelled, narrow=False)),
        "labels_narrow": embedded(lambda: _draw_labels(modelled, narrow=True)),
        "landscape": embedded(lambda: _draw_landscape(measured, narrow=False)),
        "landscape_narrow": embedded(lambda: _draw_landscape(measured, narrow=True)),
        "vocabulary": embedded(lambda: _draw_vocabulary(vocabulary)),
    }
    arms = cases.filter(pc.is_in(cases["split"], pa.array(_MODELLED))) if "arms" in cases.column_names else None
    if arms is not None and arms_picture.shares(arms):
        pictures["arms"] = embedded(lambda: arms_picture.draw(arms))
    if any(row["burden"] for row in filters):
        pictures["filter"] = embedded(lambda: _draw_filter(filters, measured))
    page = render(
        "reports",
        "data_report.html.j2",
        {"count": _count, "bytes": _bytes},
        d=counts,
        names=NAMES,
        titles=SOURCE_TITLES | _BESIDE,
        label_rows=_label_rows(counts),
        n_modelled=len(modelled),
        n_simulated=int(frame["source"].isin(simulated).sum()),
        n_variants=n_variants,
        median_burden={kind: float(measured[measured["kind"] == kind]["burden"].median()) for kind in _kinds(measured)},
        n_unmeasured=len(modelled) - len(measured),
        label_bits=_entropy(modelled[modelled["split"] == "train"]["label"]),
        remarks=_remarks(modelled, vocabulary),
        pictures=pictures,
        filters=filters,
        dropped=_dropped_rows(counts["dropped"], {"case": len(frame), "variant": n_variants}),
        patients=patients,
        same=same,
        alike=alike,
        groups_shown=_GROUPS_SHOWN,
        fewest_to_compare=_FEWEST_TO_COMPARE,
        profiled=profiles is not None,
        origins=origins,
    )
    write_text(path, page)


def _count(n: int | float) -> str:
    return f"{n:,.0f}" if float(n).is_integer() else f"{n:,.1f}"


def _bytes(n: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "bytes" or n >= 10 else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:.1f} GB"


def _in_order(sources: Iterable[str]) -> list[str]:
    return sorted(set(sources), key=list(SOURCE_TITLES).index)


def _merged(dropped: Sequence[Dropped]) -> list[Dropped]:
    """One entry per source, what and reason; the largest first within each what."""
    together: dict[tuple[str, str, str], list[Dropped]] = defaultdict(list)
    for entry in dropped:
        together[entry.what, entry.source, entry.reason].append(entry)
    summed = [
        Dropped(source, what, reason, sum(e.n for e in same), tuple(x for e in same for x in e.examples)[:_EXAMPLES])
        for (what, source, reason), same in together.items()
    ]
    return sorted(summed, key=lambda d: (_place(d.what), -d.n, d.source, d.reason))


def _place(what: str) -> tuple[int, str]:
    return (list(_WHATS).index(what) if what in _WHATS else len(_WHATS), what)


def _measured(modelled: pd.DataFrame) -> pd.DataFrame:
    """The cases whose burdens can be compared: whole exomes, unless every case is of a panel."""
    exomes = modelled[modelled["panel"].isna()]
    return exomes if len(exomes) else modelled


def _kinds(frame: pd.DataFrame) -> list[str]:
    return [kind for kind in _KIND_COLOURS if (frame["kind"] == kind).any()]


def _label_rows(counts: dict) -> list[dict]:
    """The table of labels, most cases first, each with its splits and, per source, the total and its splits."""
    rows = []
    for label, by_source in counts["labels"].items():
        splits = {split: sum(row[split] for row in by_source.values()) for split in _MODELLED}
        cells = [
            {"n": sum(by_source[source].values()), "splits": list(by_source[source].values())}
            if source in by_source
            else None
            for source in counts["sources"]
        ]
        rows.append({"label": label, "n": sum(splits.values()), "splits": splits, "sources": cells})
    return sorted(rows, key=lambda row: -row["n"])


def _dropped_rows(dropped: list[dict], kept: dict[str, int]) -> list[dict]:
    """Per what: title, total, how many were kept (None if not known), and rows with their share of the largest."""
    tables = []
    for what in sorted({row["what"] for row in dropped}, key=_place):
        title = _WHATS.get(what, f"{what.capitalize()}s")
        rows = [row for row in dropped if row["what"] == what]
        total = sum(row["n"] for row in rows)
        if rows:
            rows = [row | {"share": row["n"] / rows[0]["n"] if rows[0]["n"] else 0.0} for row in rows]
            tables.append({"title": title, "total": total, "kept": kept.get(what), "rows": rows})
    return tables


def _entropy(labels: pd.Series) -> float:
    """Shannon's entropy of the label in bits (Cover & Thomas, 2006, eq. 2.1)."""
    p = labels.value_counts().to_numpy() / max(len(labels), 1)
    return float(-(p * np.log2(p)).sum())


def _listed(names: Iterable[str]) -> str:
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


def _number(n: int, one: str, many: str) -> str:
    return f"{_count(n)} {one if n == 1 else many}"


def _remarks(modelled: pd.DataFrame, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """What a reader of later figures must know about these cases: titles and texts."""
    remarks = (
        _absent_labels(modelled),
        _small_tests(modelled),
        _one_kind_only(modelled, "cell line", "tumour"),
        _one_kind_only(modelled, "tumour", "cell line"),
        _unequal_labels(modelled),
        _empty_cases(modelled),
        _panel_only(vocabulary),
    )
    return [remark for remark in remarks if remark]


def _absent_labels(modelled: pd.DataFrame) -> tuple[str, str] | None:
    present = set(modelled["label"])
    absent = [label for label in LABELS if label not in present]
    if not absent:
        return None
    title = f"{_number(len(absent), 'label has', 'labels have')} no case"
    return title, f"{_listed(absent)}. A model trained on this cohort cannot learn these labels."


def _small_tests(modelled: pd.DataFrame) -> tuple[str, str] | None:
    tests = (
        modelled["label"][modelled["split"] == "test"].value_counts().reindex(modelled["label"].unique(), fill_value=0)
    )
    few = [f"{label} ({tests[label]})" for label in LABELS if label in tests.index and tests[label] < _FEW_TEST_CASES]
    if not few:
        return None
    title = f"{_number(len(few), 'label has', 'labels have')} fewer than {_FEW_TEST_CASES} test cases"
    return title, f"{_listed(few)}. Their recall is uncertain, because a single case changes it a lot."


def _one_kind_only(modelled: pd.DataFrame, kind: str, other: str) -> tuple[str, str] | None:
    """Labels known from one kind of case, in a cohort that has both."""
    of_kind, of_other = (set(modelled["label"][modelled["kind"] == name]) for name in (kind, other))
    only = [label for label in LABELS if label in of_kind - of_other]
    if not only or not of_other:
        return None
    title = f"{_number(len(only), 'label is', 'labels are')} known from {kind}s only"
    return title, f"{_listed(only)}. A model may recognise these labels by what distinguishes a {kind} from a {other}."


def _unequal_labels(modelled: pd.DataFrame) -> tuple[str, str] | None:
    counts = modelled.groupby("label").size()
    if counts.max() < _UNEQUAL * counts.min():
        return None
    largest, smallest = (f"{label} has {_count(counts[label])}" for label in (counts.idxmax(), counts.idxmin()))
    text = f"{largest} cases, {smallest}. The large labels dominate accuracy, but macro-F1 counts all alike."
    return "Labels differ in size", text


def _empty_cases(modelled: pd.DataFrame) -> tuple[str, str] | None:
    n = int((modelled["burden"] == 0).sum())
    if not n:
        return None
    title = f"{_number(n, 'case has', 'cases have')} no variant"
    return title, "A model can use only the sex, and whether the case is a tumour or a cell line."


def _panel_only(vocabulary: Vocabulary) -> tuple[str, str] | None:
    genes = vocabulary.names("panel")
    if not genes:
        return None
    title = f"Only {_number(len(genes), 'gene is', 'genes are')} used"
    return title, "features.genes lists them. Every count on this page, including the burden, covers these genes alone."


def _duplicates(frame: pd.DataFrame, profiles: Sequence[str | None] | None) -> tuple[list[Group], list[Group], int]:
    """Patients with several cases; groups of different patients with the same mutations; and the number of cases with
    the same mutations as another patient but fewer than ``_FEWEST_TO_COMPARE``. Contradictory groups come first."""
    patients = _groups(frame, frame["patient_id"])
    if profiles is None:
        return patients, [], 0
    if len(profiles) != len(frame):
        raise ValueError(f"{len(profiles)} profiles for {len(frame)} cases")
    keys = pd.Series(profiles, index=frame.index, dtype=object)
    several = frame.groupby(keys)["patient_id"].transform("nunique").reindex(frame.index) > 1
    few = frame["burden"] < _FEWEST_TO_COMPARE
    chosen = several & ~few
    return patients, _groups(frame[chosen], keys[chosen]), int((several & few).sum())


def _groups(frame: pd.DataFrame, keys: pd.Series) -> list[Group]:
    shared = keys.duplicated(keep=False) & keys.notna()
    columns = ["case_id", "patient_id", "source", "label", "origin", "split", "burden"]
    shown = frame.loc[shared, columns].fillna({"label": "out of scope", "origin": ""})
    groups = [Group(str(key), part.to_dict("records")) for key, part in shown.groupby(keys[shared])]
    return sorted(groups, key=lambda g: (not g.contradictory, -len(g.cases), g.cases[0]["case_id"]))


def _germline_filters(origins: list[dict]) -> list[dict]:
    """The readers' notes of the filter against inherited variants: source, limits and burden before and after."""
    return [
        {
            "source": origin["record"]["source"],
            "limits": origin["notes"]["germline_filter"],
            "burden": origin["notes"].get("burden") or None,
        }
        for origin in origins
        if "germline_filter" in origin["notes"]
    ]


# --- Pictures ---------------------------------------------------------------------------------------------------------


def _titled(label: str, narrow: bool) -> str:
    return label if narrow else f"{NAMES[label]}  {label}"


def _bare_rows(ax: Axes, names: Sequence[str], size: float = 8) -> None:
    """Write the names of the rows of a horizontal plot, the first at the top."""
    ax.set(yticks=range(len(names)), ylim=(len(names) - 0.4, -0.6))
    ax.set_yticklabels([plain(name) for name in names], fontsize=size)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _draw_labels(modelled: pd.DataFrame, narrow: bool) -> Figure:
    """Cases of each label by source, the largest label at the top; ``narrow`` fits a phone."""
    counts = modelled.groupby(["label", "source"]).size().unstack(fill_value=0)
    counts = counts.reindex(sorted(counts.index, key=lambda label: (-counts.loc[label].sum(), label)))
    with styled(4.2 if narrow else 7.4, 0.225 * len(counts) + (1.5 if narrow else 1.1)) as (figure, axes):
        ax = axes[0, 0]
        left = np.zeros(len(counts))
        for source in _in_order(counts.columns):
            n = counts[source].to_numpy()
            hatch = "////" if source.startswith("simulated") else None
            edge = "#ffffff" if hatch else "none"
            colour, title = _SOURCE_COLOURS[source], SOURCE_TITLES[source]
            ax.barh(
                range(len(counts)), n, 0.72, left, color=colour, hatch=hatch, edgecolor=edge, linewidth=0, label=title
            )
            left += n
        for row, total in enumerate(left):
            ax.annotate(_count(total), (total, row), (4, 0), textcoords="offset points", va="center", fontsize=8)
        _bare_rows(ax, [_titled(label, narrow) for label in counts.index])
        ax.set(xlim=(0, (1.15 if narrow else 1.08) * left.max()), xlabel="Cases")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: _count(n)))
        ax.grid(axis="x")
        columns = 2 if narrow else len(SOURCE_TITLES)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, fontsize=8, borderaxespad=0.2)
    return figure


def _draw_landscape(measured: pd.DataFrame, narrow: bool) -> Figure:
    """Burden and substitution spectrum, one row per label from the highest median burden down, and one row per kind of
    case; ``narrow`` fits a phone."""
    order = measured.groupby("label")["burden"].median().sort_values(ascending=False, kind="stable").index.tolist()
    kinds = _kinds(measured)
    rows = [(_titled(label, narrow), measured[measured["label"] == label]) for label in order]
    rows += [(f"All {kind}s", measured[measured["kind"] == kind]) for kind in kinds]
    # Half a row of space separates the kinds from the labels.
    places = [i + 0.5 * (i >= len(order)) for i in range(len(rows))]
    width, xlabels, title_gap, columns = (
        (4.4, ("Variants per case", "Mean share"), "\n\n", 3)
        if narrow
        else (8.6, ("Non-silent variants per case", "Mean share of single-base substitutions"), "\n", 6)
    )
    with styled(width, 0.245 * len(rows) + 1.3, ncols=2, sharey=True, width_ratios=(1, 1.05)) as (figure, axes):
        left, right = axes[0]
        for kind in kinds:
            own = [
                (place, part[part["kind"] == kind]["burden"], part["kind"].nunique())
                for place, (_, part) in zip(places, rows, strict=True)
            ]
            side = -0.19 if kind == kinds[0] else 0.19
            spread = [(place + side * (n == 2), burden) for place, burden, n in own if len(burden)]
            _draw_spread(left, *zip(*spread, strict=True), _KIND_COLOURS[kind])
        _draw_spectrum(right, places, [part for _, part in rows])
        # Logarithmic from 1 up, with room for 0 before it, because a case may have no variant.
        left.set_xscale("symlog", linthresh=1, linscale=0.35)
        left.set(xlim=(-0.15, None), xlabel=xlabels[0], title=f"Burden{title_gap}")
        left.xaxis.set_major_formatter(FuncFormatter(lambda n, _: _count(n)))
        left.grid(axis="x")
        right.set(xlim=(0, 1), xlabel=xlabels[1], title=f"Substitution spectrum{title_gap}")
        right.set_xticks([0, 0.5, 1] if narrow else [0, 0.2, 0.4, 0.6, 0.8, 1])
        right.xaxis.set_major_formatter(PercentFormatter(1.0))
        left.set(yticks=places, ylim=(places[-1] + 0.6, -0.6))
        left.set_yticklabels([name for name, _ in rows], fontsize=8)
        for text in left.get_yticklabels()[len(order) :]:
            text.set_fontweight("bold")
        for ax in (left, right):
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
        kind_keys = [
            left.plot([], [], "o-", color=_KIND_COLOURS[k], linewidth=3, markersize=5, label=f"{k}s")[0] for k in kinds
        ]
        compact = {"loc": "lower left", "fontsize": 8, "borderaxespad": 0.2, "handletextpad": 0.4}
        left.legend(
            handles=kind_keys,
            ncols=columns // 3,
            bbox_to_anchor=(0, 1.0),
            columnspacing=1.2,
            handlelength=1.6,
            **compact,
        )
        right.legend(ncols=columns, bbox_to_anchor=(0, 1.0), columnspacing=0.9, handlelength=0.8, **compact)
    return figure


def _draw_spread(ax: Axes, places: Sequence[float], burdens: Sequence[pd.Series], colour: str) -> None:
    """For each row the median (dot), the middle half (thick line) and the middle 90% (thin line) of its cases."""
    low, lower, middle, upper, high = np.array([np.percentile(burden, (5, 25, 50, 75, 95)) for burden in burdens]).T
    ax.hlines(places, low, high, color=colour, linewidth=1, alpha=0.55)
    ax.hlines(places, lower, upper, color=colour, linewidth=3.4)
    ax.plot(middle, places, "o", color="white", markeredgecolor=colour, markeredgewidth=1.3, markersize=4.8, zorder=3)


def _draw_spectrum(ax: Axes, places: Sequence[float], parts: Sequence[pd.DataFrame]) -> None:
    shares = np.zeros((len(parts), len(SUBSTITUTIONS)))
    for row, part in enumerate(parts):
        counts = part[list(SUBSTITUTIONS)].to_numpy(dtype=float)
        counts = counts[counts.sum(axis=1) > 0]
        if len(counts):
            # Every case counts alike, so that one hypermutated case does not dominate its label.
            shares[row] = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
        else:
            ax.annotate("no DNA changes known", (0.5, places[row]), ha="center", va="center", fontsize=7.5, color=_SOFT)
    starts = np.cumsum(shares, axis=1) - shares
    for i, name in enumerate(SUBSTITUTIONS):
        colour = _SUBSTITUTION_COLOURS[name]
        ax.barh(places, shares[:, i], 0.74, starts[:, i], color=colour, edgecolor="white", linewidth=0.6, label=name)


def _draw_vocabulary(vocabulary: Vocabulary) -> Figure:
    """The most informative genes, recurrent changes and amino-acid substitutions, in bits about the label."""
    wanted = {"gene": "Mutated genes", "change": "Recurrent changes", "amino_acid": "Amino-acid substitutions"}
    table = vocabulary.table.to_pandas()
    tops = {title: table[table["kind"] == kind].head(_TOP) for kind, title in wanted.items()}
    tops = {title: top for title, top in tops.items() if len(top)}
    furthest = max(top["information"].max() for top in tops.values())
    longest = max(len(top) for top in tops.values())
    with styled(8.6, 0.225 * longest + 0.9, ncols=len(tops)) as (figure, axes):
        for ax, (title, top) in zip(axes[0], tops.items(), strict=True):
            bits, rows = top["information"].to_numpy(), np.arange(len(top))
            ax.hlines(rows, 0, bits, color="#b9cfdc", linewidth=2.2)
            ax.plot(bits, rows, "o", color=BLUE, markersize=5)
            for row, (x, n) in enumerate(zip(bits, top["cases"], strict=True)):
                beside = {"textcoords": "offset points", "va": "center", "fontsize": 7, "color": _SOFT}
                ax.annotate(_count(n), (x, row), (6, 0), **beside)
            _bare_rows(ax, top["name"].tolist())
            ax.set(
                title=title, xlim=(0, 1.2 * furthest or 1.0), ylim=(longest - 0.4, -0.6), xlabel="Bits about the label"
            )
            ax.grid(axis="x")
    return figure


def _draw_filter(filters: list[dict], measured: pd.DataFrame) -> Figure:
    """Median burden of cell lines before and after the filter, compared with the tumours of the cohort."""
    rows = [row for row in filters if row["burden"]]
    tumours = measured[measured["kind"] == "tumour"]["burden"]
    with styled(7.4, 0.45 * len(rows) + 1.0) as (figure, axes):
        ax = axes[0, 0]
        for place, row in enumerate(rows):
            before, after = row["burden"]["before"]["median"], row["burden"]["after"]["median"]
            ax.plot([before, after], [place, place], color=RULE, linewidth=5, solid_capstyle="round", zorder=1)
            ax.plot(
                before, place, "o", color="white", markeredgecolor=ORANGE, markeredgewidth=1.8, markersize=9, zorder=2
            )
            ax.plot(after, place, "o", color=ORANGE, markersize=6, zorder=3)
            text = f"{_count(before)} → {_count(after)}"
            ax.annotate(
                text, (max(before, after), place), (10, 0), textcoords="offset points", va="center", fontsize=8.5
            )
        keys = [
            ax.plot(
                [], [], "o", color="white", markeredgecolor=ORANGE, markeredgewidth=1.8, markersize=8, label="Before"
            )[0],
            ax.plot([], [], "o", color=ORANGE, markersize=6, label="After")[0],
        ]
        largest = max(max(row["burden"][when]["median"] for when in ("before", "after")) for row in rows)
        if len(tumours):
            middle = float(tumours.median())
            largest = max(largest, middle)
            keys.append(
                ax.axvline(middle, color=BLUE, linestyle=(0, (4, 3)), label=f"Tumours of this cohort: {_count(middle)}")
            )
        _bare_rows(ax, [SOURCE_TITLES[row["source"]] for row in rows], 8.5)
        ax.set(xlim=(0, 1.25 * largest or 1.0), xlabel="Median number of non-silent variants per case")
        ax.grid(axis="x")
        ax.legend(handles=keys, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, fontsize=8, borderaxespad=0)
    return figure
