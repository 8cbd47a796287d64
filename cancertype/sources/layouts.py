"""The columns of the raw layouts that the pipeline fetches and reads, declared once for both."""

import pyarrow as pa

from ..tables.layout import Column, Layout

# Where nearly every value of a block is another, coding each block costs more than coding the whole column.
_MANY = pa.string()

MAF = Layout(
    "MAF",
    {
        "gene": Column(("Hugo_Symbol",), _MANY, required=True),
        "chromosome": Column(("Chromosome",), for_training=True),
        "position": Column(("Start_Position", "Start_position"), _MANY, for_training=True),
        "consequence": Column(("Variant_Classification", "Consequence"), for_training=True, only_one=True),
        "reference": Column(("Reference_Allele",), for_training=True),
        "alternative": Column(("Tumor_Seq_Allele2",), for_training=True),
        "sample": Column(("Tumor_Sample_Barcode",), required=True),
        "protein_change": Column(
            (
                "HGVSp_Short", "Protein_Change", "amino_acid_change_WU", "AAChange", "aaChange", "amino_acid_change",
                "AAChange.refGene", "Amino_Acid_Change", "MA:protein.change", "HGVSp",
            ),
            _MANY,
            for_training=True,
        ),
        "other_allele": Column(("Tumor_Seq_Allele1",)),
        "filter": Column(("FILTER",)),
        "context": Column(("CONTEXT", "ref_context"), _MANY),
        "status": Column(("Mutation_Status", "Somatic_Status", "Germline_or_Somatic", "Somatic_or_Germline")),
        "validation": Column(("Validation_Status",)),
    },
)  # fmt: skip


TCGA_CLINICAL = Layout(
    "clinical table",
    {
        "patient": Column(("bcr_patient_barcode",), required=True),
        "cohort": Column(("acronym", "type", "cohort"), required=True),
        "sex": Column(("gender", "sex")),
    },
)


DEPMAP_MUTATIONS = Layout(
    "DepMap mutations",
    {
        "sample": Column(("ModelID",), required=True),
        "chromosome": Column(("Chrom",), required=True),
        "position": Column(("Pos",), _MANY, required=True),
        "gene": Column(("HugoSymbol",), _MANY, required=True),
        "protein_change": Column(("ProteinChange",), _MANY, required=True),
        "reference": Column(("Ref",), required=True),
        "alternative": Column(("Alt",), required=True),
        "consequence": Column(("VariantInfo", "MolecularConsequence"), required=True),
        "hotspot": Column(("Hotspot",)),
        "default_entry": Column(("IsDefaultEntryForModel",)),
        "frequency": Column(("GnomadeAF", "GnomadgAF"), pa.float64()),
        "allele_fraction": Column(("AF",), pa.float64()),
        "depth": Column(("DP",), pa.float64()),
    },
)
"""OmicsSomaticMutations.csv. Releases differ in their columns, so they are found by name."""

DEPMAP_MODELS = Layout(
    "DepMap models",
    {
        name: Column((name,), required=True)
        for name in ("ModelID", "PatientID", "OncotreeCode", "OncotreePrimaryDisease", "OncotreeLineage")
    }
    | {name: Column((name,)) for name in ("OncotreeSubtype", "Sex", "EngineeredModel", "CulturedResistanceDrug")},
)
"""Model.csv."""
