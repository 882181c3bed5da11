#include "commands/exec_config.h"

#include "common/duration.h"
#include "common/text.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/URI.h>

namespace issuer::commands {

namespace {

using observe::Turn;
using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::chrono::minutes longestTimeout{10};

/// The strings of a list; none: it is no list of strings, or an empty one.
std::optional<std::vector<std::string>> stringsOf(const Object& object, const std::string& key)
{
	const Array::Ptr list = object.getArray(key);
	if (list.isNull() || list->empty()) {
		return std::nullopt;
	}
	std::vector<std::string> texts;
	for (const Var& element : *list) {
		if (!element.isString() || element.extract<std::string>().find('\0') != std::string::npos) {
			return std::nullopt;
		}
		texts.push_back(element.extract<std::string>());
	}
	return texts;
}

std::optional<Turn> turnNamed(const std::string& name)
{
	for (const Turn turn : {Turn::recovered, Turn::capped, Turn::dead, Turn::replaced}) {
		if (observe::turnName(turn) == name) {
			return turn;
		}
	}
	return std::nullopt;
}

bool isHttpUrl(const std::string& text)
{
	try {
		const Poco::URI uri(text);
		return (uri.getScheme() == "http" || uri.getScheme() == "https") && !uri.getHost().empty();
	}
	catch (const Poco::Exception&) {
		return false;
	}
}

Result<std::set<Turn>> turnsOf(const Object& object)
{
	std::set<Turn> turns;
	for (const std::string& name : stringsOf(object, "on").value_or(std::vector<std::string>{""})) {
		const std::optional<Turn> turn = turnNamed(name);
		if (!turn) {
			return failure("on: a list of recovered, capped, dead and replaced is wanted");
		}
		turns.insert(*turn);
	}
	return turns;
}

Result<observe::ExecRule> ruleOf(const Object& object)
{
	for (const auto& [key, ignored] : object) {
		if (key != "on" && key != "command" && key != "url" && key != "timeout") {
			return failure(sanitize(key) + ": there is no such key");
		}
	}
	const Result<std::set<Turn>> turns = turnsOf(object);
	if (!turns) {
		return tl::unexpected(turns.error());
	}
	observe::ExecRule rule;
	rule.on = *turns;
	if (object.has("command") == object.has("url")) {
		return failure("one of command and url is wanted");
	}
	if (object.has("command")) {
		rule.command = stringsOf(object, "command").value_or(std::vector<std::string>{});
		if (rule.command.empty() || !rule.command.front().starts_with('/')) {
			return failure("command: a list is wanted that begins with the program's absolute path");
		}
	}
	else {
		rule.url = object.get("url").isString() ? object.getValue<std::string>("url") : "";
		if (!isHttpUrl(rule.url)) {
			return failure("url: an address that begins with https:// or http:// is wanted");
		}
	}
	if (object.has("timeout")) {
		const Result<std::chrono::milliseconds> timeout = parseDuration(object.get("timeout").toString());
		if (!timeout || timeout->count() <= 0 || *timeout > longestTimeout) {
			return failure("timeout: a duration up to 10m is wanted");
		}
		rule.timeout = *timeout;
	}
	return rule;
}

} // namespace

Result<std::vector<observe::ExecRule>> execRules(const Var& value)
{
	if (value.type() != typeid(Array::Ptr)) {
		return failure("exec: a list is wanted");
	}
	std::vector<observe::ExecRule> rules;
	for (const Var& element : *value.extract<Array::Ptr>()) {
		const std::string path = "exec[" + std::to_string(rules.size()) + "]";
		if (element.type() != typeid(Object::Ptr)) {
			return failure(path + ": an object is wanted");
		}
		Result<observe::ExecRule> rule = ruleOf(*element.extract<Object::Ptr>());
		if (!rule) {
			return failure(path + '.' + rule.error().text);
		}
		rules.push_back(std::move(*rule));
	}
	return rules;
}

} // namespace issuer::commands
