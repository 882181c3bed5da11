#include "commands/issuer_config.h"

#include "common/text.h"
#include "loader/installed.h"

#include <Poco/JSON/Array.h>
#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace issuer::commands {

namespace fs = std::filesystem;
using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

namespace {

std::string sha256At(const Object& object, const std::string& path)
{
	std::string sum = stringAt(object, path, "sha256");
	std::ranges::transform(sum, sum.begin(),
		[](char digit) { return digit >= 'A' && digit <= 'F' ? static_cast<char>(digit - 'A' + 'a') : digit; });
	if (sum.size() != 64 || sum.find_first_not_of("0123456789abcdef") != std::string::npos) {
		throw wrongAt(member(path, "sha256"), "64 hexadecimal digits are wanted, as sha256sum prints them");
	}
	return sum;
}

/// Checks an issuer's name. It appears in logs, labels and on a page, and is typed by operators: invisible characters
/// are refused.
void checkName(const std::string& name, const std::string& path)
{
	constexpr std::size_t longest = 128;
	if (sanitize(name) != name) {
		throw wrongAt(path, "a name has no control characters");
	}
	if (name.size() > longest) {
		throw wrongAt(path, "a name has at most " + std::to_string(longest) + " bytes");
	}
	if (!isVisible(name) || name.front() == ' ' || name.back() == ' ') {
		throw wrongAt(path, "a name has no invisible characters, and no space at its ends");
	}
}

/// Returns `text` with each ${NAME} of `variables` replaced, and every other left as it is.
std::string expanded(std::string_view text, const Variables& variables)
{
	std::string result;
	for (std::size_t at = 0; at < text.size();) {
		const std::size_t end = text.substr(at).starts_with("${") ? text.find('}', at) : std::string_view::npos;
		const auto found = end == std::string_view::npos
							   ? variables.end()
							   : variables.find(std::string(text.substr(at + 2, end - at - 2)));
		if (found == variables.end()) {
			result += text[at++];
			continue;
		}
		result += found->second;
		at = end + 1;
	}
	return result;
}

/// Expands every string inside `value`, in place where it is an object or a list.
Var expandedInside(const Var& value, const Variables& variables)
{
	if (value.type() == typeid(Object::Ptr)) {
		auto object = value.extract<Object::Ptr>();
		for (const std::string& key : object->getNames()) {
			object->set(key, expandedInside(object->get(key), variables));
		}
	}
	else if (value.type() == typeid(Array::Ptr)) {
		auto array = value.extract<Array::Ptr>();
		for (unsigned i = 0; i < array->size(); ++i) {
			array->set(i, expandedInside(array->get(i), variables));
		}
	}
	else if (value.isString()) {
		return expanded(value.extract<std::string>(), variables);
	}
	return value;
}

} // namespace

registry::IssuerSpec issuerAt(const Var& value, const std::string& path, const fs::path& folder,
	const Variables& variables, const std::string& itsName)
{
	const Object::Ptr object = objectAt(value, path, {"name", "plugin", "sha256", "config", "fleet"});
	registry::IssuerSpec spec;
	spec.name = itsName.empty() || object->has("name") ? stringAt(*object, path, "name") : itsName;
	checkName(spec.name, member(path, "name"));
	spec.plugin = loader::pluginNamed(stringAt(*object, path, "plugin"), folder);
	if (object->has("sha256")) {
		spec.plugin.sha256 = sha256At(*object, path);
	}
	spec.shared = !object->has("fleet") || flagAt(*object, path, "fleet");
	const Object::Ptr config = object->getObject("config");
	if (config.isNull()) {
		throw wrongAt(member(path, "config"), object->has("config") ? "an object is wanted" : "it is missing");
	}
	if (!variables.empty()) {
		expandedInside(config, variables);
	}
	std::ostringstream text; // in the order of the keys, so that equal configurations have equal texts
	config->stringify(text);
	spec.config = text.str();
	return spec;
}

Variables variablesAt(const Object& root, std::vector<Wrong>& faults)
{
	Variables variables;
	const Array::Ptr names = root.getArray("environment");
	if (names.isNull()) {
		if (root.has("environment")) {
			faults.push_back(wrongAt("environment", "a list of names is wanted"));
		}
		return variables;
	}
	for (unsigned i = 0; i < names->size(); ++i) {
		const std::string path = "environment[" + std::to_string(i) + "]";
		const Var name = names->get(i);
		const char* const value = name.isString() ? std::getenv(name.extract<std::string>().c_str()) : nullptr;
		if (value == nullptr) {
			faults.push_back(
				wrongAt(path, name.isString() ? "there is no such environment variable" : "a string is wanted"));
			continue;
		}
		variables.emplace(name.extract<std::string>(), value);
	}
	return variables;
}

} // namespace issuer::commands
