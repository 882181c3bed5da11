#include "fleet/etcd/json.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>

#include <exception>

namespace issuer::fleet::etcd {

namespace {

constexpr std::size_t deepest = 16; ///< levels; etcd's replies have 6

} // namespace

Json::Ptr jsonObject(std::string_view text)
{
	try {
		Poco::JSON::Parser parser;
		parser.setDepth(deepest);
		return parser.parse(std::string(text)).extract<Json::Ptr>();
	}
	catch (const std::exception&) {
		return nullptr;
	}
}

std::optional<std::string> textIn(const Json& json, const std::string& key)
{
	const auto value = json.get(key);
	return value.isString() ? std::optional(value.extract<std::string>()) : std::nullopt;
}

std::optional<std::int64_t> numberIn(const Json& json, const std::string& key)
{
	const auto value = json.get(key);
	if (!value.isInteger() && !value.isString()) {
		return std::nullopt;
	}
	try {
		return value.convert<std::int64_t>();
	}
	catch (const std::exception&) {
		return std::nullopt;
	}
}

bool isTrueIn(const Json& json, const std::string& key)
{
	const auto value = json.get(key);
	return value.isBoolean() && value.extract<bool>();
}

Json::Ptr objectIn(const Json& json, const std::string& key)
{
	return json.getObject(key);
}

Poco::JSON::Array::Ptr arrayIn(const Json& json, const std::string& key)
{
	return json.getArray(key);
}

} // namespace issuer::fleet::etcd
