#include "commands/exec_config.h"

#include "commands/config_values.h"

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
	for (const Turn turn : {Turn::recovered, Turn::capped, Turn::dead, Turn::replaced, Turn::loggedIn,
			 Turn::loginFailed, Turn::loginEnds}) {
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

std::set<Turn> turnsAt(const Object& object, const std::string& path)
{
	std::set<Turn> turns;
	for (const std::string& name : stringsOf(object, "on").value_or(std::vector<std::string>{""})) {
		const std::optional<Turn> turn = turnNamed(name);
		turns.insert(turn
						 ? *turn
						 : throw wrongAt(member(path, "on"),
							   "a list of recovered, capped, dead, replaced, logged_in, login_failed and login_ends is "
							   "wanted"));
	}
	return turns;
}

observe::ExecRule ruleAt(const Var& value, const std::string& path)
{
	const Object::Ptr object = objectAt(value, path, {"on", "command", "url", "timeout"});
	observe::ExecRule rule;
	rule.on = turnsAt(*object, path);
	if (object->has("command") == object->has("url")) {
		throw wrongAt(path, "one of command and url is wanted");
	}
	if (object->has("command")) {
		rule.command = stringsOf(*object, "command").value_or(std::vector<std::string>{});
		if (rule.command.empty() || !rule.command.front().starts_with('/')) {
			throw wrongAt(member(path, "command"), "a list is wanted that begins with the program's absolute path");
		}
	}
	else {
		rule.url = object->get("url").isString() ? object->getValue<std::string>("url") : "";
		if (!isHttpUrl(rule.url)) {
			throw wrongAt(member(path, "url"), "an address that begins with https:// or http:// is wanted");
		}
	}
	if (object->has("timeout")) {
		rule.timeout = durationAt(*object, path, "timeout");
		if (rule.timeout.count() <= 0 || rule.timeout > longestTimeout) {
			throw wrongAt(member(path, "timeout"), "a duration up to 10m is wanted");
		}
	}
	return rule;
}

} // namespace

std::vector<observe::ExecRule> execRules(const Var& value)
{
	if (value.type() != typeid(Array::Ptr)) {
		throw wrongAt("exec", "a list is wanted");
	}
	std::vector<observe::ExecRule> rules;
	for (const Var& element : *value.extract<Array::Ptr>()) {
		rules.push_back(ruleAt(element, "exec[" + std::to_string(rules.size()) + "]"));
	}
	return rules;
}

} // namespace issuer::commands
