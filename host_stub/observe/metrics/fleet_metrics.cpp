#include "observe/metrics/fleet_metrics.h"

#include <string>
#include <string_view>

namespace issuer::observe {

void writeFleetMetrics(Exposition& out, const FleetStatus& fleet)
{
	const auto one = [&](std::string_view type, std::string_view name, std::string_view help, double value) {
		out.family(type, name, help);
		out.sample({}, value);
	};
	one("gauge", "issuer_fleet_members", "Members of the fleet as this host sees them, itself among them.",
		static_cast<double>(fleet.members.size()));
	out.family("gauge", "issuer_fleet_shards", "Shards of 4096 of which this host is first, second or third.");
	for (const auto& [rank, shards] : fleet.shardsByRank) {
		out.sample({{"rank", std::to_string(rank)}}, static_cast<double>(shards));
	}
	one("gauge", "issuer_fleet_engine_up", "1 while the fleet's engine answers and takes writes.",
		fleet.engineUp && !fleet.writesRefused ? 1 : 0);
	if (fleet.secondsSinceAnswer) {
		one("gauge", "issuer_fleet_engine_seconds_since_answer", "Time since the fleet's engine last answered.",
			static_cast<double>(*fleet.secondsSinceAnswer));
	}
	out.family("counter", "issuer_fleet_takeovers_total", "Issuers begun here, by the reason.");
	for (const std::string reason : {"first", "late", "untold", "without_engine"}) {
		const auto count = fleet.takeovers.find(reason);
		out.sample({{"why", reason}}, count == fleet.takeovers.end() ? 0 : static_cast<double>(count->second));
	}
	one("gauge", "issuer_fleet_watched_over", "Issuers kept here because another member does not renew them.",
		static_cast<double>(fleet.watchedOver));
	one("gauge", "issuer_fleet_late", "Issuers of others whose renewal was overdue at the last look.",
		static_cast<double>(fleet.late));
	one("gauge", "issuer_fleet_unkept", "Issuers of which no member tells, as far as they are counted: ten at most.",
		static_cast<double>(fleet.unkept.size()));
	one("counter", "issuer_fleet_state_writes_total", "States of issuers written for successors.",
		static_cast<double>(fleet.stateWrites));
	out.family(
		"gauge", "issuer_fleet_clock_difference_seconds", "Time by which a member's clock is ahead of this host's.");
	for (const auto& member : fleet.members) {
		if (member.clockAheadMs && member.name != fleet.member) {
			out.sample({{"member", member.name}}, static_cast<double>(*member.clockAheadMs) / 1000);
		}
	}
}

} // namespace issuer::observe
