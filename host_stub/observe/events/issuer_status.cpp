#include "observe/events/issuer_status.h"

#include "common/text.h"
#include "observe/events/names.h"

namespace issuer::observe {

namespace {

std::string number(std::optional<std::int64_t> value)
{
	return value ? std::to_string(*value) : "null";
}

std::string healthJson(const std::optional<issuer_health>& health)
{
	if (!health) {
		return "null";
	}
	return "{\"state\":" + jsonString(stateName(health->state)) +
		   ",\"reason\":" + jsonString(reasonName(health->reason)) +
		   ",\"consecutive_failures\":" + std::to_string(health->consecutive_failures) +
		   ",\"expires_unix_ms\":" + std::to_string(health->expires_unix_ms) +
		   ",\"next_unix_ms\":" + std::to_string(health->next_unix_ms) +
		   ",\"last_success_unix_ms\":" + std::to_string(health->last_success_unix_ms) +
		   ",\"last_attempt_unix_ms\":" + std::to_string(health->last_attempt_unix_ms) +
		   ",\"success\":" + std::to_string(health->success) + ",\"failure\":" + std::to_string(health->failure) +
		   ",\"not_renewable\":" + std::to_string(health->not_renewable) +
		   ",\"last_latency_us\":" + std::to_string(health->last_latency_us) +
		   ",\"lease_ms\":" + std::to_string(health->lease_ms) +
		   ",\"capped_at_unix_ms\":" + std::to_string(health->capped_at_unix_ms) +
		   ",\"login_success\":" + std::to_string(health->login_success) +
		   ",\"login_failure\":" + std::to_string(health->login_failure) +
		   ",\"next_login_unix_ms\":" + std::to_string(health->next_login_unix_ms) +
		   ",\"login_ends_unix_ms\":" + std::to_string(health->login_ends_unix_ms) +
		   ",\"login_uses_left\":" + std::to_string(health->login_uses_left) + '}';
}

} // namespace

std::string statusJson(const IssuerStatus& status)
{
	return "{\"name\":" + jsonString(status.name) + ",\"phase\":" + jsonString(phaseName(status.phase)) +
		   ",\"problem\":" + jsonString(status.problem) + ",\"failed_starts\":" + std::to_string(status.failedStarts) +
		   ",\"next_start_unix_ms\":" + number(status.nextStartUnixMs) +
		   ",\"plugin\":{\"id\":" + jsonString(status.pluginId) + ",\"name\":" + jsonString(status.pluginName) +
		   ",\"version\":" + jsonString(status.pluginVersion) + ",\"path\":" + jsonString(status.pluginPath) +
		   ",\"wanted\":" + jsonString(status.pluginWanted) + ",\"sha256\":" + jsonString(status.pluginSha256) +
		   "},\"health\":" + healthJson(status.health) + '}';
}

} // namespace issuer::observe
