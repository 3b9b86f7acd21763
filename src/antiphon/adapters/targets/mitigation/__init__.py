"""Mitigation of errors and allocation of shots, around the driver of any target that runs circuits."""

from __future__ import annotations

from antiphon.ports.provider import Provider, TargetPlugin
from antiphon.ports.target_driver import TargetDriver


def mitigating(driver: TargetDriver) -> TargetDriver:
    """The driver with the options "mitigation" and "allocation"; what does not use them goes through as it is."""
    from antiphon.adapters.targets.mitigation.driver import (
        MitigatingDevice,
        MitigatingDriver,
        MitigatingEmulator,
        MitigatingScheduledDevice,
    )
    from antiphon.ports.device_driver import DeviceDriver, ScheduledDevice

    if isinstance(driver, ScheduledDevice):
        return MitigatingScheduledDevice(driver)
    if isinstance(driver, DeviceDriver) and hasattr(driver, "plan_under"):
        return MitigatingEmulator(driver)
    return MitigatingDevice(driver) if isinstance(driver, DeviceDriver) else MitigatingDriver(driver)


def mitigating_elsewhere(plugin: TargetPlugin) -> TargetPlugin:
    """Targets that run elsewhere with the option "mitigation", each where its circuits run as they are sent."""
    if not plugin.drivers:
        return plugin
    from antiphon.adapters.targets.mitigation.elsewhere import sent

    drivers: dict[str, TargetDriver] = dict(plugin.drivers)
    providers: dict[str, Provider] = dict(plugin.providers)
    for name in plugin.providers:
        drivers[name], providers[name] = sent(plugin.drivers[name], plugin.providers[name])
    return TargetPlugin(drivers, providers)
