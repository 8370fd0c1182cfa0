"""Inputs of `panhuo compare` as people write them."""

import pytest

from panhuo.appraise.inputs import checked
from panhuo.core.problems import PanhuoError
from panhuo.workspace.compares import given_for, given_inputs
from panhuo.workspace.store import Workspace


def test_payments_are_read_with_a_bare_on_which_yaml_takes_for_true(tmp_path):
    file = tmp_path / "inputs.yaml"
    file.write_text("parcels: {p: {instalments: [{on: 2020-06-30, amount_wan: 2875}]}}", encoding="utf-8")
    rows = given_inputs(Workspace(tmp_path), None)["parcels"]["p"]["instalments"]
    (payment,) = checked("instalments", rows)
    assert (payment.on.isoformat(), payment.amount_wan) == ("2020-06-30", 2875.0)


@pytest.mark.parametrize("rows", [[{"on": "2020-06-30", "wan": 1}], [{"on": "mid", "amount_wan": 1}], 3])
def test_payments_in_another_shape_are_refused_with_an_example(rows):
    with pytest.raises(PanhuoError) as refused:
        checked("instalments", rows)
    assert "amount_wan" in str(refused.value.why)


def test_the_file_given_stands_over_the_inputs_the_workspace_keeps_input_by_input(tmp_path):
    (tmp_path / "inputs.yaml").write_text(
        "parcels: {p: {bond_wan: 18100, bond_rate: 0.05}}", encoding="utf-8"
    )
    own = tmp_path / "own.yaml"
    own.write_text("bond_rate: 0.033", encoding="utf-8")
    assert given_for(given_inputs(Workspace(tmp_path), own), "p") == {"bond_wan": 18100, "bond_rate": 0.033}
