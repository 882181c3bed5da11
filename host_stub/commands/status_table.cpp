#include "commands/status_table.h"

#include "common/duration.h"
#include "common/text.h"

#include <Poco/JSON/Array.h>
#include <algorithm>
#include <array>
#include <ctime>
#include <limits>
#include <map>
#include <optional>
#include <vector>

namespace issuer::commands {

namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;
using std::chrono::milliseconds;

constexpr std::size_t columns = 5;
using Row = std::array<std::string, columns>;

struct Line
{
	Row cells;
	std::string remark; ///< the line below it; empty: none
	const char* colour; ///< of the state; null: none
};

std::string textAt(const Object& object, const char* key)
{
	return sanitize(object.optValue<std::string>(key, ""));
}

std::optional<std::int64_t> numberAt(const Object& object, const char* key)
{
	return object.isNull(key) ? std::nullopt : std::optional(object.getValue<std::int64_t>(key));
}

std::string dateOf(std::int64_t unixMs)
{
	const std::time_t at = unixMs / 1000;
	std::tm local{};
	::localtime_r(&at, &local);
	std::array<char, 64> text{};
	return {text.data(), std::strftime(text.data(), text.size(), "%F %T %Z", &local)};
}

std::string stateOf(const Object& issuer)
{
	static const std::map<std::string, std::string> words{{"active", "alive"}, {"not_renewable", "not renewable"},
		{"no_expiry", "lives for ever"}, {"denied", "renewal denied"}, {"expired", "dead"}};
	const std::string phase = textAt(issuer, "phase");
	if (textAt(issuer, "severity") == "overdue") {
		return "overdue";
	}
	if (phase == "elsewhere") {
		const std::string keeper = textAt(issuer, "kept_by");
		return keeper.empty() ? "kept by no host yet" : "kept by " + keeper;
	}
	if (phase == "failed") {
		return "not started";
	}
	if (phase == "waiting" || phase == "swapping" || phase == "stopping") {
		return phase;
	}
	const std::string state = textAt(issuer, "state");
	const auto word = words.find(state);
	return word == words.end() ? state : word->second;
}

std::string lifeOf(const Object& issuer)
{
	const auto left = numberAt(issuer, "ttl_ms");
	if (!left) {
		return textAt(issuer, "state") == "no_expiry" ? "no end" : "-";
	}
	const auto lease = numberAt(issuer, "lease_ms");
	return inWords(milliseconds(*left)) + (lease && *left > 0 ? " of " + inWords(milliseconds(*lease)) : "");
}

std::string nextOf(const Object& issuer, std::int64_t now)
{
	const auto next = numberAt(issuer, "next_unix_ms");
	if (!next) {
		return "-";
	}
	const std::string state = textAt(issuer, "state");
	const std::string step = textAt(issuer, "phase") == "waiting"         ? "start"
							 : state == "active"                          ? "renewal"
							 : state == "retrying" || state == "starting" ? "try"
																		  : "check";
	const auto login = issuer.isNull("login") ? std::nullopt : numberAt(*issuer.getObject("login"), "next_unix_ms");
	const auto when = [now](std::int64_t at) {
		return at <= now ? std::string(" now") : " in " + inWords(milliseconds(at - now));
	};
	return step + when(*next) + (login ? ", login" + when(*login) : "");
}

std::string remarkOf(const Object& issuer)
{
	const std::string problem = textAt(issuer, "problem");
	const std::string text = problem.empty() ? textAt(issuer, "text") : problem;
	const auto withText = [&](const std::string& remark) { return text.empty() ? remark : remark + ": " + text; };
	const std::string state = textAt(issuer, "state");
	const auto death = numberAt(issuer, "death_unix_ms");
	if (textAt(issuer, "severity") == "overdue") {
		const auto overdue = milliseconds(numberAt(issuer, "overdue_ms").value_or(0));
		return withText("nothing was heard of it for " + inWords(overdue) + " after it had to act");
	}
	if (!issuer.isNull("login")) {
		const Object& login = *issuer.getObject("login");
		const std::string outlook = textAt(login, "outlook");
		const auto dateAt = [&](const char* key) { return dateOf(numberAt(login, key).value_or(0)); };
		if (outlook == "failing") {
			return withText("logins have failed since " + dateAt("failing_since_unix_ms"));
		}
		if (outlook == "material_ends") {
			return "its login material ends at " + dateAt("ends_unix_ms") + ", before the next login: replace it";
		}
		if (outlook == "uses_spent") {
			return "its login material allows no further login: replace it";
		}
	}
	if (state == "expired") {
		return withText("replace the credential");
	}
	if (death) {
		return withText(
			(state == "not_renewable" || state == "denied" ? "ends at " : "cannot be extended past ") + dateOf(*death));
	}
	const auto failures = numberAt(issuer, "consecutive_failures").value_or(0);
	if (state == "retrying" && failures > 1) {
		return withText(std::to_string(failures) + " attempts failed");
	}
	return textAt(issuer, "severity") == "well" && problem.empty() ? "" : text;
}

const char* colourOf(const std::string& severity)
{
	return severity == "dead" || severity == "overdue"        ? "\033[31m"
		   : severity == "endangered" || severity == "ending" ? "\033[33m"
															  : nullptr;
}

Line lineOf(const Object& issuer, std::int64_t now)
{
	const Object::Ptr plugin = issuer.getObject("plugin");
	return {{textAt(issuer, "name"), stateOf(issuer), lifeOf(issuer), nextOf(issuer, now),
				plugin.isNull() ? "" : textAt(*plugin, "name") + ' ' + textAt(*plugin, "version")},
		remarkOf(issuer), colourOf(textAt(issuer, "severity"))};
}

std::size_t widthOf(const std::string& text)
{
	return static_cast<std::size_t>(
		std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

std::string headlineOf(const Object& answer)
{
	const auto total = answer.getValue<std::size_t>("total");
	std::string text = std::to_string(total) + (total == 1 ? " issuer" : " issuers");
	const Object::Ptr severities = answer.getObject("severities");
	std::string separator = ": ";
	for (const char* severity : {"dead", "overdue", "endangered", "ending", "starting", "well", "elsewhere"}) {
		if (const auto count = severities->optValue<std::size_t>(severity, 0); count > 0) {
			text += separator + std::to_string(count) + ' ' + severity;
			separator = ", ";
		}
	}
	return text + '\n';
}

/// The first `width` characters of a line.
std::string cut(const std::string& text, std::size_t width)
{
	std::size_t characters = 0;
	for (std::size_t i = 0; i < text.size(); ++i) {
		if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && characters++ == width) {
			return text.substr(0, i);
		}
	}
	return text;
}

/// One line of the table, and its remark below it.
std::string textOf(const Line& line, const std::array<std::size_t, columns>& widths, bool colours, std::size_t width)
{
	std::string row;
	std::size_t stateBegin = 0;
	for (std::size_t i = 0; i < columns; ++i) {
		stateBegin = i == 1 ? row.size() : stateBegin;
		row += line.cells[i];
		row.append(i + 1 < columns ? widths[i] - widthOf(line.cells[i]) + 2 : 0, ' ');
	}
	row = cut(row, width);
	const std::size_t stateEnd = stateBegin + line.cells[1].size();
	if (colours && line.colour != nullptr && stateEnd <= row.size()) {
		row.insert(stateEnd, "\033[0m").insert(stateBegin, line.colour);
	}
	return row + (line.remark.empty() ? "\n" : '\n' + cut("    " + line.remark, width) + '\n');
}

std::size_t heightOf(const Line& line)
{
	return line.remark.empty() ? 1 : 2;
}

/// Returns how many of `lines` fit into `rows`.
std::size_t fitting(const std::vector<Line>& lines, std::size_t rows)
{
	std::size_t count = 0;
	for (std::size_t height = 0; count < lines.size(); ++count) {
		height += heightOf(lines[count]);
		if (height > rows) {
			break;
		}
	}
	return count;
}

} // namespace

std::string statusTable(const Object& answer, bool colours, const std::optional<Screen>& screen)
{
	const auto now = answer.getValue<std::int64_t>("unix_ms");
	const Array::Ptr issuers = answer.getArray("issuers");
	std::vector<Line> lines{{{"ISSUER", "STATE", "LIFE LEFT", "NEXT", "PLUGIN"}, "", nullptr}};
	for (std::size_t i = 0; i < issuers->size(); ++i) {
		lines.push_back(lineOf(*issuers->getObject(static_cast<unsigned>(i)), now));
	}
	constexpr std::size_t others = 3; // the headline, the last line and the row of the cursor
	const std::size_t rows = screen ? std::max(screen->rows, others) - others : std::numeric_limits<std::size_t>::max();
	const std::size_t width = screen ? screen->columns : std::numeric_limits<std::size_t>::max();
	lines.resize(fitting(lines, rows));
	std::array<std::size_t, columns> widths{};
	for (const Line& line : lines) {
		for (std::size_t i = 0; i < columns; ++i) {
			widths[i] = std::max(widths[i], widthOf(line.cells[i]));
		}
	}
	std::string text = cut(headlineOf(answer), width);
	text += text.ends_with('\n') ? "" : "\n";
	for (const Line& line : lines) {
		text += textOf(line, widths, colours, width);
	}
	const auto matching = answer.getValue<std::size_t>("matching");
	const std::size_t shown = lines.empty() ? 0 : lines.size() - 1; // the first line has the titles
	if (matching > shown) {
		text += cut("and " + std::to_string(matching - shown) + " more, less urgent", width) + '\n';
	}
	return text;
}

} // namespace issuer::commands
