"""`antiphon webhooks` on a folder."""

from __future__ import annotations

from pathlib import Path

from antiphon import Workspace
from antiphon.cli.exit_codes import NOT_FOUND, OK
from antiphon.composition import build_engine
from antiphon.engine.webhooks import create_endpoint
from command_line import antiphon
from programs import BELL


def test_webhooks_are_listed_and_their_deliveries_replayed(tmp_path: Path) -> None:
    assert "No webhooks here" in antiphon(tmp_path, "webhooks").out
    engine = build_engine(tmp_path, workers=0, dispatch=False)
    endpoint = create_endpoint(engine.ctx, workspace="default", url="https://hooks.example/path-of-ours", by="ada")
    engine.close()
    with Workspace(tmp_path, dispatch=False) as ws:
        job = ws.target("sim.auto").submit(BELL, shots=5)
    [listed] = antiphon(tmp_path, "webhooks", "list", "--json").data
    assert (listed["id"], listed["enabled"]) == (endpoint.id, True)
    assert "hooks.example" in antiphon(tmp_path, "webhooks").out
    [delivery] = antiphon(tmp_path, "webhooks", "deliveries", endpoint.id[:10], "--json").data
    assert (delivery["type"], delivery["subject"], delivery["status"]) == ("job.succeeded", job.id, "pending")
    assert antiphon(tmp_path, "webhooks", "deliveries", "--status", "failed", "--json").data == []
    assert delivery["id"] in antiphon(tmp_path, "webhooks", "deliveries").out
    replayed = antiphon(tmp_path, "webhooks", "replay", delivery["id"], "--json")
    assert (replayed.code, replayed.data["id"], replayed.data["attempts"]) == (OK, delivery["id"], 0)
    assert antiphon(tmp_path, "webhooks", "replay", "msg_none").code == NOT_FOUND
    assert antiphon(tmp_path, "webhooks", "deliveries", "whk_none").code == NOT_FOUND
    actions = [line["action"] for line in antiphon(tmp_path, "audit", "--action", "webhook.", "--json").data]
    assert actions == ["webhook.replay", "webhook.create"]
