from __future__ import annotations

from antiphon.ports.access_store import AuditQuery
from azure_wire import AzureWire
from served import Served


def actions(server: Served, workspace: str) -> list[tuple[str, str]]:
    with server.ctx.store.read() as tx:
        found = tx.audit(AuditQuery(workspace, who="ada"))
    assert all(line.where == "127.0.0.1" and line.via.startswith("key:") for line in found)
    return [(line.action, line.outcome) for line in reversed(found)]


def test_what_azure_clients_do_is_in_the_audit_log(waiting: AzureWire, queue_only: Served) -> None:
    session = waiting.open_session()["id"]
    job = waiting.submit(sessionId=session).json()["id"]
    assert waiting.call("POST", f"/jobs/{job}:cancel").status_code == 200
    waiting.close_session(session)
    other = waiting.submit().json()["id"]
    assert waiting.call("DELETE", f"/jobs/{other}").status_code == 204
    assert [action for action, _ in actions(queue_only, waiting.workspace)] == [
        "session.open",
        "job.submit",
        "job.cancel",
        "session.close",
        "job.submit",
        "job.cancel",
        "job.delete",
    ]


def test_a_refused_program_is_there_with_its_code(wire: AzureWire, server: Served) -> None:
    job = wire.submit(source=b"this is no program").json()["id"]
    assert wire.job(job)["status"] == "Failed"
    [(action, outcome)] = actions(server, wire.workspace)
    assert action == "job.submit"
    assert outcome == wire.job(job)["errorData"]["code"]
