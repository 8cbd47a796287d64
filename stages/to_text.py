"""Write every case as prompt and completion: one Parquet file per split, one of the views to train on, one of the grid
to test on."""

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from cancertype.features import Vocabulary, panels_of, view_files
from cancertype.tables.parquet import write_parquet
from cancertype.text.rendering import Renderer, dataset, token_counter
from cancertype.text.settings import Text
from pipeline.params import read, run

FEATURES = Path("data/features")
TOKENIZER = Path("models/base/tokenizer.json")
OUT = Path("data/text")


def main() -> None:
    (settings,) = read({"text": Text})
    cases = pq.read_table(FEATURES / "cases.parquet")
    variants = pq.read_table(FEATURES / "variants.parquet")
    vocabulary = Vocabulary.load(FEATURES / "vocabulary.parquet")
    panels = panels_of(pq.read_table(FEATURES / "panels.parquet"))
    renderer = Renderer(settings, vocabulary, token_counter(TOKENIZER), panels)
    for split in ("train", "validation", "test", "out_of_scope"):
        of_split = cases.filter(pc.equal(cases["split"], split))
        texts = dataset(of_split, renderer.render(of_split, variants), settings)
        write_parquet(texts, OUT / f"{split}.parquet")
        cut = pc.sum(pc.greater(texts["left_out"], 0)).as_py() or 0
        print(f"{split}: {texts.num_rows} cases, {cut} of them with mutations left out to stay within the token budget")
    for name, column in ((view_files.TRAINING, "copy"), (view_files.GRID, "row")):
        seen = view_files.read(FEATURES, name, column)
        rendered = [(value, dataset(c, renderer.render(c, v), settings)) for value, c, v in seen]
        write_parquet(view_files.under_one_another(rendered, column, like=texts), OUT / f"{name}.parquet")


if __name__ == "__main__":
    run(main)
