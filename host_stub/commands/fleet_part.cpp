#include "commands/fleet_part.h"

#include "commands/fleet_engine.h"
#include "fleet/etcd/directory.h"
#include "observe/fleet/issuer_view.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

namespace issuer::commands {

using observe::Action;

namespace {

/// Stands in for an engine whose settings cannot be used: it is away for ever, as the rules know it.
class NoEngine final : public fleet::Directory
{
public:
	NoEngine(std::string why, fleet::Listener listener) : _why(std::move(why)), _listener(std::move(listener)) {}

	void join(Self, const fleet::ListDigests&) override { _listener(fleet::Away{_why}); }
	void setRecord(const fleet::ShardSet&, const fleet::ListDigests&) override {}
	void write(std::vector<fleet::State>) override {}
	void remove(std::vector<fleet::StateName>) override {}
	void read(std::vector<fleet::Shard> shards) override { _listener(fleet::ReadFailed{std::move(shards)}); }
	void pulse(std::string) override {}
	void readPulses(std::function<void(Pulses)> take) override { take({}); }
	void leave(std::chrono::milliseconds) override {}

private:
	const std::string _why;
	const fleet::Listener _listener;
};

std::string randomRun()
{
	std::random_device random;
	constexpr std::string_view digits = "0123456789abcdef";
	std::string run;
	for (int i = 0; i < 16; ++i) {
		run += digits[random() % digits.size()];
	}
	return run;
}

/// Returns the file for the ring last seen, in the folder for a service's state; empty: there is no such folder.
std::filesystem::path ringFile(const FleetConfig& config)
{
	const auto variable = [](const char* name) {
		const char* const value = std::getenv(name);
		return std::string(value == nullptr ? "" : value);
	};
	std::filesystem::path folder;
	if (const auto state = variable("STATE_DIRECTORY"); !state.empty()) {
		folder = state.substr(0, state.find(':'));
	}
	else if (const auto home = variable("XDG_STATE_HOME"); !home.empty()) {
		folder = std::filesystem::path(home) / "issuer-host";
	}
	else if (const auto user = variable("HOME"); !user.empty()) {
		folder = std::filesystem::path(user) / ".local/state/issuer-host";
	}
	std::error_code error;
	std::filesystem::create_directories(folder, error);
	return folder.empty() || error ? std::filesystem::path() : folder / ("ring-" + config.name + '-' + config.member);
}

/// Returns the leases of the issuers that this host renews. The last lease before an end that no renewal can move is
/// short in any case, and not among them.
std::vector<ShortLeases::Lease> leasesOf(const std::vector<observe::IssuerView>& issuers)
{
	std::vector<ShortLeases::Lease> leases;
	for (const auto& issuer : issuers) {
		const auto lease = issuer.lease();
		if (lease && issuer.host.phase == observe::Phase::running && issuer.told.state == ISSUER_STATE_ACTIVE) {
			leases.emplace_back(issuer.told.name, *lease);
		}
	}
	return leases;
}

} // namespace

FleetPart::FleetPart(const std::optional<FleetConfig>& config, std::shared_ptr<observe::EventSink> sink)
	: _config(config), _sink(std::move(sink)), _relay(config ? std::make_shared<fleet::Relay>(_sink) : nullptr)
{
}

std::shared_ptr<observe::EventSink> FleetPart::sink() const
{
	return _relay ? std::shared_ptr<observe::EventSink>(_relay) : _sink;
}

void FleetPart::lastState(const std::string& issuer, const std::string& plugin, std::string text)
{
	if (_runner) {
		_runner->lastState(issuer, plugin, std::move(text));
	}
}

void FleetPart::prepare(registry::Registry& registry, const observe::Fleet& fleet, observe::HostSnapshot snapshot)
{
	if (!_config) {
		return;
	}
	fleet::Runner::Settings settings;
	settings.fleet = _config->name;
	settings.plan.member = _config->member;
	settings.plan.run = randomRun();
	settings.plan.takeover = _config->takeover;
	settings.url = _config->url;
	settings.version = ISSUER_VERSION;
	settings.ringFile = ringFile(*_config);
	_issuers = [&fleet, snapshot = std::move(snapshot)] { return viewAll(fleet, snapshot); };
	settings.pulse = [this] {
		const auto issuers = _issuers();
		for (auto& line : _shortLeases->found(leasesOf(issuers))) {
			_sink->notice({Action::fleet, ISSUER_LOG_WARN, {}, std::move(line)});
		}
		return pulseText(issuers);
	};
	_shortLeases = std::make_unique<ShortLeases>(_config->takeover);
	const auto open = [this](fleet::Listener listener) -> std::unique_ptr<fleet::Directory> {
		auto engine = fleet::etcd::EtcdDirectory::create(engineOf(*_config), listener);
		if (!engine) {
			_sink->notice({Action::fleet, ISSUER_LOG_ERROR, {}, "etcd cannot be used: " + engine.error().text});
			return std::make_unique<NoEngine>(engine.error().text, std::move(listener));
		}
		return std::move(*engine);
	};
	if (settings.ringFile.empty()) {
		_sink->notice({Action::fleet, ISSUER_LOG_WARN, {},
			"no folder for state: name one in $STATE_DIRECTORY, or a start while etcd is away will not know the "
			"fleet"});
	}
	_runner = std::make_unique<fleet::Runner>(std::move(settings), registry, _sink, open);
	_pulses = std::make_unique<PulseReader>([this](PulseReader::Take take) { _runner->readPulses(std::move(take)); });
	_relay->follow(_runner.get());
}

void FleetPart::join()
{
	if (_runner) {
		_runner->begin();
	}
}

void FleetPart::reloaded()
{
	if (_runner) {
		_runner->configure();
	}
}

void FleetPart::close()
{
	if (_runner) {
		_runner->close();
	}
}

void FleetPart::leave()
{
	if (_runner) {
		_runner->leave(patience());
	}
}

std::chrono::milliseconds FleetPart::patience() const
{
	return std::chrono::milliseconds(_config ? 2000 : 0);
}

void FleetPart::nameKeepers(std::vector<observe::IssuerStatus>& issuers) const
{
	for (auto& issuer : issuers) {
		if (_runner && issuer.phase == observe::Phase::elsewhere) {
			issuer.keptBy = _runner->keeperOf(issuer.name);
		}
	}
}

std::optional<observe::FleetStatus> FleetPart::status() const
{
	return _runner ? std::optional(_runner->status()) : std::nullopt;
}

std::optional<observe::FleetStatus> FleetPart::statusOfAll() const
{
	auto all = status();
	if (all) {
		all->caFile = _config->caFile.string();
		addPulses(*all, all->engineUp ? _pulses->latest() : fleet::Directory::Pulses(), pulseText(_issuers()));
	}
	return all;
}

} // namespace issuer::commands
