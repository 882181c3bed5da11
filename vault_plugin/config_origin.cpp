#include "config_origin.h"

#include "config/secret_text.h"

#include <algorithm>

namespace issuer::vault {

using config::ObjectReader;
using config::refuse;
using credential::Origin;
using credential::TextKind;

namespace {

std::string variableAt(const ObjectReader& object)
{
	auto name = object.text("env");
	const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
	const auto digit = [](char c) { return c >= '0' && c <= '9'; };
	// The text is not repeated: it may be the secret in the wrong place.
	if (name.empty() || digit(name.front()) ||
		!std::ranges::all_of(name, [&](char c) { return fits(c) || digit(c); })) {
		refuse(object.pathOf("env"), "the name of an environment variable is wanted, such as VAULT_TOKEN");
	}
	return name;
}

credential::Secret valueAt(const ObjectReader& object, TextKind kind)
{
	static_cast<void>(object.text("value")); // must be a string
	const auto text = config::unescapedSecret(object.find("value")->secret);
	const auto fits = text.and_then([kind](const WipedString& plain) { return credential::textIn(kind, plain); });
	if (!fits) {
		refuse(object.pathOf("value"), fits.error().text);
	}
	return credential::Secret(*fits);
}

} // namespace

Origin originAt(const ObjectReader& object, const std::string& path, TextKind kind)
{
	const auto found = std::ranges::count_if(std::initializer_list<std::string_view>{"file", "env", "value"},
		[&](std::string_view key) { return object.find(key) != nullptr; });
	if (found != 1) {
		refuse(path, "exactly one of file, env and value is wanted, found " + std::to_string(found));
	}
	if (object.find("file") != nullptr) {
		return {Origin::Kind::file, object.absolutePath("file"), {}, kind};
	}
	if (object.find("env") != nullptr) {
		return {Origin::Kind::environment, variableAt(object), {}, kind};
	}
	return {Origin::Kind::value, {}, valueAt(object, kind), kind};
}

} // namespace issuer::vault
