"""The raw folders of DepMap, TCGA and the user's table: from a server on this machine, and from folders."""

import gzip
import hashlib
import json
import logging
import random
import shutil
from pathlib import Path

import pytest

from cancertype.cohort.settings import Cohort
from cancertype.errors import InputError
from cancertype.fetch import releases
from cancertype.fetch.settings import Cbioportal, DepMap, Table, Tcga
from cancertype.sources import depmap, tcga

from .file_server import HASTY, PAGE, but, server, status, wrong_byte
from .settings import settings

__all__ = ["server"]

MODELS = (
    b"ModelID,PatientID,OncotreeCode,OncotreePrimaryDisease,OncotreeLineage\n"
    b'ACH-1,PT-1,LUAD,"Non-Small Cell Lung Cancer",Lung\n'
)
MUTATIONS = (
    b"ModelID,Chrom,Pos,Ref,Alt,HugoSymbol,ProteinChange,VariantInfo\n"
    b"ACH-1,chr12,25245350,C,T,KRAS,p.G12D,missense_variant\n"
)
MAF = (
    b"#version 2.4\nHugo_Symbol\tChromosome\tStart_Position\tVariant_Classification\tReference_Allele\t"
    b"Tumor_Seq_Allele2\tTumor_Sample_Barcode\tHGVSp_Short\n"
    b"KRAS\t12\t25398284\tMissense_Mutation\tC\tT\tTCGA-05-4244-01A\tp.G12D\n"
)
CLINICAL = b"bcr_patient_barcode\tacronym\tgender\nTCGA-05-4244\tLUAD\tMALE\n"
TABLE = b"ID,SUBCLASS,KRAS,TP53\ncase1,LUAD,G12D,WT\n"
DEPMAP_FILES = {"Model.csv": MODELS, "OmicsSomaticMutations.csv": MUTATIONS}
ARMS = [f"{n}{arm}" for n in range(1, 23) for arm in "pq" if arm == "q" or n not in (13, 14, 15, 21, 22)]
ARM_CALLS = (
    "\t".join(["Sample", "Type", "AneuploidyScore(AS)", "AS_del", "Genome_doublings", "Purity", *ARMS]) + "\n"
    "TCGA-05-4244-01\tLUAD\t2\t1\t1\t0.61\t" + "\t".join(["1", "-1", "NA", *["0"] * 36]) + "\n"
).encode()
SEGMENTS = (
    b"Sample\tChromosome\tStart\tEnd\tNum_Probes\tSegment_Mean\n"
    b"TCGA-05-4244-01A-01D-1877-01\t12\t61735\t20000000\t9000\t0.01\n"
    b"TCGA-05-4244-01A-01D-1877-01\t12\t25000000\t26000000\t500\t1.9\n"
    b"TCGA-05-4244-11A-01D-1877-01\t12\t61735\t133000000\t70000\t0.0\n"
)
TCGA_FILES = {
    "PANCAN_ArmCallsAndAneuploidyScore_092817.txt": ARM_CALLS,
    "broad.mit.edu_PANCAN_Genome_Wide_SNP_6_whitelisted.seg": SEGMENTS,
    "clinical_PANCAN_patient_with_followup.tsv": CLINICAL,
    "mc3.v0.2.8.PUBLIC.maf.gz": gzip.compress(MAF, mtime=0),
}


def md5(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()


@pytest.fixture
def published(server, monkeypatch):
    """The server as the place where the releases are published, small files instead of the real ones."""
    real = {source: releases.catalogue(source) for source in ("depmap", "tcga")}
    small = {"depmap": DEPMAP_FILES, "tcga": TCGA_FILES}
    known = {}
    for source, catalogue in real.items():
        files = [
            file.model_copy(
                update={
                    "url": f"{server.base}/published/{file.name}",
                    "md5": file.md5 and md5(small[source][file.name]),
                    "sha256": file.sha256 and hashlib.sha256(small[source][file.name]).hexdigest(),
                    "bytes": len(small[source][file.name]),
                }
            )
            for file in catalogue.releases[0].files
        ]
        release = catalogue.releases[0].model_copy(update={"files": files})
        known[source] = catalogue.model_copy(update={"releases": [release]})
        for name, body in small[source].items():
            server.files[f"/published/{name}"] = server.files[f"/mirror/{name}"] = body
    monkeypatch.setattr(releases, "catalogue", known.get)
    return server


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "data" / "raw" / "release"


@pytest.fixture
def get_depmap(folder, tmp_path):
    def run(**changes) -> dict:
        releases.fetch_depmap(settings(DepMap, "data.depmap", **changes), folder, tmp_path / "scratch", patience=HASTY)
        return json.loads((folder / "source.json").read_text())

    return run


@pytest.fixture
def get_tcga(folder, tmp_path):
    def run(**changes) -> dict:
        releases.fetch_tcga(settings(Tcga, "data.tcga", **changes), folder, tmp_path / "scratch", patience=HASTY)
        return json.loads((folder / "source.json").read_text())

    return run


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return folder


@pytest.fixture
def own(tmp_path) -> Path:
    """A folder of the user's."""
    return write(tmp_path / "own", {})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "source.json"}


def assert_nothing_is_visible(folder: Path) -> None:
    assert not folder.exists()
    assert not folder.parent.exists() or list(folder.parent.iterdir()) == []


# The catalogue


@pytest.mark.parametrize("source", ["depmap", "tcga"])
def test_every_known_file_has_a_safe_address_a_checksum_and_terms(source):
    for release in releases.catalogue(source).releases:
        assert release.licence
        assert "https://doi.org/" in release.citation
        assert release.limits_training is False
        for file in release.files:
            assert file.url.startswith("https://")
            assert file.md5 or file.sha256


def test_the_known_releases_are_the_documented_ones():
    assert [release.release for release in releases.catalogue("depmap").releases] == ["24Q4"]
    assert {file.name for file in releases.catalogue("depmap").releases[0].files} == set(releases.DEPMAP_FILES)
    assert releases.catalogue("depmap").releases[0].licence == "CC BY 4.0"
    assert {file.name: file.bytes for file in releases.catalogue("tcga").releases[0].files} == {
        "PANCAN_ArmCallsAndAneuploidyScore_092817.txt": None,
        "broad.mit.edu_PANCAN_Genome_Wide_SNP_6_whitelisted.seg": 166_238_394,
        "clinical_PANCAN_patient_with_followup.tsv": 18_633_685,
        "mc3.v0.2.8.PUBLIC.maf.gz": 753_339_089,
    }


@pytest.mark.parametrize(("release", "restricted"), [("24Q4", False), ("24Q2", False), ("25Q2", True), ("26Q1", True)])
def test_only_releases_after_24q4_are_restricted(release, restricted):
    assert releases.catalogue("depmap").is_restricted(release) is restricted


# A release's own addresses


def test_a_depmap_release_is_fetched_whole_with_its_record(published, get_depmap, folder):
    record = get_depmap()
    assert contents(folder) == DEPMAP_FILES
    assert record == {
        "source": "depmap",
        "release": "24Q4",
        "name": "DepMap 24Q4 Public",
        "licence": "CC BY 4.0",
        "citation": releases.catalogue("depmap").releases[0].citation,
        "terms": None,
        "limits_training": False,
        "simulated": False,
        "files": [
            {"name": name, "md5": md5(body), "bytes": len(body), "origin": f"{published.base}/published/{name}"}
            for name, body in DEPMAP_FILES.items()
        ],
    }


def test_tcga_is_fetched_whole_with_its_record(published, get_tcga, folder):
    record = get_tcga()
    assert contents(folder) == TCGA_FILES
    assert record["source"] == "tcga"
    assert record["release"] == "mc3.v0.2.8"
    assert record["limits_training"] is False
    assert [file["md5"] for file in record["files"]] == [md5(body) for body in TCGA_FILES.values()]


def test_what_the_gdc_serves_gives_mutations_arms_and_amplified_genes_of_each_patient(published, get_tcga, folder):
    get_tcga()
    tables = tcga.read(folder)
    assert tables.cases["case_id"].to_pylist() == ["TCGA-05-4244"]
    assert tables.variants["gene"].to_pylist() == ["KRAS"]
    arms = {row["arm"]: row["call"] for row in tables.alterations.arms.to_pylist()}
    assert (arms["1p"], arms["1q"], arms["12q"]) == (1, -1, 0) and arms["2p"] is None
    calls = {row["gene"]: row["call"] for row in tables.alterations.genes.to_pylist()}
    assert calls["KRAS"] == 2


def test_a_file_with_another_sha256_is_refused_and_fetched_again(published, get_tcga, folder):
    name = next(name for name in TCGA_FILES if name.startswith("PANCAN_Arm"))
    served = published.files[f"/published/{name}"]
    published.files[f"/published/{name}"] = served.replace(b"LUAD", b"LUSC")
    with pytest.raises(InputError, match=f"{name} has the SHA-256 .* and not .*try again"):
        get_tcga()
    assert_nothing_is_visible(folder)
    published.files[f"/published/{name}"] = served
    get_tcga()
    published.requests.clear()
    shutil.rmtree(folder)
    get_tcga()
    assert contents(folder) == TCGA_FILES and published.requests == []


def test_after_the_outputs_are_deleted_a_rerun_downloads_nothing(published, get_depmap, folder):
    first = get_depmap()
    shutil.rmtree(folder)
    published.requests.clear()
    assert get_depmap() == first
    assert published.requests == []
    assert contents(folder) == DEPMAP_FILES


def test_a_failure_at_the_second_file_shows_nothing_and_keeps_the_first(published, get_depmap, folder):
    served = published.files.pop("/published/OmicsSomaticMutations.csv")
    with pytest.raises(InputError, match=r"status 404.*get the files in another way and set data.depmap.location"):
        get_depmap()
    assert_nothing_is_visible(folder)
    published.files["/published/OmicsSomaticMutations.csv"] = served
    published.requests.clear()
    get_depmap()
    assert [path for path, _ in published.requests] == ["/published/OmicsSomaticMutations.csv"]


@pytest.mark.parametrize("behaviour", [status(200, PAGE), wrong_byte, but(until=20), status(503)])
def test_a_bad_server_leaves_nothing_visible(published, get_tcga, folder, behaviour):
    published.always = behaviour
    with pytest.raises(InputError, match=r"published/PANCAN_Arm.*data.tcga.location"):
        get_tcga()
    assert_nothing_is_visible(folder)


def test_a_failed_fetch_leaves_the_earlier_folder_as_it_was(published, get_depmap, folder, tmp_path):
    first = get_depmap()
    shutil.rmtree(tmp_path / "scratch")
    published.always = status(503)
    with pytest.raises(InputError):
        get_depmap()
    assert contents(folder) == DEPMAP_FILES
    assert json.loads((folder / "source.json").read_text()) == first
    assert [path.name for path in folder.parent.iterdir()] == ["release"]


def test_a_new_fetch_takes_the_place_of_the_whole_folder(published, get_depmap, folder, own):
    get_depmap()
    write(own, {"Model.csv.gz": gzip.compress(MODELS), "OmicsSomaticMutations.csv": MUTATIONS})
    get_depmap(location=str(own))
    assert set(contents(folder)) == {"Model.csv.gz", "OmicsSomaticMutations.csv"}
    assert [path.name for path in folder.parent.iterdir()] == ["release"]


def test_a_release_with_restricted_terms_is_not_fetched(published, get_depmap, folder):
    with pytest.raises(
        InputError, match=r"release 25Q2: .*terms of use that limit the training.*data.depmap.location"
    ) as raised:
        get_depmap(release="25Q2")
    assert "\n" not in str(raised.value)
    assert "24Q4" in str(raised.value)
    assert published.requests == []
    assert_nothing_is_visible(folder)


def test_a_release_without_a_known_address_names_those_that_have_one(published, get_depmap, folder):
    with pytest.raises(InputError, match=r"release 22Q1: its address is not known here.* 24Q4") as raised:
        get_depmap(release="22Q1")
    assert "\n" not in str(raised.value)
    assert_nothing_is_visible(folder)


# A mirror


def test_a_mirror_is_checked_against_the_release(published, get_depmap, folder):
    record = get_depmap(location=f"{published.base}/mirror/")
    assert contents(folder) == DEPMAP_FILES
    assert record["release"] == "24Q4"
    assert record["files"][0]["origin"] == f"{published.base}/mirror/Model.csv"


def test_a_mirror_of_tcga_is_asked_for_the_releases_names(published, get_tcga, folder):
    get_tcga(location=f"{published.base}/mirror")
    assert contents(folder) == TCGA_FILES


def test_a_mirror_with_another_file_is_refused(published, get_depmap, folder):
    published.files["/mirror/Model.csv"] = MODELS.replace(b"PT-1", b"PT-2")
    with pytest.raises(
        InputError, match=r"mirror/Model\.csv: what arrived, twice, has md5 .*Correct data.depmap.location"
    ):
        get_depmap(location=f"{published.base}/mirror")
    assert_nothing_is_visible(folder)


def test_a_restricted_release_from_a_mirror_is_recorded_with_its_terms(published, get_depmap, folder, caplog):
    published.files["/mirror/Model.csv"] = newer = MODELS.replace(b"PT-1", b"PT-2")
    record = get_depmap(release="25Q3", location=f"{published.base}/mirror")
    assert contents(folder)["Model.csv"] == newer
    assert (record["release"], record["limits_training"]) == ("25Q3", True)
    assert "limit the training" in record["terms"]
    assert record["files"][0]["md5"] == md5(newer)
    assert "Model.csv of" in caplog.text
    assert "limit the training" in caplog.text


def test_an_address_that_cannot_be_is_named_by_its_key(get_depmap, folder):
    with pytest.raises(InputError, match=r"data\.depmap\.location is not a URL"):
        get_depmap(location="http://[::1/mirror")
    assert_nothing_is_visible(folder)


def test_an_unverified_file_of_a_mirror_is_fetched_anew(published, get_depmap, folder):
    get_depmap(release="25Q3", location=f"{published.base}/mirror")
    published.files["/mirror/Model.csv"] = newer = MODELS.replace(b"PT-1", b"PT-2")
    get_depmap(release="25Q3", location=f"{published.base}/mirror")
    assert contents(folder)["Model.csv"] == newer


def test_a_verified_file_is_kept_apart_from_an_unverified_one_of_the_same_name(published, get_depmap, folder):
    get_depmap()
    published.files["/mirror/Model.csv"] = MODELS.replace(b"PT-1", b"PT-2")
    get_depmap(release="25Q3", location=f"{published.base}/mirror")
    published.requests.clear()
    get_depmap()
    assert published.requests == []
    assert contents(folder) == DEPMAP_FILES


def test_an_unverified_file_without_a_needed_column_is_named(published, get_depmap, folder):
    published.files["/mirror/Model.csv"] = b"a,b\n1,2\n"
    with pytest.raises(InputError, match=r"Model\.csv: has no column ModelID, PatientID.* its columns are: a, b"):
        get_depmap(release="25Q3", location=f"{published.base}/mirror")
    assert_nothing_is_visible(folder)


def test_the_token_of_a_mirror_is_sent_and_not_recorded(published, get_depmap, folder):
    get_depmap(location=f"{published.base}/mirror?token=enigma")
    assert published.requests[0][0] == "/mirror/Model.csv?token=enigma"
    assert "enigma" not in (folder / "source.json").read_text()


# A folder


def test_a_folder_is_copied_and_recorded_without_its_path(get_depmap, folder, own):
    write(own, DEPMAP_FILES | {"unrelated.csv": b"x\n"})
    record = get_depmap(location=str(own))
    assert contents(folder) == DEPMAP_FILES
    assert str(own) not in json.dumps(record)
    assert record["files"] == [
        {"name": name, "md5": md5(body), "bytes": len(body), "origin": None} for name, body in DEPMAP_FILES.items()
    ]


def test_files_stay_compressed_as_they_were(get_depmap, folder, own):
    packed = gzip.compress(MUTATIONS)
    write(own, {"Model.csv": MODELS, "OmicsSomaticMutations.csv.gz": packed})
    get_depmap(location=own.as_uri())
    assert contents(folder) == {"Model.csv": MODELS, "OmicsSomaticMutations.csv.gz": packed}


def test_the_users_files_are_not_shared_with_the_output(get_depmap, folder, own):
    write(own, DEPMAP_FILES)
    get_depmap(location=str(own))
    (folder / "Model.csv").write_bytes(b"overwritten")
    assert (own / "Model.csv").read_bytes() == MODELS


def test_a_compressed_copy_of_a_release_is_known_as_that_release(published, get_depmap, own):
    write(own, {"Model.csv": MODELS, "OmicsSomaticMutations.csv.gz": gzip.compress(MUTATIONS)})
    record = get_depmap(location=str(own), release="25Q2")
    assert (record["release"], record["licence"]) == ("24Q4", "CC BY 4.0")


def test_files_that_are_not_the_releases_do_not_take_its_licence(get_depmap, own, caplog):
    record = get_depmap(location=str(write(own, DEPMAP_FILES)))
    assert record["release"] is None
    assert record["limits_training"] is None
    assert "CC BY" not in record["licence"]
    assert "set data.depmap.release to the release that they are from" in caplog.text


def test_a_restricted_release_from_a_folder_goes_on_with_a_warning(get_depmap, own, caplog):
    record = get_depmap(location=str(write(own, DEPMAP_FILES)), release="26Q1")
    assert (record["release"], record["limits_training"]) == ("26Q1", True)
    assert "DepMap 26Q1: DepMap releases after 24Q4" in caplog.text


def test_an_earlier_release_from_a_folder_is_recorded_by_its_name_and_no_licence(get_depmap, own, caplog):
    record = get_depmap(location=str(write(own, DEPMAP_FILES)), release="23Q4")
    assert (record["release"], record["name"], record["limits_training"]) == ("23Q4", "DepMap 23Q4", None)
    assert record["licence"] == "unknown (given by the user)"
    assert caplog.text == ""


ABOUT = {
    "release": "2026",
    "name": "The lab's lines",
    "licence": "CC BY 4.0",
    "citation": "The lab, 2026",
    "terms": None,
    "limits_training": False,
}


def test_a_folder_may_say_itself_what_it_holds(get_depmap, get_tcga, own, tmp_path, caplog):
    described = {"source.json": json.dumps(ABOUT).encode()}
    record = get_depmap(location=str(write(own, DEPMAP_FILES | described)), release="23Q4")
    assert {key: record[key] for key in ABOUT} == ABOUT and len(record["files"]) == 2
    (tmp_path / "tumours").mkdir()
    record = get_tcga(location=str(write(tmp_path / "tumours", TCGA_FILES | described)))
    assert {key: record[key] for key in ABOUT} == ABOUT and len(record["files"]) == len(TCGA_FILES)
    assert caplog.text == ""


def test_the_terms_of_a_restricted_release_hold_whatever_its_folder_says(get_depmap, own):
    described = {"source.json": json.dumps(ABOUT).encode()}
    record = get_depmap(location=str(write(own, DEPMAP_FILES | described)), release="26Q1")
    assert (record["release"], record["limits_training"], record["name"]) == ("26Q1", True, "The lab's lines")


def test_a_description_that_is_incomplete_is_refused(get_depmap, folder, own):
    half = {"source.json": b'{"name": "lines", "limits_training": "no"}'}
    with pytest.raises(InputError, match=r"source\.json: does not describe.*release: Field required.*limits_training"):
        get_depmap(location=str(write(own, DEPMAP_FILES | half)))
    assert_nothing_is_visible(folder)


@pytest.mark.parametrize(("gone", "named"), [("Model.csv", "Model"), ("OmicsSomaticMutations.csv", "OmicsSomaticM")])
def test_a_missing_file_is_named(get_depmap, folder, own, gone, named):
    write(own, DEPMAP_FILES)
    (own / gone).unlink()
    with pytest.raises(InputError, match=f"own: {named}.* is needed, and neither is there"):
        get_depmap(location=str(own))
    assert_nothing_is_visible(folder)


def test_a_file_that_is_there_twice_is_named(get_depmap, own):
    write(own, DEPMAP_FILES | {"Model.csv.gz": gzip.compress(MODELS)})
    with pytest.raises(InputError, match=r"Model\.csv.*both are there"):
        get_depmap(location=str(own))


@pytest.mark.parametrize("column", ["ModelID", "HugoSymbol", "ProteinChange", "Ref", "Alt"])
def test_a_missing_column_is_named_packed_or_not(get_depmap, folder, own, column):
    without = MUTATIONS.replace(column.encode(), b"other")
    for files in ({"OmicsSomaticMutations.csv": without}, {"OmicsSomaticMutations.csv.gz": gzip.compress(without)}):
        write(own, {"Model.csv": MODELS} | files)
        name = next(iter(files))
        with pytest.raises(InputError, match=f"own/{name}: has no column {column}; its columns are: .*other"):
            get_depmap(location=str(own))
        (own / name).unlink()
    assert_nothing_is_visible(folder)


def test_either_column_of_the_consequence_will_do(get_depmap, own):
    write(
        own,
        {"Model.csv": MODELS, "OmicsSomaticMutations.csv": MUTATIONS.replace(b"VariantInfo", b"MolecularConsequence")},
    )
    get_depmap(location=str(own))
    write(own, {"OmicsSomaticMutations.csv": MUTATIONS.replace(b"VariantInfo", b"other")})
    with pytest.raises(InputError, match="has no column VariantInfo or MolecularConsequence"):
        get_depmap(location=str(own))


def test_a_truncated_gzip_file_is_named(get_depmap, folder, own):
    # Long and hard to compress, so that the header survives the cut.
    rows = "".join(f"ACH-{random.Random(i).random()}\n" for i in range(20_000)).encode()
    packed = gzip.compress(MUTATIONS + rows)
    write(own, {"Model.csv": MODELS, "OmicsSomaticMutations.csv.gz": packed[: len(packed) // 2]})
    with pytest.raises(InputError, match=r"own/OmicsSomaticMutations\.csv\.gz: the gzip file is truncated"):
        get_depmap(location=str(own))
    assert_nothing_is_visible(folder)


def test_a_damaged_gzip_file_is_named(get_depmap, folder, own):
    packed = bytearray(gzip.compress(MUTATIONS * 1000))
    packed[-6] ^= 1
    write(own, {"Model.csv": MODELS, "OmicsSomaticMutations.csv.gz": bytes(packed)})
    with pytest.raises(InputError, match=r"own/OmicsSomaticMutations\.csv\.gz: the gzip file is .*damaged \(CRC"):
        get_depmap(location=str(own))
    assert_nothing_is_visible(folder)


@pytest.mark.parametrize("location", ["/no/such/folder", "file:///no/such/folder", "s3://bucket/folder"])
def test_a_location_that_is_no_folder_and_no_address_is_named(get_depmap, get_tcga, folder, location):
    for get, key in ((get_depmap, "depmap"), (get_tcga, "tcga")):
        with pytest.raises(InputError, match=rf"data\.{key}\.location .*(no such folder|give a folder or an address)"):
            get(location=location)
    assert_nothing_is_visible(folder)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, the device that is always full")
def test_a_disk_that_fills_up_while_copying_is_named(get_depmap, folder, own, monkeypatch):
    write(own, DEPMAP_FILES)
    real_open = Path.open

    def open_full(path, mode="r", *args, **options):
        return real_open(Path("/dev/full") if mode == "wb" else path, mode, *args, **options)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(InputError, match=rf"disk is full: {len(MODELS)} more bytes are needed"):
        get_depmap(location=str(own))
    assert_nothing_is_visible(folder)


def test_several_mafs_and_clinical_tables_are_taken_and_others_left_out(get_tcga, folder, own, caplog):
    taken = {
        "a.maf": MAF,
        "b.maf.gz": gzip.compress(MAF),
        "clinical.tsv": CLINICAL,
        "more.txt": CLINICAL.replace(b"acronym", b"type"),
    }
    write(own, taken | {"drugs.tsv": b"bcr_patient_barcode\tdrug\n", "notes.md": b"x", "._a.maf": b"\0\0\xff"})
    record = get_tcga(location=str(own))
    assert contents(folder) == taken
    assert [file["name"] for file in record["files"]] == sorted(taken)
    assert record["release"] is None
    assert "drugs.tsv has no column acronym or type" in caplog.text


def test_a_folder_without_a_maf_or_a_clinical_table_is_named(get_tcga, folder, own):
    write(own, {"clinical.tsv": CLINICAL})
    with pytest.raises(InputError, match="own: has no MAF: put one there"):
        get_tcga(location=str(own))
    write(own, {"a.maf": MAF, "clinical.tsv": CLINICAL.replace(b"acronym", b"other")})
    with pytest.raises(InputError, match=r"own: has no clinical table.*clinical.tsv has no column acronym or type"):
        get_tcga(location=str(own))
    assert_nothing_is_visible(folder)


def test_a_maf_without_a_needed_column_is_named(get_tcga, own):
    write(own, {"a.maf": MAF.replace(b"Variant_Classification", b"Effect"), "clinical.tsv": CLINICAL})
    with pytest.raises(InputError, match=r"own/a\.maf: has no column Variant_Classification or Consequence; .*Effect"):
        get_tcga(location=str(own))


def test_a_maf_packed_and_unpacked_does_not_count_twice(get_tcga, own):
    write(own, {"a.maf": MAF, "a.maf.gz": gzip.compress(MAF), "clinical.tsv": CLINICAL})
    with pytest.raises(InputError, match=r"a\.maf: a\.maf\.gz is there too.*keep one"):
        get_tcga(location=str(own))


def test_what_passes_here_passes_the_readers(get_depmap, get_tcga, folder, own, tmp_path):
    get_depmap(location=str(write(own, DEPMAP_FILES)))
    assert depmap.read(folder, settings(Cohort, "cohort")).cases.num_rows == 1
    get_tcga(location=str(write(tmp_path / "patients", {"a.maf": MAF, "clinical.txt": CLINICAL})))
    assert tcga.read(folder).cases.num_rows == 1


def test_the_real_folders_are_taken(get_depmap, get_tcga, folder, shared_data, caplog):
    caplog.set_level(logging.WARNING)
    record = get_depmap(location=str(shared_data / "depmap"), release="25Q3")
    assert {file["name"] for file in record["files"]} == {"Model.csv", "OmicsSomaticMutations.csv.gz"}
    record = get_tcga(location=str(shared_data / "tcga"))
    assert len(record["files"]) == 4
    for file in record["files"]:
        assert md5((folder / file["name"]).read_bytes()) == file["md5"]


# Several folders


def sources_of(folder: Path) -> dict[str, set[str]]:
    """The files of each folder of a source."""
    return {path.name: set(contents(path)) for path in folder.parent.iterdir()}


def test_each_folder_of_a_list_is_copied_beside_the_first_and_one_clinical_table_will_do(get_tcga, folder, tmp_path):
    spectra = write(tmp_path / "c", {"SBS96.all": b"MutationType\tA\n", "notes.txt": b"a\tb\n"})
    listed = [write(tmp_path / "a", {"a.maf": MAF}), write(tmp_path / "b", {"c.tsv": CLINICAL}), spectra]
    get_tcga(location=[str(each) for each in listed])
    assert sources_of(folder) == {"release": {"a.maf"}, "release-2": {"c.tsv"}, "release-3": {"SBS96.all"}}
    get_tcga(location=[str(each) for each in listed[:2]])
    assert set(sources_of(folder)) == {"release", "release-2"}, "what a longer list left is gone"
    with pytest.raises(InputError, match="a: has no clinical table"):
        get_tcga(location=[str(listed[0]), str(spectra)])
    with pytest.raises(InputError, match=r"data\.tcga\.location names .*a twice"):
        get_tcga(location=[str(listed[0]), str(listed[0])])


def test_an_address_and_a_folder_may_be_listed_together(published, get_tcga, folder, own):
    write(own, {"arms.tsv": ("Sample\t" + "\t".join(f"{n}q" for n in range(1, 23)) + "\n").encode()})
    get_tcga(location=[f"{published.base}/mirror", str(own)])
    assert sources_of(folder) == {"release": set(TCGA_FILES), "release-2": {"arms.tsv"}}


def test_lines_of_a_panel_beside_a_release_need_no_second_model_table(get_depmap, folder, tmp_path):
    release = write(tmp_path / "a", DEPMAP_FILES | {"OmicsCNGene.csv": b",EGFR (1956)\nACH-1,1.0\n"})
    panel = write(tmp_path / "b", {"lines.maf.gz": gzip.compress(MAF), "genes.txt": b"KRAS\nTP53\n"})
    get_depmap(location=[str(release), str(panel)], release="26Q1")
    assert sources_of(folder) == {
        "release": {*DEPMAP_FILES, "OmicsCNGene.csv"},
        "release-2": {"lines.maf.gz", "genes.txt"},
    }
    second = json.loads((folder.parent / "release-2" / "source.json").read_text())
    assert (second["source"], second["release"], second["limits_training"]) == ("depmap", None, None)
    with pytest.raises(InputError, match=r"Model\.csv or Model\.csv\.gz is needed"):
        get_depmap(location=[str(panel)])


# Studies of cBioPortal


STUDY = {
    "data_mutations.txt": MAF,
    "data_clinical_sample.txt": b"PATIENT_ID\tSAMPLE_ID\tONCOTREE_CODE\nP1\tS1\tLUAD\n",
    "data_cna.txt": b"Hugo_Symbol\tS1\nEGFR\t2\n",
}


def test_a_study_is_copied_with_its_lists_and_without_what_is_not_read(folder, own):
    write(own, STUDY | {"data_mrna_seq_v2_rsem.txt": b"Hugo_Symbol\tS1\nEGFR\t2.1\n", "meta_study.txt": b"name: x\n"})
    write(own / "case_lists", {"cases_sequenced.txt": b"case_list_ids: S1\n"})
    releases.fetch_cbioportal(Cbioportal(location=str(own)), folder)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {*STUDY, "case_lists/cases_sequenced.txt", "source.json"}
    record = json.loads((folder / "source.json").read_text())
    assert record["source"] == "cbioportal" and {file["name"] for file in record["files"]} == files - {"source.json"}


def test_a_study_that_is_not_named_or_none_or_an_address_is_said(folder, own):
    write(own, {"data_cna.txt": STUDY["data_cna.txt"]})
    for location, said in (
        (None, "data.cbioportal.location is null"),
        (str(own), "neither data_mutations.txt nor a table that begins with STUDY_ID"),
        ("https://data.host/study.tar.gz", "unpack the study, and give its folder"),
    ):
        with pytest.raises(InputError, match=said):
            releases.fetch_cbioportal(Cbioportal(location=location), folder)
    assert_nothing_is_visible(folder)


def test_an_empty_list_of_locations_is_refused():
    with pytest.raises(ValueError, match="location"):
        Cbioportal(location=[])


# The user's table


@pytest.mark.parametrize("name", ["mine.csv", "mine.tsv", "mine.txt.gz"])
def test_the_users_table_is_copied_as_it_is(folder, own, name):
    body = TABLE if name == "mine.csv" else TABLE.replace(b",", b"\t")
    body = gzip.compress(body) if name.endswith(".gz") else body
    releases.fetch_table(Table(path=str(write(own, {name: body}) / name)), folder)
    record = json.loads((folder / "source.json").read_text())
    assert contents(folder) == {name: body}
    assert record["source"] == "table"
    assert record["files"] == [{"name": name, "md5": md5(body), "bytes": len(body), "origin": None}]


def test_a_table_that_is_not_named_or_not_there_or_no_table_is_said(folder, own):
    write(own, {"mine.xlsx": b"PK\x03\x04", "no_id.csv": TABLE.replace(b"ID,", b"case,")})
    with pytest.raises(InputError, match=r"data\.table\.path is null: set it to your table"):
        releases.fetch_table(Table(path=None), folder)
    for name in ("absent.csv", "mine.xlsx"):
        with pytest.raises(InputError, match=rf"{name}: is no file ending in \.csv"):
            releases.fetch_table(Table(path=str(own / name)), folder)
    with pytest.raises(InputError, match=r"no_id\.csv: has no column ID"):
        releases.fetch_table(Table(path=str(own / "no_id.csv")), folder)
    assert_nothing_is_visible(folder)
