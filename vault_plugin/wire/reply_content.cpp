#include "wire/reply_content.h"

#include "base/json_sieve.h"
#include "wire/echo.h"
#include "wire/page.h"
#include "wire/reply_keys.h"
#include "wire/times.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <variant>

#include <Poco/JSON/Handler.h>
#include <Poco/JSON/Parser.h>
#include <Poco/NumberParser.h>

namespace issuer::vault::wire {
namespace {

/// The value of a key; monostate for a list or an object.
using Value = std::variant<std::monostate, std::nullptr_t, bool, double, std::string>;

/// The values of one object at the keys that are read.
class Fields
{
public:
	/// Stores a value. Of equal keys the last one counts.
	void set(std::string_view key, Value value)
	{
		if (const auto at = placeOf(key); at < keys.size()) {
			_values[at] = std::move(value);
		}
	}

	[[nodiscard]] const Value& get(std::string_view key) const { return _values.at(placeOf(key)); }

private:
	static constexpr std::array<std::string_view, 10> keys{"lease_duration", "ttl", "expire_time", "creation_ttl",
		"creation_time", "period", "explicit_max_ttl", "num_uses", "renewable", "type"};

	static std::size_t placeOf(std::string_view key)
	{
		return static_cast<std::size_t>(std::ranges::find(keys, key) - keys.begin());
	}

	std::array<Value, keys.size()> _values;
};

/// Collects the members that are read while the parser comes upon them. Building a tree of the whole reply would take
/// most of the time that a renewal spends outside the kernel.
class ReplyReader final : public Poco::JSON::Handler
{
public:
	std::optional<std::vector<std::string>> errors; ///< of a list that holds only strings
	std::vector<std::string> otherWords;            ///< words of other servers and of gateways
	std::vector<std::string> warnings;
	bool wrapped = false;
	std::optional<Fields> auth;
	std::optional<Fields> data;

	void reset() override {}

	void startObject() override
	{
		enter();
		if (_depth == 2) {
			wrapped = wrapped || _outerKey == "wrap_info";
			if (auto* const section = sectionOf(_outerKey)) {
				_section = &section->emplace();
			}
		}
	}

	void startArray() override
	{
		enter();
		if (_depth == 2 && _outerKey == "errors") {
			errors.emplace();
		}
	}

	void endObject() override { leave(); }
	void endArray() override { leave(); }

	void key(const std::string& name) override
	{
		(_depth == 1 ? _outerKey : _innerKey) = name;
		if (_depth == 1) {
			forget(name);
		}
	}

	void null() override { keep(nullptr); }
	void value(int number) override { keep(static_cast<double>(number)); }
	void value(unsigned number) override { keep(static_cast<double>(number)); }
	void value(Poco::Int64 number) override { keep(static_cast<double>(number)); }
	void value(Poco::UInt64 number) override { keep(static_cast<double>(number)); }
	void value(double number) override { keep(number); }
	void value(bool flag) override { keep(flag); }

	void value(const std::string& text) override
	{
		if (_section != nullptr) {
			keep(text);
		}
		else if (_outerKey == "errors") {
			if (_depth == 2 && errors) {
				errors->push_back(text);
			}
		}
		else if (_outerKey == "warnings") {
			warnings.push_back(text);
		}
		else {
			otherWords.push_back(text);
		}
	}

private:
	void enter()
	{
		keep(std::monostate());
		++_depth;
	}

	void leave()
	{
		if (_depth-- == 2) {
			_section = nullptr;
		}
	}

	/// Stores a value that is no string.
	void keep(Value value)
	{
		if (_depth != 2) {
			return;
		}
		if (_section != nullptr) {
			_section->set(_innerKey, std::move(value));
		}
		else if (_outerKey == "errors") {
			errors.reset();
		}
	}

	/// Forgets the value of an earlier member with the same key: the last one counts.
	void forget(std::string_view name)
	{
		if (auto* const section = sectionOf(name)) {
			section->reset();
		}
		if (name == "errors") {
			errors.reset();
		}
		else if (name == "warnings") {
			warnings.clear();
		}
		wrapped = wrapped && name != "wrap_info";
	}

	std::optional<Fields>* sectionOf(std::string_view name)
	{
		return name == "auth" ? &auth : name == "data" ? &data : nullptr;
	}

	int _depth = 0;
	std::string _outerKey; ///< current key of the outermost object
	std::string _innerKey;
	Fields* _section = nullptr; ///< the object that is being read
};

/// Parses `body`. Returns null if it is not JSON. The parser leaves copies of texts behind that nothing wipes: so
/// `body` has been sieved, and the token hidden in it.
Poco::SharedPtr<ReplyReader> parse(const WipedString& body)
try {
	Poco::SharedPtr<ReplyReader> reader(new ReplyReader);
	Poco::JSON::Parser parser(reader);
	parser.parse(std::string(body));
	return reader;
}
catch (const std::exception&) {
	return nullptr;
}

std::optional<double> number(const Fields& fields, std::string_view key)
{
	const auto& value = fields.get(key);
	double number = 0;
	if (const auto* const plain = std::get_if<double>(&value)) {
		number = *plain;
	}
	else if (const auto* const text = std::get_if<std::string>(&value);
			 text == nullptr || !Poco::NumberParser::tryParseFloat(*text, number)) {
		return std::nullopt;
	}
	return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::optional<Duration> duration(const Fields& fields, std::string_view key)
{
	const auto seconds = number(fields, key);
	return seconds ? std::optional(secondsOf(*seconds)) : std::nullopt;
}

std::optional<WallTime> wallTime(const Fields& fields, std::string_view key)
{
	const auto* const text = std::get_if<std::string>(&fields.get(key));
	return text != nullptr ? timeOf(*text) : std::nullopt;
}

bool isRenewable(const Fields& fields)
{
	const auto* const renewable = std::get_if<bool>(&fields.get("renewable"));
	return renewable == nullptr || *renewable;
}

std::optional<renewal::TokenFacts> tokenFacts(const Fields& data)
{
	const auto ttl = duration(data, "ttl");
	if (!ttl) {
		return std::nullopt;
	}
	renewal::TokenFacts token;
	token.ttl = *ttl;
	token.expires = *ttl > Duration::zero() || !std::holds_alternative<std::nullptr_t>(data.get("expire_time"));
	token.creationTtl = duration(data, "creation_ttl").value_or(Duration::zero());
	token.period = duration(data, "period").value_or(Duration::zero());
	token.explicitMaxTtl = duration(data, "explicit_max_ttl").value_or(Duration::zero());
	if (const auto creation = number(data, "creation_time"); creation && *creation > 0 && *creation < latestTime) {
		token.creationTime = WallTime(std::chrono::seconds(static_cast<std::int64_t>(*creation)));
	}
	token.usesLeft = static_cast<std::int64_t>(std::clamp(number(data, "num_uses").value_or(0), -1.0, 1e15));
	token.expireTime = wallTime(data, "expire_time");
	token.renewable = isRenewable(data);
	const auto* const type = std::get_if<std::string>(&data.get("type"));
	token.batch = type != nullptr && *type == "batch";
	return token;
}

} // namespace

ReplyContent readReply(WipedString& body, std::string_view token)
{
	JsonSieve sieve(replyKeys());
	sieve.add(body.data(), body);
	sieve.end();
	wipe(body.data() + sieve.kept(), body.size() - sieve.kept());
	body.resize(sieve.kept());
	hideToken(body, token);

	ReplyContent content;
	const auto reader = sieve.isObject() ? parse(body) : nullptr;
	if (!reader) {
		if (!sieve.isObject() && !body.empty()) {
			content.words.push_back(wordsOfPage(body));
		}
		return content;
	}
	content.object = true;
	content.warnings = std::move(reader->warnings);
	content.wrapped = reader->wrapped;
	if (reader->auth) {
		content.lease = duration(*reader->auth, "lease_duration");
		content.renewable = isRenewable(*reader->auth);
	}
	if (reader->data) {
		content.token = tokenFacts(*reader->data);
	}
	content.vaultsWords = reader->errors.has_value();
	content.words = std::move(reader->errors).value_or(std::move(reader->otherWords));
	return content;
}

} // namespace issuer::vault::wire
