#include "vault/reply_content.h"

#include "base/json_strings.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeParser.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/MemoryStream.h>

namespace issuer::vault::wire {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

/// The keys whose strings are read. A list of these rather than of the secret ones, so that a secret in a field that
/// nobody thought of is overwritten too. Those of numbers are here because some servers put quotes around numbers.
constexpr std::array<std::string_view, 12> readKeys{
	"errors",
	"error",
	"warnings",
	"lease_duration",
	"ttl",
	"expire_time",
	"creation_ttl",
	"creation_time",
	"period",
	"explicit_max_ttl",
	"num_uses",
	"type",
};

void overwriteOtherStrings(WipedString& body)
{
	JsonStrings strings(body);
	bool read = false;
	while (const auto string = strings.next()) {
		if (string->key) {
			const auto key = std::string_view(body).substr(string->begin, string->size);
			read = std::ranges::find(readKeys, key) != readKeys.end();
		}
		else if (!read) {
			std::fill_n(body.begin() + static_cast<std::ptrdiff_t>(string->begin), string->size, 'x');
		}
	}
}

Object::Ptr parse(const WipedString& body)
{
	constexpr std::size_t deepest = 16; // Vault's replies: 3; each level costs the parser stack
	try {
		// From a stream: of a string the parser would make a copy, and what is no JSON may still hold a secret.
		Poco::MemoryInputStream stream(body.data(), static_cast<std::streamsize>(body.size()));
		Poco::JSON::Parser parser;
		parser.setDepth(deepest);
		const auto root = parser.parse(stream);
		return root.type() == typeid(Object::Ptr) ? root.extract<Object::Ptr>() : nullptr;
	}
	catch (const std::exception&) {
		return nullptr;
	}
}

std::optional<double> number(const Object& object, const char* key)
{
	try {
		const auto value = object.get(key);
		if ((value.isNumeric() && !value.isBoolean()) || value.isString()) {
			const auto number = value.convert<double>();
			return std::isfinite(number) ? std::optional(number) : std::nullopt;
		}
	}
	catch (const std::exception&) {
		// a string that is no number
	}
	return std::nullopt;
}

std::optional<Duration> duration(const Object& object, const char* key)
{
	using Seconds = std::chrono::duration<double>;
	constexpr Seconds longest = std::chrono::years(100);
	const auto seconds = number(object, key);
	if (!seconds) {
		return std::nullopt;
	}
	return std::chrono::duration_cast<Duration>(std::clamp(Seconds(*seconds), Seconds::zero(), longest));
}

constexpr double latestTime = 7e9; ///< the year 2191: nanoseconds, which others count in, end in 2262

/// An RFC 3339 time such as "2026-11-24T00:03:33.740640808Z". Go's zero time, the year 1, is none.
std::optional<WallTime> wallTime(const Object& object, const char* key)
{
	const auto value = object.get(key);
	Poco::DateTime time;
	int zone = 0;
	if (!value.isString() || !Poco::DateTimeParser::tryParse(
								 Poco::DateTimeFormat::ISO8601_FRAC_FORMAT, value.extract<std::string>(), time, zone)) {
		return std::nullopt;
	}
	time.makeUTC(zone);
	const auto sinceEpoch = Duration(time.timestamp().epochMicroseconds());
	return sinceEpoch > Duration::zero() && sinceEpoch < std::chrono::duration<double>(latestTime)
			   ? std::optional(WallTime(sinceEpoch))
			   : std::nullopt;
}

std::vector<std::string> texts(const Object& object, const char* key)
{
	const auto value = object.get(key);
	if (value.isString()) {
		return {value.extract<std::string>()};
	}
	std::vector<std::string> texts;
	if (value.type() == typeid(Array::Ptr)) {
		for (const auto& entry : *value.extract<Array::Ptr>()) {
			if (entry.isString()) {
				texts.push_back(entry.extract<std::string>());
			}
		}
	}
	return texts;
}

std::optional<renewal::TokenFacts> tokenFacts(const Object& data)
{
	const auto ttl = duration(data, "ttl");
	if (!ttl) {
		return std::nullopt;
	}
	renewal::TokenFacts token;
	token.ttl = *ttl;
	token.expires = *ttl > Duration::zero() || !data.has("expire_time") || !data.isNull("expire_time");
	token.creationTtl = duration(data, "creation_ttl").value_or(Duration::zero());
	token.period = duration(data, "period").value_or(Duration::zero());
	token.explicitMaxTtl = duration(data, "explicit_max_ttl").value_or(Duration::zero());
	if (const auto creation = number(data, "creation_time"); creation && *creation > 0 && *creation < latestTime) {
		token.creationTime = WallTime(std::chrono::seconds(static_cast<std::int64_t>(*creation)));
	}
	token.usesLeft = static_cast<std::int64_t>(std::clamp(number(data, "num_uses").value_or(0), -1.0, 1e15));
	token.expireTime = wallTime(data, "expire_time");
	const auto renewable = data.get("renewable");
	token.renewable = !renewable.isBoolean() || renewable.extract<bool>();
	const auto type = data.get("type");
	token.batch = type.isString() && type.extract<std::string>() == "batch";
	return token;
}

} // namespace

ReplyContent readReply(WipedString& body)
{
	overwriteOtherStrings(body);
	ReplyContent content;
	const auto root = parse(body);
	if (!root) {
		return content;
	}

	content.object = true;
	content.errors = texts(*root, root->has("errors") ? "errors" : "error");
	content.warnings = texts(*root, "warnings");
	content.wrapped = root->isObject("wrap_info");
	if (const auto auth = root->getObject("auth")) {
		content.lease = duration(*auth, "lease_duration");
	}
	if (const auto data = root->getObject("data")) {
		content.token = tokenFacts(*data);
	}
	return content;
}

} // namespace issuer::vault::wire
