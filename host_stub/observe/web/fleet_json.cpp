#include "observe/web/fleet_json.h"

#include "common/json_object.h"
#include "observe/fleet/issuer_view.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

namespace issuer::observe::web {

namespace {

std::string countsJson(const std::optional<FleetStatus::Pulse>& pulse)
{
	if (!pulse) {
		return "null";
	}
	JsonObject json;
	for (const auto& [severity, count] : pulse->severities) {
		json.add(severity, count);
	}
	return json.text();
}

std::string memberJson(const FleetStatus::Member& member)
{
	return JsonObject()
		.add("name", member.name)
		.add("url", member.url)
		.add("version", member.version)
		.add("shards", member.shards)
		.add("clock_ahead_ms", member.clockAheadMs)
		.addJson("severities", countsJson(member.pulse))
		.text();
}

std::size_t placeOf(const std::string& severity)
{
	constexpr std::array worstFirst{Severity::dead, Severity::overdue, Severity::endangered, Severity::ending};
	const auto named = [&](Severity one) { return severityName(one) == severity; };
	return static_cast<std::size_t>(std::ranges::find_if(worstFirst, named) - worstFirst.begin());
}

/// Returns the worst issuers of all members.
std::string worstJson(const std::vector<FleetStatus::Member>& members)
{
	constexpr std::size_t most = 10;
	std::vector<std::tuple<std::size_t, std::string, std::string, std::string>> worst; // place, name, severity, member
	for (const auto& member : members) {
		if (member.pulse) {
			for (const auto& [name, severity] : member.pulse->worst) {
				worst.emplace_back(placeOf(severity), name, severity, member.name);
			}
		}
	}
	std::ranges::sort(worst);
	worst.resize(std::min(worst.size(), most));
	return jsonArray(worst, [](const auto& one) {
		return JsonObject()
			.add("name", std::get<1>(one))
			.add("severity", std::get<2>(one))
			.add("kept_by", std::get<3>(one))
			.text();
	});
}

} // namespace

std::string fleetJson(const std::optional<FleetStatus>& status)
{
	if (!status) {
		return R"({"fleet":null})";
	}
	const auto fleet = JsonObject()
						   .add("name", status->fleet)
						   .add("member", status->member)
						   .add("joined", status->joined)
						   .addJson("engine", JsonObject()
												  .add("up", status->engineUp)
												  .add("writes_refused", status->writesRefused)
												  .add("seconds_since_answer", status->secondsSinceAnswer)
												  .text())
						   .addJson("members", jsonArray(status->members, memberJson))
						   .addJson("worst", worstJson(status->members))
						   .add("kept", status->kept)
						   .add("watched_over", status->watchedOver)
						   .add("late", status->late)
						   .addJson("unkept", jsonArray(status->unkept, jsonString))
						   .text();
	return JsonObject().addJson("fleet", fleet).text();
}

} // namespace issuer::observe::web
