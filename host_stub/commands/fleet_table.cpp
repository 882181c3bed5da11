#include "commands/fleet_table.h"

#include "common/duration.h"
#include "common/text.h"

#include <Poco/JSON/Array.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace issuer::commands {

namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::size_t columns = 5;
using Row = std::array<std::string, columns>;

std::string textAt(const Object& object, const char* key)
{
	return sanitize(object.optValue<std::string>(key, ""));
}

std::string counted(std::size_t count, const std::string& what)
{
	return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

std::string engineOf(const Object& fleet)
{
	const Object::Ptr engine = fleet.getObject("engine");
	if (!engine->getValue<bool>("up")) {
		const auto since = engine->isNull("seconds_since_answer")
							   ? std::string("has not answered yet")
							   : "has not answered for " + inWords(std::chrono::seconds(
															   engine->getValue<std::int64_t>("seconds_since_answer")));
		return "etcd " + since + ": nothing changes hands";
	}
	return engine->getValue<bool>("writes_refused") ? "etcd refuses writes: other hosts cannot see what is renewed"
		   : fleet.getValue<bool>("joined")         ? "etcd answers"
													: "etcd answers, this host is joining";
}

std::string issuersOf(const Object& member)
{
	if (member.isNull("severities")) {
		return "not told";
	}
	const Object::Ptr counts = member.getObject("severities");
	std::string text;
	for (const char* severity : {"dead", "overdue", "endangered", "ending", "starting", "well"}) {
		if (const auto count = counts->optValue<std::size_t>(severity, 0); count > 0) {
			text += (text.empty() ? "" : ", ") + std::to_string(count) + ' ' + severity;
		}
	}
	return text.empty() ? "none" : text;
}

std::string lines(const std::vector<Row>& rows)
{
	std::array<std::size_t, columns> widths{};
	for (const Row& row : rows) {
		for (std::size_t i = 0; i < columns; ++i) {
			widths[i] = std::max(widths[i], row[i].size());
		}
	}
	std::string text;
	for (const Row& row : rows) {
		std::string line;
		for (std::size_t i = 0; i < columns; ++i) {
			line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
		}
		text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
	}
	return text;
}

} // namespace

std::string fleetTable(const Object& fleet)
{
	const Array::Ptr members = fleet.getArray("members");
	std::vector<Row> rows{{"MEMBER", "ISSUERS", "SHARDS", "VERSION", "PAGE"}};
	for (unsigned i = 0; i < members->size(); ++i) {
		const Object::Ptr member = members->getObject(i);
		rows.push_back(
			{textAt(*member, "name"), issuersOf(*member), std::to_string(member->getValue<std::size_t>("shards")),
				textAt(*member, "version"), textAt(*member, "url")});
	}
	std::string troubles;
	for (unsigned i = 0; i < members->size(); ++i) {
		const Object::Ptr member = members->getObject(i);
		if (const auto trouble = textAt(*member, "trouble"); !trouble.empty()) {
			troubles += "the page of " + textAt(*member, "name") + " was not read: " + trouble +
						(member->isNull("severities") ? "\n" : "; shown is what it wrote into etcd last\n");
		}
	}
	std::string text = "fleet " + textAt(fleet, "name") + " of " + counted(members->size(), "member") + ", seen from " +
					   textAt(fleet, "member") + ": " + engineOf(fleet) + '\n' + lines(rows) + troubles;
	const Array::Ptr worst = fleet.getArray("worst");
	for (unsigned i = 0; i < worst->size(); ++i) {
		const Object::Ptr issuer = worst->getObject(i);
		text += textAt(*issuer, "severity") + ": " + textAt(*issuer, "name") + ", kept by " +
				textAt(*issuer, "kept_by") + '\n';
	}
	if (const auto watched = fleet.getValue<std::size_t>("watched_over"); watched > 0) {
		text += "this host watches over " + counted(watched, "issuer") + " that others are not seen to renew\n";
	}
	const Array::Ptr unkept = fleet.getArray("unkept");
	std::string names;
	for (unsigned i = 0; i < unkept->size(); ++i) {
		names += (names.empty() ? "" : ", ") + sanitize(unkept->getElement<std::string>(i));
	}
	return text + (names.empty() ? "" : "no host is seen to keep " + names + '\n');
}

} // namespace issuer::commands
