#include "commands/control_requests.h"

#include "common/text.h"
#include "loader/installed.h"
#include "observe/events/names.h"
#include "observe/web/fleet_json.h"
#include "observe/web/issuers_json.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <limits>
#include <unistd.h>

namespace issuer::commands {

namespace {

using Poco::JSON::Object;
using registry::SwapReport;

std::string wrong(std::string_view why)
{
	return "{\"ok\":false,\"error\":" + jsonString(why) + '}';
}

std::string answerStatus(const registry::Registry& registry)
{
	std::string issuers;
	for (const observe::IssuerStatus& status : registry.snapshot()) {
		issuers += (issuers.empty() ? "" : ",") + observe::statusJson(status);
	}
	return "{\"ok\":true,\"pid\":" + std::to_string(::getpid()) + ",\"issuers\":[" + issuers + "]}";
}

std::string answerIssuers(const observe::HostSnapshot& snapshot, const observe::Fleet& fleet, const Object& request)
{
	std::map<std::string, std::string> query;
	for (const auto& [key, value] : request) {
		if (key != "do") {
			query[key] = value.toString();
		}
	}
	auto selection = observe::web::selectionFrom(query);
	if (!selection) {
		return wrong(selection.error().text);
	}
	if (!query.contains("limit")) {
		selection->limit = std::numeric_limits<std::size_t>::max();
	}
	std::string answer = observe::web::issuersJson(fleet, snapshot, *selection);
	return answer.replace(0, 1, "{\"ok\":true,");
}

std::string answerFleet(const HostActions& actions)
{
	const auto status = actions.fleet ? actions.fleet() : std::nullopt;
	if (!status) {
		return wrong("this host shares its issuers with no other: its configuration has no \"fleet\"");
	}
	const std::string authorities = status->caFile.empty() ? "" : "\"ca_file\":" + jsonString(status->caFile) + ',';
	return observe::web::fleetJson(status).replace(0, 1, "{\"ok\":true," + authorities);
}

std::string resultName(SwapReport::Result result)
{
	switch (result) {
	case SwapReport::Result::swapped:
		return "swapped";
	case SwapReport::Result::refused:
		return "refused";
	case SwapReport::Result::rolledBack:
		return "rolled_back";
	}
	return {};
}

std::string answerSwap(registry::Registry& registry, const HostActions& actions, const Object& request)
{
	const auto text = [&](const char* key) { return request.optValue<std::string>(key, ""); };
	loader::PluginFile plugin = loader::pluginNamed(text("plugin"), {});
	if (request.has("sha256")) {
		plugin.sha256 = text("sha256");
	}
	const bool canary = request.optValue("canary", false);
	const SwapReport report =
		registry.swap(text("issuer"), std::move(plugin), canary ? actions.canary : registry::Registry::Trial());
	const bool ok = report.result == SwapReport::Result::swapped;
	return std::string("{\"ok\":") + (ok ? "true" : "false") + ",\"result\":" + jsonString(resultName(report.result)) +
		   (ok ? ",\"text\":" : ",\"error\":") + jsonString(report.text) + '}';
}

std::string answerNudge(registry::Registry& registry, const Object& request, registry::Nudge nudge)
{
	const Result<void> told = registry.nudge(request.optValue<std::string>("issuer", ""), nudge);
	return told ? R"({"ok":true})" : wrong(told.error().text);
}

constexpr std::pair<ReloadMode, const char*> reloadModes[] = {
	{ReloadMode::begin, "begin"}, {ReloadMode::wait, "wait"}, {ReloadMode::dryRun, "dry_run"}};

std::string answerReload(const HostActions& actions, const Object& request)
{
	const std::string wanted = request.optValue<std::string>("mode", "begin");
	for (const auto& [mode, name] : reloadModes) {
		if (wanted == name) {
			return reloadAnswer(actions.reload(mode));
		}
	}
	return wrong("\"mode\" is begin, wait or dry_run");
}

std::string answerLogLevel(const HostActions& actions, const Object& request)
{
	const std::string wanted = request.optValue<std::string>("level", "");
	const std::optional<issuer_log_level> level = observe::levelNamed(wanted);
	if (!level || !actions.setLogLevel) {
		return wrong("the log level is debug, info, warn or error");
	}
	actions.setLogLevel(*level);
	return "{\"ok\":true,\"text\":" + jsonString("the log has lines of level " + wanted + " and above") + '}';
}

} // namespace

std::string answerControl(registry::Registry& registry, const observe::Fleet& fleet, const HostActions& actions,
	std::string_view line, control::Peer peer)
try {
	constexpr std::size_t deepest = 8;
	Poco::JSON::Parser parser;
	parser.setDepth(deepest);
	const auto request = parser.parse(std::string(line)).extract<Object::Ptr>();
	const std::string wanted = request->optValue<std::string>("do", "");
	if (wanted == "status") {
		return answerStatus(registry);
	}
	if (wanted == "issuers") {
		return answerIssuers(
			actions.snapshot ? actions.snapshot : [&] { return registry.snapshot(); }, fleet, *request);
	}
	if (wanted == "fleet") {
		return answerFleet(actions);
	}
	if (peer == control::Peer::reader) {
		return wrong("members of the host's control_group may ask for status, issuers and fleet alone");
	}
	if (wanted == "log_level") {
		return answerLogLevel(actions, *request);
	}
	if (wanted == "swap") {
		return answerSwap(registry, actions, *request);
	}
	if (wanted == "renew" || wanted == "reread") {
		return answerNudge(
			registry, *request, wanted == "renew" ? registry::Nudge::renewNow : registry::Nudge::credentialChanged);
	}
	if (wanted == "reload") {
		return answerReload(actions, *request);
	}
	return wrong("\"do\" is status, issuers, fleet, swap, renew, reread, reload or log_level");
}
catch (const Poco::Exception& error) {
	return wrong("a JSON object is wanted: " + sanitize(error.message()));
}
catch (const std::exception& error) {
	return wrong(error.what());
}

std::string issuersRequest(const std::optional<std::string>& issuer, std::optional<std::size_t> limit)
{
	const std::size_t most = std::min(limit.value_or(0), observe::web::largestLimit);
	return std::string("{\"do\":\"issuers\",\"happenings\":3") + (limit ? ",\"limit\":" + std::to_string(most) : "") +
		   (issuer ? ",\"name\":" + jsonString(*issuer) : "") + '}';
}

std::string issuersPageRequest(std::size_t offset)
{
	return R"({"do":"issuers","order":"name","limit":)" + std::to_string(observe::web::largestLimit) +
		   ",\"offset\":" + std::to_string(offset) + '}';
}

std::string fleetRequest()
{
	return R"({"do":"fleet"})";
}

std::string logLevelRequest(const std::string& level)
{
	return "{\"do\":\"log_level\",\"level\":" + jsonString(level) + '}';
}

std::string nudgeRequest(const std::string& issuer, registry::Nudge nudge)
{
	return std::string("{\"do\":\"") + (nudge == registry::Nudge::renewNow ? "renew" : "reread") +
		   "\",\"issuer\":" + jsonString(issuer) + '}';
}

std::string reloadRequest(ReloadMode mode)
{
	for (const auto& [known, name] : reloadModes) {
		if (known == mode) {
			return std::string("{\"do\":\"reload\",\"mode\":\"") + name + "\"}";
		}
	}
	return {};
}

std::string swapRequest(const std::string& issuer, const loader::PluginFile& plugin, bool canary)
{
	return "{\"do\":\"swap\",\"issuer\":" + jsonString(issuer) + ",\"plugin\":" + jsonString(plugin.wanted()) +
		   (plugin.sha256 ? ",\"sha256\":" + jsonString(*plugin.sha256) : "") + (canary ? ",\"canary\":true" : "") +
		   '}';
}

} // namespace issuer::commands
