#include "commands/fleet_engine.h"

#include "fleet/etcd/probe.h"

#include <utility>

namespace issuer::commands {

fleet::etcd::Settings engineOf(const FleetConfig& config)
{
	fleet::etcd::Settings settings;
	settings.fleet = config.name;
	settings.endpoints = config.etcd.endpoints;
	settings.caFile = config.etcd.caFile;
	settings.clientCert = config.etcd.clientCert;
	settings.clientKey = config.etcd.clientKey;
	settings.serverName = config.etcd.serverName;
	settings.user = config.etcd.user;
	settings.passwordFile = config.etcd.passwordFile;
	settings.takeover = config.takeover;
	return settings;
}

Diagnosis diagnoseFleet(const FleetConfig& config, std::chrono::milliseconds timeout)
{
	Diagnosis diagnosis{"fleet " + config.name, "etcd", {}};
	for (auto& finding : fleet::etcd::probe(engineOf(config), timeout)) {
		diagnosis.findings.push_back(
			{finding.level, std::move(finding.topic), std::move(finding.text), std::move(finding.advice)});
	}
	return diagnosis;
}

} // namespace issuer::commands
