import pytest

from antiphon.composition import load_drivers
from antiphon.domain.noise import NoiseModel
from antiphon.domain.programs import Profile
from antiphon.errors import NotFoundError
from antiphon.server.azure.declared import DECLARED
from antiphon.server.azure.targets import AzureTargets


@pytest.fixture(scope="module")
def targets() -> AzureTargets:
    return AzureTargets(load_drivers(), aliases=True)


def test_a_name_is_found_whatever_its_case(targets: AzureTargets) -> None:
    found = targets.find("IonQ.Simulator", "IonQ")
    assert (found.id, found.provider, found.engine_target, found.alias) == ("ionq.simulator", "ionq", "sim.auto", True)
    assert (found.num_qubits, found.profile, found.default_shots) == (29, Profile.BASE, 500)


def test_our_own_targets_keep_their_names(targets: AzureTargets) -> None:
    for name, driver in load_drivers().items():
        found = targets.find(name, "antiphon")
        assert (found.id, found.engine_target, found.alias, found.options) == (name, name, False, {})
        assert found.num_qubits == driver.info.limits.max_qubits


def test_an_unknown_name_is_answered_with_close_ones(targets: AzureTargets) -> None:
    with pytest.raises(NotFoundError, match=r"ionq\.simulator") as caught:
        targets.find("ionq.simulatr")
    assert caught.value.code == "target-unknown"
    with pytest.raises(NotFoundError, match="get_targets"):
        targets.find("#")


@pytest.mark.parametrize("name", ["pasqal.sim.emu-tn", "Pasqal.QPU.Fresnel"])
def test_a_provider_whose_programs_none_can_run_is_refused_by_its_cause(targets: AzureTargets, name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        targets.find(name, "pasqal")
    assert (caught.value.code, caught.value.details["target"]) == ("target-unknown", name)
    assert "Pulser" in caught.value.cause
    assert "sim.auto" in caught.value.next_step
    assert not any(each["id"] == "pasqal" for each in targets.provider_status({}))


def test_a_target_belongs_to_one_provider(targets: AzureTargets) -> None:
    with pytest.raises(NotFoundError, match="offered by 'ionq', not by 'rigetti'"):
        targets.find("ionq.simulator", "rigetti")


def test_aliases_can_be_left_out() -> None:
    own = AzureTargets(load_drivers(), aliases=False)
    assert [provider["id"] for provider in own.provider_status({})] == ["antiphon"]
    with pytest.raises(NotFoundError):
        own.find("ionq.simulator")


def test_every_alias_says_what_it_is(targets: AzureTargets) -> None:
    listed = {
        target["id"]: target
        for provider in targets.provider_status({})
        for target in provider["targets"]
        if provider["id"] != "antiphon"
    }
    assert set(listed) == set(DECLARED)
    for name, target in listed.items():
        metadata = target["metadata"]
        assert metadata["emulation"] is True
        assert metadata["emulatedBy"] == "sim.auto"
        assert f"nothing is sent to {name.partition('.')[0]}" in metadata["description"]
        assert (metadata["noise"] is not None) == name.endswith(("e", "noisy")), name


def test_noise_is_a_model_that_the_engine_takes(targets: AzureTargets) -> None:
    noisy = targets.find("quantinuum.sim.h2-1e")
    model = NoiseModel.from_json(noisy.options["noise"])
    assert 0 < model.depolarizing_1q < model.depolarizing_2q < 0.01
    # Programs that are no circuit take no readout errors, and must run on such a target too.
    assert model.readout_p01 == model.readout_p10 == 0
    assert targets.find("quantinuum.sim.h2-1sc").options == {}


def test_the_wires_status_objects(targets: AzureTargets) -> None:
    providers = targets.provider_status({"sim.auto": (3, 1)}, {"sim.auto": 2.1})
    assert [provider["id"] for provider in providers] == ["antiphon", "ionq", "quantinuum", "rigetti", "qci"]
    for provider in providers:
        assert provider["id"] == provider["id"].lower()
        assert provider["currentAvailability"] == "Available"
        for target in provider["targets"]:
            behind = "sim.auto" if provider["id"] != "antiphon" else target["id"]
            queue = (3, 1) if behind == "sim.auto" else (0, 0)
            assert (target["metadata"]["queueDepth"], target["metadata"]["running"]) == queue
            assert target["averageQueueTime"] == (3 if behind == "sim.auto" else 0)
            assert isinstance(target["averageQueueTime"], int)
            # Clients compile to what is listed: they write QIR for these profiles alone.
            assert target["targetProfile"] in {"Base", "Adaptive_RI", "Adaptive_RIF"}
            assert target["numQubits"] > 0
