#include "config.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/URI.h>
#include <algorithm>
#include <optional>

namespace etcd {

const char configSchema[] = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["endpoint"],
  "additionalProperties": false,
  "properties": {
    "endpoint": { "type": "string", "description": "http://HOST:PORT of etcd's client API" },
    "lease_id": { "type": "string", "pattern": "^[1-9][0-9]{0,18}$",
                  "description": "the lease's number, so that others can attach keys to it; without it etcd chooses" },
    "ttl_seconds": { "type": "integer", "minimum": 2, "maximum": 86400, "default": 60,
                     "description": "how long the lease lives without being kept alive" },
    "request_timeout_ms": { "type": "integer", "minimum": 50, "maximum": 60000, "default": 2000,
                            "description": "of one request; never more than a quarter of the lease" }
  }
})";

namespace {

using issuer::kit::Answer;

Answer invalid(std::string text)
{
	return {ISSUER_E_INVALID, std::move(text)};
}

/// Returns the value of a key that holds a whole number in a range, or nothing if it holds another thing.
std::optional<Poco::Int64> number(const Poco::JSON::Object& object, const std::string& key, Poco::Int64 least,
	Poco::Int64 most, Poco::Int64 otherwise)
{
	if (!object.has(key)) {
		return otherwise;
	}
	const auto value = object.get(key);
	if (!value.isInteger() || value.isBoolean()) {
		return std::nullopt;
	}
	const auto found = value.convert<Poco::Int64>();
	return found >= least && found <= most ? std::optional(found) : std::nullopt;
}

} // namespace

bool isId(const std::string& text)
{
	const auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
	return !text.empty() && text.size() <= 19 && text.front() != '0' && std::all_of(text.begin(), text.end(), isDigit);
}

issuer::kit::Result<Config> configure(std::string_view json)
try {
	Poco::JSON::Parser parser;
	const auto parsed = parser.parse(std::string(json));
	if (parsed.type() != typeid(Poco::JSON::Object::Ptr)) {
		return invalid("the configuration is not a JSON object");
	}
	const auto& object = *parsed.extract<Poco::JSON::Object::Ptr>();
	for (const auto& [key, value] : object) {
		if (key != "endpoint" && key != "lease_id" && key != "ttl_seconds" && key != "request_timeout_ms") {
			return invalid(key + ": no such key; there are endpoint, lease_id, ttl_seconds and request_timeout_ms");
		}
	}
	if (!object.has("endpoint") || !object.get("endpoint").isString()) {
		return invalid("endpoint: wanted is a text such as \"http://127.0.0.1:2379\"");
	}
	const Poco::URI endpoint(object.getValue<std::string>("endpoint"));
	if (endpoint.getScheme() != "http" || endpoint.getHost().empty() || !endpoint.getPathEtc().empty() ||
		!endpoint.getUserInfo().empty()) {
		return invalid("endpoint: wanted is http://HOST:PORT, and nothing after it");
	}
	if (object.has("lease_id") &&
		(!object.get("lease_id").isString() || !isId(object.getValue<std::string>("lease_id")))) {
		return invalid("lease_id: wanted is a text of 1 to 19 digits, without a zero before them");
	}
	const auto ttl = number(object, "ttl_seconds", 2, 86400, 60);
	if (!ttl) {
		return invalid("ttl_seconds: wanted is a whole number from 2 to 86400");
	}
	const auto timeout = number(object, "request_timeout_ms", 50, 60000, 2000);
	if (!timeout) {
		return invalid("request_timeout_ms: wanted is a whole number from 50 to 60000");
	}
	return Config{endpoint.getHost(), endpoint.getPort() != 80 ? endpoint.getPort() : std::uint16_t{2379},
		object.optValue<std::string>("lease_id", ""), std::chrono::seconds(*ttl), std::chrono::milliseconds(*timeout)};
}
catch (const Poco::Exception& error) {
	return invalid("the configuration is not JSON, or its endpoint is no URL: " + error.displayText());
}

} // namespace etcd
