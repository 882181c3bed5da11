#include "wire/login_content.h"

#include "base/json_sieve.h"
#include "wire/echo.h"
#include "wire/page.h"
#include "wire/reply_keys.h"
#include "wire/sieved_values.h"

#include <charconv>
#include <cmath>
#include <utility>

namespace issuer::vault::wire {
namespace {

using Kind = SievedValue::Kind;

/// Returns a number, also one in quotes.
std::optional<double> numberIn(const SievedValue& value)
{
	double number = 0;
	const char* const end = value.text.data() + value.text.size();
	const auto [last, error] = std::from_chars(value.text.data(), end, number);
	return error == std::errc() && last == end && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

/// Returns a copy whose characters are not inside the object, where nothing wipes them.
WipedString wipedCopy(std::string_view text)
{
	WipedString copy;
	copy.reserve(text.size() + 16);
	return copy.append(text);
}

/// Returns a text that is no secret.
std::string plain(const SievedValue& value)
{
	return value.kind == Kind::text ? std::string(value.text) : std::string();
}

/// Returns whether a value may go into a credential::Secret.
bool canBeSecret(const SievedValue& value)
{
	constexpr std::size_t longest = std::size_t{64} * 1024;
	return value.kind == Kind::text && value.text.size() <= longest;
}

/// Collects what the values of a reply say. Of equal keys the last one counts.
class Reader
{
public:
	void take(SievedValue value)
	{
		const auto slash = value.path.find('/');
		const auto outer = value.path.substr(0, slash);
		if (slash == value.path.npos) {
			takeOuter(outer, std::move(value));
		}
		else if (outer == "auth" && content.auth) {
			takeAuth(value.path.substr(slash + 1), std::move(value));
		}
		else if (outer == "data" && content.data) {
			takeData(value.path.substr(slash + 1), std::move(value));
		}
		else if (outer == "error" && value.kind == Kind::text) {
			_otherWords.push_back(std::move(value.text));
		}
	}

	/// Returns the content when every value has been taken.
	LoginContent end()
	{
		content.words.vaults = _errors.has_value();
		content.forPeople = std::move(_errors).value_or(std::move(_otherWords));
		return std::move(content);
	}

	LoginContent content;

private:
	void takeOuter(std::string_view key, SievedValue value)
	{
		if (key == "errors") {
			takeError(std::move(value));
		}
		else if (key == "auth") {
			content.auth = value.kind == Kind::object ? std::optional(LoginContent::Auth()) : std::nullopt;
		}
		else if (key == "data") {
			content.data = value.kind == Kind::object ? std::optional(LoginContent::Data()) : std::nullopt;
		}
		else if (key == "wrap_info") {
			content.wrapped = value.kind == Kind::object;
		}
		else if (value.kind == Kind::text) {
			(key == "warnings" ? content.warnings : _otherWords).push_back(std::move(value.text));
		}
	}

	/// Takes the list of errors and its elements; the server's own holds nothing but texts.
	void takeError(SievedValue value)
	{
		if (value.kind == Kind::list && !_errors) {
			_errors.emplace();
		}
		else if (value.kind == Kind::text && _errors) {
			_errors->push_back(std::move(value.text));
		}
		else {
			_errors.reset();
		}
	}

	void takeAuth(std::string_view key, SievedValue value)
	{
		auto& auth = *content.auth;
		if (key == "client_token" && canBeSecret(value)) {
			auth.token = std::move(value.text);
		}
		else if (key == "lease_duration") {
			auth.lease = numberIn(value);
		}
		else if (key == "renewable") {
			auth.renewable = value.text != "false";
		}
		else if (key == "token_type") {
			auth.batch = value.text == "batch";
		}
		else if (key == "num_uses") {
			auth.usesLeft = numberIn(value).value_or(0);
		}
		else if (key == "policies" && value.kind == Kind::text) {
			auth.policies.push_back(plain(value));
		}
		else if (key == "metadata/role_name") {
			auth.roleName = plain(value);
		}
		else if (key == "mfa_requirement") {
			auth.wantsMfa = value.kind == Kind::object;
		}
	}

	void takeData(std::string_view key, SievedValue value)
	{
		auto& data = *content.data;
		if (key == "secret_id" && canBeSecret(value)) {
			data.secretId = std::move(value.text);
		}
		else if (key == "secret_id_num_uses") {
			data.uses = numberIn(value);
		}
		else if (key == "secret_id_ttl") {
			data.ttl = numberIn(value);
		}
		else if (key == "expiration_time") {
			data.expirationTime = plain(value);
		}
		else if (key == "creation_path") {
			data.creationPath = plain(value);
		}
		else if (key == "creation_time") {
			data.creationTime = plain(value);
		}
		else if (key == "creation_ttl") {
			data.creationTtl = numberIn(value);
		}
	}

	std::optional<std::vector<WipedString>> _errors; ///< the texts of `errors`; none where it is no list of texts
	std::vector<WipedString> _otherWords;            ///< error texts under the keys of other servers and of gateways
};

} // namespace

LoginContent readLoginReply(WipedString& body)
{
	JsonSieve sieve(loginKeys());
	sieve.add(body.data(), body);
	sieve.end();
	const auto kept = std::string_view(body).substr(0, sieve.kept());

	Reader reader;
	reader.content.object = sieve.isObject();
	if (sieve.isObject()) {
		forEachValue(kept, [&](SievedValue value) { reader.take(std::move(value)); });
	}
	auto content = reader.end();
	if (!sieve.isObject() && !kept.empty()) {
		content.forPeople.push_back(wipedCopy(kept));
	}
	for (const auto& text : content.forPeople) {
		content.words.texts.push_back(normalised(text));
	}
	wipe(body.data(), body.size());
	body.clear();
	return content;
}

std::vector<std::string> withoutSecrets(std::span<const WipedString> texts, std::span<const std::string_view> secrets)
{
	std::vector<std::string> plainTexts;
	for (const auto& text : texts) {
		auto hidden = wipedCopy(text);
		for (const auto secret : secrets) {
			hideToken(hidden, secret);
		}
		plainTexts.push_back(wordsOfPage(hidden));
	}
	return plainTexts;
}

} // namespace issuer::vault::wire
