#pragma once

#include "fake_vault/message.h"

#include <chrono>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace issuer::test {

/// The fields of a request's body, read one by one; the first that cannot be read is remembered for the reply.
class Fields
{
public:
	/// The error is the text of the 400 that a server sends for a body that is no JSON object.
	static tl::expected<Fields, std::string> decode(const std::string& body);

	[[nodiscard]] bool has(const std::string& name) const;
	std::chrono::seconds duration(const std::string& name);
	/// Finer than Vault's own, for the fake's controls: "250ms", "2s", or a number of seconds.
	std::chrono::milliseconds pause(const std::string& name, std::chrono::milliseconds otherwise);
	int number(const std::string& name);
	bool flag(const std::string& name, bool otherwise);
	std::string text(const std::string& name, const std::string& otherwise = "");
	/// A JSON array of strings, or one string with commas.
	std::vector<std::string> list(const std::string& name);
	/// An object in it; an empty one if there is none.
	[[nodiscard]] Fields object(const std::string& name) const;
	std::map<std::string, std::string> map(const std::string& name);

	/// Text for a 400, when a field could not be read.
	[[nodiscard]] const std::optional<std::string>& error() const { return _error; }

	/// The warning about fields that the endpoint does not know; empty when there are none.
	[[nodiscard]] std::vector<std::string> warnings(std::initializer_list<const char*> known) const;

private:
	explicit Fields(Json::Ptr json) : _json(std::move(json)) {}
	void fail(const std::string& name, const std::string& problem);

	Json::Ptr _json;
	std::optional<std::string> _error;
};

} // namespace issuer::test
