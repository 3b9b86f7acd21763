from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from azure_wire import BELL, AzureWire
from real_postgres import RealPostgres
from served import served


def test_the_data_plane_on_postgresql(tmp_path: Path, postgres_server: RealPostgres) -> None:
    """Two servers on one database, one folder of blobs and one secret are one service."""
    url = postgres_server.database()
    with (
        served(tmp_path, database=url, azure=True, inline_seconds=0.1) as one,
        served(tmp_path, database=url, azure=True, inline_seconds=0.1) as two,
        one.client(workspace="pg") as first,
        two.client(workspace="pg") as second,
        AzureWire(first, "pg") as here,
        AzureWire(second, "pg") as there,
    ):
        session = here.open_session()
        body = here.job_body(here.upload("both", BELL), sessionId=session["id"])
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: (here, there)[n % 2].call("PUT", "/jobs/both", body), range(16)))
        assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
        job = there.ended("both")
        assert job["status"] == "Succeeded"
        assert there.blobs.get(job["outputDataUri"]).json()["c"]
        # A URL that one has signed opens the other.
        elsewhere = job["inputDataUri"].replace(two.url, one.url)
        assert elsewhere != job["inputDataUri"]
        assert here.blobs.get(elsewhere).content == BELL
        assert there.close_session(session["id"])["status"] == "Succeeded"
        assert here.names("/topLevelItems") == [session["name"]]
        assert here.names(f"/sessions/{session['id']}/jobs", orderby="State desc", filter="(State eq 'Succeeded')") == [
            "bell"
        ]
        assert here.call("DELETE", "/jobs/both").status_code == 204
        assert there.names("/jobs") == []
