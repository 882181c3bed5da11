#include "commands/schema_secrets.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

namespace issuer::commands {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

namespace {

Var parsed(const std::string& text)
{
	return Poco::JSON::Parser().parse(text);
}

Object::Ptr asObject(const Var& value)
{
	return value.type() == typeid(Object::Ptr) ? value.extract<Object::Ptr>() : Object::Ptr();
}

/// Walks along a configuration and its schema.
class Search
{
public:
	explicit Search(Object::Ptr root) : _root(std::move(root)) {}

	/// Looks at `value`, which is at `path`, and at all inside of it.
	void look(const Var& value, const Object::Ptr& schema, const std::string& path, unsigned depth = 0)
	{
		constexpr unsigned deepest = 64; // a foreign schema may be a long chain, and the stack is short
		if (schema.isNull() || depth > deepest || !_seen.emplace(path, schema.get()).second) {
			return;
		}
		if (schema->optValue("writeOnly", false)) {
			_found.push_back(path);
			return;
		}
		if (schema->has("$ref")) {
			look(value, referred(schema->optValue<std::string>("$ref", "")), path, depth + 1);
		}
		for (const char* const key : {"oneOf", "anyOf", "allOf"}) {
			if (const Array::Ptr parts = schema->getArray(key); !parts.isNull()) {
				for (const Var& part : *parts) {
					look(value, asObject(part), path, depth + 1);
				}
			}
		}
		const Object::Ptr properties = schema->getObject("properties");
		if (const Object::Ptr object = asObject(value); !object.isNull() && !properties.isNull()) {
			for (const auto& [key, member] : *object) {
				look(member, properties->getObject(key), path.empty() ? key : path + '.' + key, depth + 1);
			}
		}
		if (value.type() == typeid(Array::Ptr)) {
			const Array& list = *value.extract<Array::Ptr>();
			for (unsigned i = 0; i < list.size(); ++i) {
				look(list.get(i), schema->getObject("items"), path + '[' + std::to_string(i) + ']', depth + 1);
			}
		}
	}

	/// Returns the paths, each once: alternatives of a schema may lead to the same value.
	[[nodiscard]] std::vector<std::string> found()
	{
		std::ranges::sort(_found);
		_found.erase(std::unique(_found.begin(), _found.end()), _found.end());
		return _found;
	}

private:
	/// Returns the part of the schema that "#/$defs/…" means.
	[[nodiscard]] Object::Ptr referred(const std::string& reference) const
	{
		if (!reference.starts_with('#')) {
			return {};
		}
		Object::Ptr part = _root;
		std::istringstream keys(reference.substr(1));
		for (std::string key; !part.isNull() && std::getline(keys, key, '/');) {
			part = key.empty() ? part : part->getObject(key);
		}
		return part;
	}

	const Object::Ptr _root;
	/// Each value with each part of the schema that it was held against: once, although a schema may refer to itself,
	/// and twice from one place, so that the ways through it double at each step.
	std::set<std::pair<std::string, const Object*>> _seen;
	std::vector<std::string> _found;
};

} // namespace

std::vector<std::string> secretsIn(const std::string& config, const std::string& schema)
try {
	const Object::Ptr root = asObject(parsed(schema));
	Search search(root);
	search.look(parsed(config), root, {});
	return search.found();
}
catch (const Poco::Exception&) {
	return {};
}

} // namespace issuer::commands
