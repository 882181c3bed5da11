#include "observe/web/issuers_json.h"

#include "common/json_object.h"
#include "observe/events/names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace issuer::observe::web {

namespace {

constexpr std::array severities{Severity::dead, Severity::overdue, Severity::endangered, Severity::ending,
	Severity::starting, Severity::well, Severity::elsewhere};

std::optional<std::int64_t> unixMs(const std::optional<UnixTime>& time)
{
	return time ? std::optional<std::int64_t>(time->time_since_epoch().count()) : std::nullopt;
}

std::optional<std::int64_t> milliseconds(const std::optional<std::chrono::milliseconds>& duration)
{
	return duration ? std::optional<std::int64_t>(duration->count()) : std::nullopt;
}

std::string happeningJson(const Happening& what)
{
	JsonObject json;
	json.add("by", what.action ? "host" : "plugin");
	json.add("what", what.action ? actionName(*what.action) : kindName(what.kind));
	if (!what.action) {
		json.add("result", resultName(what.result));
		json.add("state", stateName(what.state));
		json.add("reason", reasonName(what.reason));
	}
	return json.add("level", levelName(what.level))
		.add("times", what.times)
		.add("first_unix_ms", unixMs(what.first))
		.add("last_unix_ms", unixMs(what.last))
		.add("text", what.text)
		.text();
}

/// Returns what is known of its logins; «null» for one that never logs in.
std::string loginJson(const IssuerView& issuer)
{
	const LoginRecord& told = issuer.told.logins;
	const auto next = issuer.nextLogin();
	const auto ends = issuer.loginEnds();
	const auto uses = issuer.loginUsesLeft();
	if (told.ended.empty() && !next && !ends && !uses) {
		return "null";
	}
	return JsonObject()
		.add("outlook", loginOutlookName(issuer.loginOutlook()))
		.add("next_unix_ms", unixMs(next))
		.add("ends_unix_ms", unixMs(ends))
		.add("failing_since_unix_ms", unixMs(told.failingSince))
		.add("uses_left", uses ? std::optional(static_cast<std::int64_t>(*uses)) : std::nullopt)
		.text();
}

std::string issuerJson(const IssuerView& issuer, UnixTime now, const std::vector<Happening>& happenings)
{
	const IssuerRecord& told = issuer.told;
	const IssuerStatus& host = issuer.host;
	return JsonObject()
		.add("name", told.name)
		.add("severity", severityName(severityOf(issuer)))
		.add("state", stateName(told.state))
		.add("reason", reasonName(told.reason))
		.add("text", told.text)
		.add("since_unix_ms", unixMs(told.since))
		.add("ttl_ms", milliseconds(issuer.remaining(now)))
		.add("lease_ms", milliseconds(issuer.lease()))
		.add("expires_unix_ms", unixMs(told.expires))
		.add("death_unix_ms", unixMs(issuer.death()))
		.add("next_unix_ms", unixMs(issuer.next()))
		.add("overdue_ms", static_cast<std::int64_t>(issuer.overdue.count()))
		.add("last_success_unix_ms", unixMs(told.lastSuccess))
		.add("last_latency_us", static_cast<std::int64_t>(told.lastLatency.count()))
		.add("consecutive_failures", told.consecutiveFailures)
		.addJson("renewals", JsonObject()
								 .add("success", told.successes)
								 .add("failure", told.failures)
								 .add("not_renewable", told.notRenewables)
								 .text())
		.addJson("login", loginJson(issuer))
		.add("phase", phaseName(host.phase))
		.add("kept_by", host.keptBy)
		.add("problem", host.problem)
		.addJson("plugin", JsonObject()
							   .add("id", host.pluginId)
							   .add("name", host.pluginName)
							   .add("version", host.pluginVersion)
							   .add("path", host.pluginPath)
							   .add("wanted", host.pluginWanted)
							   .text())
		.addJson("happenings", jsonArray(happenings, happeningJson))
		.text();
}

bool containsInAnyCase(std::string_view text, std::string_view part)
{
	const auto lower = [](char letter) {
		return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
	};
	const auto same = [&](char a, char b) { return lower(a) == lower(b); };
	return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

bool isWanted(const IssuerView& issuer, const Selection& selection)
{
	return (selection.name.empty() || issuer.told.name == selection.name) &&
		   (!selection.severity || severityOf(issuer) == *selection.severity) &&
		   !(selection.here && severityOf(issuer) == Severity::elsewhere) &&
		   containsInAnyCase(issuer.told.name, selection.search);
}

/// Returns the selected issuers in the selected order; pointers, because at 10,000 issuers moving them is the main
/// cost.
std::vector<const IssuerView*> select(const std::vector<IssuerView>& issuers, const Selection& selection)
{
	std::vector<const IssuerView*> wanted;
	for (const IssuerView& issuer : issuers) {
		if (isWanted(issuer, selection)) {
			wanted.push_back(&issuer);
		}
	}
	const auto end = [](const IssuerView* issuer) { return issuer->told.expires.value_or(UnixTime::max()); };
	switch (selection.order) {
	case Selection::Order::name: // they are in this order already
		break;
	case Selection::Order::expiry:
		std::ranges::stable_sort(wanted, {}, end);
		break;
	case Selection::Order::urgency:
		std::ranges::stable_sort(
			wanted, {}, [&](const IssuerView* issuer) { return std::pair(severityOf(*issuer), end(issuer)); });
		break;
	}
	return wanted;
}

std::string countsJson(const std::vector<IssuerView>& issuers)
{
	std::array<std::size_t, severities.size()> counts{};
	for (const IssuerView& issuer : issuers) {
		++counts[static_cast<std::size_t>(severityOf(issuer))];
	}
	JsonObject json;
	for (const Severity severity : severities) {
		const auto count = counts[static_cast<std::size_t>(severity)];
		if (severity != Severity::elsewhere || count > 0) { // in a fleet only
			json.add(severityName(severity), count);
		}
	}
	return json.text();
}

/// Calls `read` with the value of `key`, if there is one. Returns false if the value is invalid.
template <class Read>
bool given(const std::map<std::string, std::string>& query, const std::string& key, const Read& read)
{
	const auto found = query.find(key);
	return found == query.end() || read(found->second);
}

bool readNumber(const std::string& text, std::size_t& number, std::size_t largest)
{
	const char* const end = text.data() + text.size();
	const auto [stop, error] = std::from_chars(text.data(), end, number);
	return error == std::errc() && stop == end && number <= largest;
}

bool readSeverity(const std::string& text, Selection& selection)
{
	const auto found = std::ranges::find(severities, text, severityName);
	selection.severity = found == severities.end() ? std::nullopt : std::optional(*found);
	selection.here = text == "here";
	return selection.severity || selection.here;
}

bool readOrder(const std::string& text, Selection::Order& order)
{
	using Order = Selection::Order;
	order = text == "name" ? Order::name : text == "expiry" ? Order::expiry : Order::urgency;
	return text == "name" || text == "expiry" || text == "urgency";
}

} // namespace

Result<Selection> selectionFrom(const std::map<std::string, std::string>& query)
{
	constexpr std::size_t anything = 1'000'000'000;
	Selection selection;
	const auto keep = [](std::string& field) {
		return [&field](const std::string& text) {
			field = text;
			return true;
		};
	};
	static_cast<void>(given(query, "name", keep(selection.name)));
	static_cast<void>(given(query, "search", keep(selection.search)));
	if (!given(query, "severity", [&](const auto& text) { return readSeverity(text, selection); })) {
		return failure("severity is one of dead, overdue, endangered, ending, starting, well, here");
	}
	if (!given(query, "order", [&](const auto& text) { return readOrder(text, selection.order); })) {
		return failure("order is one of urgency, name, expiry");
	}
	if (!given(query, "offset", [&](const auto& text) { return readNumber(text, selection.offset, anything); })) {
		return failure("offset is a number");
	}
	if (!given(query, "limit", [&](const auto& text) { return readNumber(text, selection.limit, largestLimit); })) {
		return failure("limit is a number up to " + std::to_string(largestLimit));
	}
	if (!given(query, "happenings",
			[&](const auto& text) { return readNumber(text, selection.happenings, Fleet::history); })) {
		return failure("happenings is a number up to " + std::to_string(Fleet::history));
	}
	return selection;
}

std::string issuersJson(const Fleet& fleet, const HostSnapshot& snapshot, const Selection& selection)
{
	const std::uint64_t revision = fleet.revision(); // read before the records that it stands for
	const std::vector<IssuerView> issuers = viewAll(fleet, snapshot);
	const std::vector<const IssuerView*> wanted = select(issuers, selection);
	const std::size_t begin = std::min(selection.offset, wanted.size());
	const std::size_t count = std::min(selection.limit, wanted.size() - begin);
	const UnixTime now = fleet.now();
	const auto write = [&](const IssuerView* issuer) {
		std::vector<Happening> happenings;
		if (selection.happenings > 0) {
			happenings = fleet.historyOf(issuer->told.name);
			happenings.resize(std::min(happenings.size(), selection.happenings));
		}
		return issuerJson(*issuer, now, happenings);
	};
	std::vector<Happening> host = fleet.hostHistory();
	host.resize(std::min(host.size(), selection.happenings));
	return JsonObject()
		.add("unix_ms", unixMs(now))
		.add("revision", revision)
		.add("total", issuers.size())
		.addJson("severities", countsJson(issuers))
		.add("matching", wanted.size())
		.add("offset", begin)
		.addJson("issuers", jsonArray(std::span(wanted).subspan(begin, count), write))
		.addJson("host", JsonObject()
							 .add("version", ISSUER_VERSION)
							 .add("ready", fleet.ready())
							 .addJson("happenings", jsonArray(host, happeningJson))
							 .text())
		.text();
}

} // namespace issuer::observe::web
