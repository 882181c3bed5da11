#include "fleet/runner/runner.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <variant>

/// Runner: what the operator sees of the fleet.
namespace issuer::fleet {

namespace {

std::string reasonName(Why why)
{
	switch (why) {
	case Why::first:
		return "first";
	case Why::late:
		return "late";
	case Why::untold:
		return "untold";
	case Why::withoutEngine:
		return "without_engine";
	}
	return {};
}

} // namespace

/// Remembers the members for status, which the plan does not show.
void Runner::note(const Fact& fact)
{
	const auto put = [this](const Member& member) {
		auto& known = _members[member.record.name];
		known.name = member.record.name;
		known.url = member.record.url;
		known.version = member.record.version;
		known.shards = member.record.kept.count();
	};
	if (const auto* listed = std::get_if<MembersListed>(&fact)) {
		_members.clear();
		std::for_each(listed->members.begin(), listed->members.end(), put);
	}
	else if (const auto* came = std::get_if<MemberPut>(&fact)) {
		put(came->member);
	}
	else if (const auto* gone = std::get_if<MemberGone>(&fact)) {
		_members.erase(gone->name);
	}
	else if (std::holds_alternative<Joined>(fact)) {
		_pulse.clear(); // it went with the old lease
		_pulsed = {};
	}
}

void Runner::sendPulse(Instant now)
{
	if (now - _pulsed < _settings.pulsePause) {
		return;
	}
	_pulsed = now;
	auto pulse = _settings.pulse();
	if (pulse != _pulse) {
		_directory->pulse(pulse);
		_pulse = std::move(pulse);
	}
}

observe::FleetStatus Runner::status() const
{
	const auto now = _settings.now();
	const std::lock_guard lock(_planMutex);
	const auto outlook = _plan->outlook(now);
	observe::FleetStatus status;
	status.fleet = _settings.fleet;
	status.member = outlook.member;
	status.joined = outlook.joined;
	status.settled = outlook.settled;
	status.engineUp = outlook.engineAnswers;
	status.writesRefused = outlook.writesRefused;
	if (outlook.lastAnswer) {
		status.secondsSinceAnswer =
			std::chrono::duration_cast<std::chrono::seconds>(now.boot - *outlook.lastAnswer).count();
	}
	for (const auto& [name, member] : _members) {
		status.members.push_back(member);
		if (const auto ahead = _plan->clockOf(name)) {
			status.members.back().clockAheadMs = ahead->count();
		}
	}
	for (Shard shard = 0; shard < shardCount; ++shard) {
		if (const auto rank = _plan->ring().rankOf(outlook.member, shard); rank && *rank <= 3) {
			++status.shardsByRank[static_cast<int>(*rank)];
		}
	}
	status.kept = outlook.kept;
	status.watchedOver = outlook.watchedOver;
	status.late = outlook.late;
	status.unkept = outlook.unkept;
	for (const auto& [why, count] : _begun) {
		status.takeovers[reasonName(why)] = count;
	}
	status.stateWrites = _stateWrites;
	return status;
}

std::string Runner::keeperOf(const std::string& issuer) const
{
	const std::lock_guard lock(_planMutex);
	return _plan->keeperOf(issuer);
}

void Runner::readPulses(std::function<void(Directory::Pulses)> take)
{
	_directory->readPulses(std::move(take));
}

} // namespace issuer::fleet
