from __future__ import annotations

import dataclasses

import pytest

from antiphon.errors import StoreError
from antiphon.ports.azure_store import AzureBlob, AzureItem, AzureQuery
from antiphon.ports.job_store import JobStore
from stored_facts import T0, add_job, add_session, claim


def _item(number: int = 1, **changes: object) -> AzureItem:
    item = AzureItem(
        workspace="default",
        kind="Job",
        id=f"{number:08x}-wire",
        subject=f"job-{number}",
        name=f"Bell {number}",
        provider="ionq",
        target="ionq.simulator",
        session=None,
        container=f"job-{number}-container",
        created_at=T0 + number,
        details={"inputParams": {"shots": 100, "items": [{"entryPoint": "é"}]}, "tags": []},
    )
    return dataclasses.replace(item, **changes)  # type: ignore[arg-type]


def _blob(name: str = "inputData", **changes: object) -> AzureBlob:
    blob = AzureBlob(
        container="job-1",
        name=name,
        digest="sha256:" + "a" * 64,
        size=2**40,
        content_type="application/qasm",
        content_encoding="gzip",
        etag='"0x8D"',
        created_at=T0,
        modified_at=T0 + 1,
    )
    return dataclasses.replace(blob, **changes)  # type: ignore[arg-type]


def test_the_id_of_an_item_is_taken_once_in_its_workspace_and_kind(store: JobStore) -> None:
    job = _item()
    session = _item(kind="Session", subject="ses-1", container=None)
    elsewhere = _item(workspace="other", subject="job-9")
    with store.write() as tx:
        assert [tx.add_azure_item(item) for item in (job, session, elsewhere, job)] == [True, True, True, False]
        assert tx.azure_item("default", "Job", job.id) == job
    with store.read() as tx:
        assert tx.azure_item("default", "Job", job.id) == job
        assert tx.azure_item("default", "Session", job.id) == session
        assert tx.azure_item("other", "Job", job.id) == elsewhere
        assert tx.azure_item("other", "Session", job.id) is None
        assert tx.azure_item_of("ses-1") == session
        assert tx.azure_item_of("job-unknown") is None


def test_of_an_item_only_name_subject_and_details_change(store: JobStore) -> None:
    job, other = _item(1), _item(1, workspace="other", subject="job-9")
    renamed = dataclasses.replace(job, name="GHZ", subject="job-7", details={"tags": ["x"]})
    with store.write() as tx:
        tx.add_azure_item(job)
        tx.add_azure_item(other)
        tx.save_azure_item(dataclasses.replace(renamed, target="other", container="other"))
    with store.read() as tx:
        assert tx.azure_item("default", "Job", job.id) == renamed
        assert tx.azure_item_of("job-7") == renamed
        assert tx.azure_item("other", "Job", job.id) == other
    with store.write() as tx:
        assert not tx.remove_azure_item("default", "Session", job.id)
        assert tx.remove_azure_item("default", "Job", job.id)
        assert not tx.remove_azure_item("default", "Job", job.id)
    with store.read() as tx:
        assert tx.azure_item("default", "Job", job.id) is None
        assert tx.azure_item("other", "Job", job.id) == other


def test_items_are_found_by_what_they_are(store: JobStore) -> None:
    waiting, running, session = add_job(store), claim(store, add_job(store)), add_session(store)
    first = _item(1, subject=waiting.id)
    second = _item(2, subject=running.id, provider="rigetti", target="rigetti.sim.qvm", session="s-1", name="bell 2")
    third = _item(3, subject=session.id, kind="Session", id="s-1", container=None, name="A%_session")
    everything = [first, second, third]
    with store.write() as tx:
        for item in (*everything, _item(4, workspace="other", subject=waiting.id)):
            tx.add_azure_item(item)
    cases = [
        (AzureQuery("default"), everything),
        (AzureQuery("default", descending=True), everything[::-1]),
        (AzureQuery("default", skip=1, limit=1), [second]),
        (AzureQuery("default", kinds=("Job",)), [first, second]),
        (AzureQuery("default", kinds=("Session",)), [third]),
        (AzureQuery("default", session="s-1"), [second]),
        (AzureQuery("default", outside_sessions=True), [first, third]),
        (AzureQuery("default", name_prefix="Bell"), [first]),
        (AzureQuery("default", name_prefix="A%_"), [third]),
        (AzureQuery("default", name_prefix="%"), []),
        (AzureQuery("default", providers=("rigetti", "ionq", "rigetti"), kinds=("Job",)), [first, second]),
        (AzureQuery("default", providers=("rigetti",)), [second]),
        (AzureQuery("default", targets=("rigetti.sim.qvm", "none")), [second]),
        (AzureQuery("default", statuses=("Waiting",)), [first, third]),
        (AzureQuery("default", statuses=("Waiting", "Executing")), everything),
        (AzureQuery("default", statuses=("Executing",), kinds=("Job",), providers=("rigetti",)), [second]),
        (AzureQuery("default", statuses=("Failed",)), []),
        (AzureQuery("default", created_from=T0 + 2), [second, third]),
        (AzureQuery("default", created_before=T0 + 2), [first]),
        (AzureQuery("default", order_by="name"), [third, first, second]),
        (AzureQuery("default", order_by="name", descending=True), [second, first, third]),
        (AzureQuery("default", order_by="kind"), everything),
        (AzureQuery("default", order_by="provider", descending=True), [second, third, first]),
        (AzureQuery("default", order_by="target", limit=2), [first, third]),
        (AzureQuery("default", order_by="status"), [second, first, third]),
        (AzureQuery("none"), []),
    ]
    with store.read() as tx:
        for query, expected in cases:
            assert tx.find_azure_items(query) == expected, query


def test_pages_of_items_follow_each_other_even_where_all_is_equal(store: JobStore) -> None:
    items = [_item(number // 2, kind=("Job", "Session")[number % 2], created_at=T0, name="x") for number in range(8)]
    with store.write() as tx:
        for item in reversed(items):
            tx.add_azure_item(item)
    with store.read() as tx:
        for order in ("created_at", "name", "provider"):
            pages = [
                tx.find_azure_items(AzureQuery("default", order_by=order, skip=skip, limit=3)) for skip in (0, 3, 6, 9)
            ]
            assert [item for page in pages for item in page] == items


def test_a_container_belongs_to_one_workspace(store: JobStore) -> None:
    with store.write() as tx:
        assert tx.add_container("job-1", "default", T0)
        assert not tx.add_container("job-1", "other", T0 + 1)
    with store.read() as tx:
        assert tx.container_workspace("job-1") == "default"
        assert tx.container_workspace("job-2") is None


def test_what_was_ever_stored_in_a_container_is_counted(store: JobStore) -> None:
    with store.write() as tx:
        tx.add_container("job-1", "default", T0)
        tx.add_container("job-2", "default", T0)
        assert tx.count_written("job-1", 2**40)
        assert tx.count_written("job-1", 5)
        assert not tx.count_written("job-3", 5)
        assert [tx.container_written(name) for name in ("job-1", "job-2", "job-3")] == [2**40 + 5, 0, None]
        tx.add_container("job-4", "default", T0)
        tx.add_container("job-5", "other", T0)
        assert tx.count_written("job-4", 7)
        assert tx.count_written("job-5", 9)
        assert [tx.workspace_written(name) for name in ("default", "other", "third")] == [2**40 + 12, 9, 0]


def test_blobs_are_replaced_only_where_that_is_asked(store: JobStore) -> None:
    first, again = _blob(), _blob(digest="sha256:b", size=0, content_type="", content_encoding="", etag='"2"')
    output, elsewhere = _blob("Output"), _blob(container="job-2")
    with store.write() as tx:
        assert tx.put_azure_blob(first, overwrite=False)
        assert not tx.put_azure_blob(again, overwrite=False)
        assert tx.azure_blob("job-1", "inputData") == first
        assert tx.put_azure_blob(again, overwrite=True)
        assert tx.put_azure_blob(output, overwrite=True)
        assert tx.put_azure_blob(elsewhere, overwrite=False)
    with store.read() as tx:
        assert tx.azure_blob("job-1", "inputData") == again
        assert tx.azure_blobs("job-1") == [output, again]
        assert tx.azure_blob("job-2", "Output") is None
        assert tx.azure_blobs("none") == []


def test_blocks_are_staged_until_the_blob_is_put_together(store: JobStore) -> None:
    with store.write() as tx:
        tx.put_azure_block("job-1", "inputData", "MDE=", "sha256:1", 2**40)
        tx.put_azure_block("job-1", "inputData", "MDA=", "sha256:0", 5)
        tx.put_azure_block("job-1", "inputData", "MDE=", "sha256:2", 6)
        tx.put_azure_block("job-1", "other", "MDA=", "sha256:3", 7)
    with store.read() as tx:
        assert tx.azure_blocks("job-1", "inputData") == {"MDA=": ("sha256:0", 5), "MDE=": ("sha256:2", 6)}
    with store.write() as tx:
        tx.clear_azure_blocks("job-1", "inputData")
        assert tx.azure_blocks("job-1", "inputData") == {}
        assert tx.azure_blocks("job-1", "other") == {"MDA=": ("sha256:3", 7)}


def test_containers_whose_job_never_came_are_found_and_forgotten(store: JobStore) -> None:
    with store.write() as tx:
        for number, name in enumerate(("job-named", "job-older", "job-newer", "job-newest")):
            tx.add_container(name, "default", T0 + number)
        tx.add_azure_item(_item(container="job-named"))
        tx.add_azure_item(_item(2, container=None))
        tx.put_azure_blob(_blob(container="job-older", digest="sha256:1"), overwrite=True)
        tx.put_azure_blob(_blob("Output", container="job-older", digest="sha256:1"), overwrite=True)
        tx.put_azure_block("job-older", "more", "MDA=", "sha256:2", 1)
        tx.put_azure_blob(_blob(container="job-newer", digest="sha256:3"), overwrite=True)
    with store.read() as tx:
        assert tx.empty_containers(T0 + 3, 10) == ["job-older", "job-newer"]
        assert tx.empty_containers(T0 + 3, 1) == ["job-older"]
    with store.write() as tx:
        assert sorted(tx.remove_container("job-older")) == ["sha256:1", "sha256:2"]
        assert tx.remove_container("job-older") == []
    with store.read() as tx:
        assert tx.empty_containers(T0 + 99, 10) == ["job-newer", "job-newest"]
        assert tx.container_workspace("job-older") is None
        assert tx.azure_blobs("job-older") == []
        assert tx.azure_blocks("job-older", "more") == {}
        assert len(tx.azure_blobs("job-newer")) == 1
    with pytest.raises(StoreError), store.read() as tx:
        tx.remove_container("job-newer")
    with store.read() as tx:
        assert len(tx.azure_blobs("job-newer")) == 1
