"""The served copy sees what the command line compares, from the first comparison on."""

import made_workspace
import pyarrow.compute as pc
import pyarrow.parquet as pq

from panhuo.workspace.reading import key_of, open_copy, reading_copy
from panhuo.workspace.store import Workspace


def test_sums_of_a_comparison_show_on_a_copy_built_before_any_and_after(tmp_path):
    made_workspace.make(tmp_path, 12)
    ws = Workspace.open(tmp_path)
    path = ws.assessment_dir() / "appraisals.parquet"
    sums = pq.read_table(path)
    path.unlink()
    before = key_of(ws)
    with open_copy(ws, reading_copy(ws)) as db:
        assert db.execute("SELECT count(*) FROM appraisals").fetchone() == (0,)
    pq.write_table(sums, path)
    assert key_of(ws) != before
    with open_copy(ws, reading_copy(ws)) as db:
        ask = "SELECT sum(npv_wan) FROM appraisals"
        assert db.execute(ask).fetchone() == (pc.sum(sums["npv_wan"]).as_py(),)
        dearer = pc.add(sums["npv_wan"], 1.0)
        pq.write_table(sums.set_column(sums.column_names.index("npv_wan"), "npv_wan", dearer), path)
        assert db.execute(ask).fetchone() == (pc.sum(dearer).as_py(),)
