#include "commands/pulse.h"

#include "common/json_object.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

namespace issuer::commands {

using observe::Severity;
using Poco::JSON::Array;
using Poco::JSON::Object;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most = 10; ///< issuers that a pulse names
constexpr std::array severities{Severity::dead, Severity::overdue, Severity::endangered, Severity::ending,
	Severity::starting, Severity::well, Severity::elsewhere};

bool isSeverity(std::string_view name)
{
	return std::ranges::any_of(severities, [&](Severity severity) { return severityName(severity) == name; });
}

} // namespace

std::string pulseText(const std::vector<observe::IssuerView>& issuers)
{
	std::map<Severity, std::size_t> counts;
	std::vector<std::pair<Severity, std::string>> bad;
	for (const auto& issuer : issuers) {
		const auto severity = severityOf(issuer);
		++counts[severity];
		if (severity < Severity::starting) {
			bad.emplace_back(severity, issuer.told.name);
		}
	}
	std::ranges::sort(bad);
	bad.resize(std::min(bad.size(), most));
	JsonObject count;
	for (const auto& [severity, number] : counts) {
		count.add(severityName(severity), number);
	}
	const auto worst = jsonArray(bad, [](const auto& issuer) {
		return JsonObject().add("name", issuer.second).add("severity", severityName(issuer.first)).text();
	});
	return JsonObject().addJson("severities", count.text()).addJson("worst", worst).text();
}

std::optional<observe::FleetStatus::Pulse> pulseFrom(const std::string& text)
try {
	constexpr std::size_t deepest = 4;
	Poco::JSON::Parser parser;
	parser.setDepth(deepest);
	const auto json = parser.parse(text).extract<Object::Ptr>();
	const Object::Ptr counts = json->getObject("severities");
	const Array::Ptr worst = json->getArray("worst");
	if (counts.isNull() || worst.isNull()) {
		return std::nullopt;
	}
	observe::FleetStatus::Pulse pulse;
	for (const auto& [name, count] : *counts) {
		if (isSeverity(name)) {
			pulse.severities[name] = count.convert<std::size_t>();
		}
	}
	for (unsigned i = 0; i < std::min(worst->size(), most); ++i) {
		const Object::Ptr issuer = worst->getObject(i);
		auto severity = issuer.isNull() ? std::string() : issuer->optValue<std::string>("severity", "");
		if (isSeverity(severity)) {
			pulse.worst.emplace_back(issuer->getValue<std::string>("name"), std::move(severity));
		}
	}
	return pulse;
}
catch (const Poco::Exception&) {
	return std::nullopt;
}

void addPulses(observe::FleetStatus& status, const fleet::Directory::Pulses& pulses, const std::string& own)
{
	for (auto& member : status.members) {
		const auto told = std::ranges::find(pulses, member.name, &fleet::Directory::Pulses::value_type::first);
		member.pulse = member.name == status.member ? pulseFrom(own)
					   : told != pulses.end()       ? pulseFrom(told->second)
													: std::nullopt;
	}
}

struct PulseReader::Shared
{
	std::mutex mutex; ///< guards all below
	std::condition_variable came;
	bool reading = false;
	std::optional<std::chrono::steady_clock::time_point> at; ///< time of the last answer
	fleet::Directory::Pulses pulses;
};

PulseReader::PulseReader(std::function<void(Take)> read) : _read(std::move(read)), _shared(std::make_shared<Shared>())
{
}

fleet::Directory::Pulses PulseReader::latest() const
{
	constexpr auto fresh = 2s;
	constexpr auto patience = 1s;
	std::unique_lock lock(_shared->mutex);
	if (_shared->at && std::chrono::steady_clock::now() - *_shared->at < fresh) {
		return _shared->pulses;
	}
	if (!std::exchange(_shared->reading, true)) {
		lock.unlock();
		_read([shared = _shared](fleet::Directory::Pulses pulses) {
			const std::lock_guard answering(shared->mutex);
			shared->reading = false;
			shared->at = std::chrono::steady_clock::now();
			shared->pulses = std::move(pulses);
			shared->came.notify_all();
		});
		lock.lock();
	}
	_shared->came.wait_for(lock, patience, [this] { return !_shared->reading; });
	return _shared->pulses;
}

} // namespace issuer::commands
