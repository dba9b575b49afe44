"""`awesome daily` where shares join the universe and leave it."""

from __future__ import annotations

from pathlib import Path

from lived import SHANGHAI, SHARES, START, World, evening, predictions, write_run

from components.feature_store import FeatureStore, Spell

LEDGER = Path("prices.db.ledger")
FIRST, SECOND, THIRD, FOURTH = SHANGHAI[START : START + 4]


def test_a_share_is_predicted_on_the_days_on_which_it_belongs_to_the_universe(world: World) -> None:
    write_run(world.plan())
    world.loop(evening(FIRST))
    gone, leaves, joins, *rest = sorted(SHARES)
    spells = [Spell(leaves, SHANGHAI[0], SECOND), Spell(joins, THIRD), *(Spell(share, SHANGHAI[0]) for share in rest)]
    with FeatureStore.create("prices.db") as store:
        store.listings.put_members(spells)
    for session in (SECOND, THIRD, FOURTH):
        report = world.loop(evening(session))

        assert report.exit_code == 0
        wanted = {*rest, *([leaves] if session <= SECOND else []), *([joins] if session >= THIRD else [])}
        assert {share for share, day, _ in predictions(LEDGER) if day == str(session)} == wanted
        assert report.part("ledger").numbers["on_time"] == len(wanted)
        assert report.part("predict").numbers["missing"] == 0
    assert {share for share, day, _ in predictions(LEDGER) if day == str(FIRST)} == {gone, leaves, joins, *rest}
