"""The online basemap an office configures: addresses of tiles, hosts, attribution; a template that cannot work."""

import pytest

from panhuo.core.problems import PanhuoError
from panhuo.site.basemap import basemap


def test_without_a_key_there_is_none():
    assert basemap({}) is None
    assert basemap({"PANHUO_MAP_APPROVAL": "GS（2024）0650号"}) is None


def test_tianditu_is_asked_for_ground_and_labels_in_web_mercator_from_all_its_servers():
    made = basemap({"PANHUO_TIANDITU_KEY": "k1", "PANHUO_MAP_APPROVAL": "GS（2024）0650号"})
    assert made.attribution == "天地图 GS（2024）0650号"
    assert list(made.tiles) == ["vec", "cva"]
    assert made.hosts == tuple(f"https://t{s}.tianditu.gov.cn" for s in range(8))
    for layer, urls in made.tiles.items():
        assert len(set(urls)) == 8
        for url in urls:
            assert f"/{layer}_w/wmts?" in url and f"LAYER={layer}&" in url and "TILEMATRIXSET=w&" in url
            assert "TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=k1" in url


def test_a_provincial_node_by_its_template():
    made = basemap({"PANHUO_BASEMAP_URL": "http://10.1.2.3:8080/map/{z}/{y}/{x}"})
    assert made.tiles == {"vec": ["http://10.1.2.3:8080/map/{z}/{y}/{x}"]}
    assert (made.hosts, made.attribution) == (("http://10.1.2.3:8080",), "10.1.2.3")


@pytest.mark.parametrize(
    "template", ["https://host/{z}/{x}", "host/{z}/{x}/{y}", "https://host/{z}/{x}/{y}?tk={key}"]
)
def test_a_template_that_cannot_work_is_refused_with_what_to_do(template):
    with pytest.raises(PanhuoError) as refused:
        basemap({"PANHUO_BASEMAP_URL": template})
    assert "PANHUO_BASEMAP_URL" in str(refused.value)
