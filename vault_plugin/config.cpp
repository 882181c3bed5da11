#include "config.h"

#include "base/wiped.h"
#include "config/reader.h"
#include "config/secret_text.h"
#include "credential/token_text.h"

#include <algorithm>

namespace issuer::vault {

using namespace std::chrono_literals;
using config::ObjectReader;
using config::refuse;
using transport::Address;

namespace {

Address addressAt(const config::Value& value, const std::string& path)
{
	auto address = Address::parse(config::textOf(value, path));
	if (!address) {
		refuse(path, address.error().text);
	}
	return *address;
}

std::vector<Address> addressesAt(const ObjectReader& root)
{
	constexpr std::size_t most = 8;
	const auto* const value = root.find("address");
	if (value == nullptr) {
		refuse("address", "missing; where is the server? Such as https://vault.example:8200");
	}
	const auto* const list = std::get_if<config::Array>(&value->of);
	if (list == nullptr) {
		if (!std::holds_alternative<std::string>(value->of)) {
			refuse("address", std::string("a string, or an array of strings, is wanted, found ") + kindOf(*value));
		}
		return {addressAt(*value, "address")};
	}
	if (list->empty() || list->size() > most) {
		refuse("address", "an array of 1 to 8 addresses is wanted, found " + std::to_string(list->size()));
	}
	std::vector<Address> addresses;
	for (const auto& entry : *list) {
		addresses.push_back(addressAt(entry, "address[" + std::to_string(addresses.size()) + "]"));
	}
	return addresses;
}

/// Reads the namespace, which goes into a header.
std::string namespaceAt(const ObjectReader& root)
{
	auto name = root.text("namespace");
	if (!std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; })) {
		refuse("namespace", "a path such as team-a/project is wanted, of visible ASCII without blanks");
	}
	return name;
}

std::string variableAt(const ObjectReader& token)
{
	auto name = token.text("env");
	const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
	const auto digit = [](char c) { return c >= '0' && c <= '9'; };
	// The text is not repeated: it may be the token in the wrong place.
	if (name.empty() || digit(name.front()) ||
		!std::ranges::all_of(name, [&](char c) { return fits(c) || digit(c); })) {
		refuse("token.env", "the name of an environment variable is wanted, such as VAULT_TOKEN");
	}
	return name;
}

credential::Secret tokenValue(const ObjectReader& token, std::string_view written)
{
	static_cast<void>(token.text("value")); // must be a string
	const auto text = config::unescapedSecret(written);
	const auto fits = text.and_then([](const WipedString& plain) { return credential::tokenIn(plain); });
	if (!fits) {
		refuse("token.value", fits.error().text);
	}
	return credential::Secret(*fits);
}

credential::Origin tokenAt(const ObjectReader& root, const config::Document& document)
{
	using Kind = credential::Origin::Kind;
	if (root.find("token") == nullptr) {
		refuse("token", R"(missing; where is it? Such as {"file": "/run/credentials/vault-token"})");
	}
	const auto token = root.object("token");
	if (token.size() != 1) {
		refuse("token", "exactly one of file, env and value is wanted, found " + std::to_string(token.size()));
	}
	if (token.find("file") != nullptr) {
		return {Kind::file, token.absolutePath("file"), {}};
	}
	if (token.find("env") != nullptr) {
		return {Kind::environment, variableAt(token), {}};
	}
	return {Kind::value, {}, tokenValue(token, document.secret.value_or(""))};
}

std::string serverNameAt(const ObjectReader& tls)
{
	constexpr std::size_t longest = 253; // of a DNS name
	auto name = tls.text("server_name");
	const auto fits = [](char c) {
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
			   c == '_' || c == ':';
	};
	if (tls.find("server_name") != nullptr &&
		(name.empty() || name.size() > longest || !std::ranges::all_of(name, fits))) {
		refuse("tls.server_name", "a host name or a numeric address is wanted, as in the server's certificate");
	}
	return name;
}

transport::TlsIdentity tlsAt(const ObjectReader& root)
{
	const auto tls = root.object("tls");
	transport::TlsIdentity identity;
	identity.caFile = tls.absolutePath("ca_file");
	identity.caDir = tls.absolutePath("ca_dir");
	identity.clientCert = tls.absolutePath("client_cert");
	identity.clientKey = tls.absolutePath("client_key");
	if (identity.clientCert.empty() != identity.clientKey.empty()) {
		const auto* const missing = identity.clientCert.empty() ? "tls.client_cert" : "tls.client_key";
		refuse(missing, "missing; a client certificate and its key come together (they may be one file)");
	}
	identity.serverName = serverNameAt(tls);
	identity.insecureSkipVerify = tls.flag("insecure_skip_verify", false);
	return identity;
}

/// Reads `proxy` and `proxyAuthorization` of the settings.
void readProxy(const ObjectReader& root, const config::Document& document, transport::Settings& settings)
{
	const auto setting = root.text("proxy", "none");
	if (setting == "none" || setting == "environment") {
		settings.proxy = setting == "none" ? "" : setting;
		return;
	}
	// The text is not repeated: a proxy's address may hold a password.
	const auto text =
		document.proxy ? config::unescapedSecret(*document.proxy) : Result<WipedString>(WipedString(setting));
	if (!text || text->find("://") == text->npos) {
		refuse("proxy", R"("none", "environment" or an address such as http://proxy.example:3128 is wanted)");
	}
	auto address = Address::parseProxy(*text);
	if (!address) {
		refuse("proxy", address.error().text);
	}
	settings.proxy = address->text();
	settings.proxyAuthorization = std::move(address->authorization);
}

renewal::Policy policyAt(const ObjectReader& root)
{
	const auto renewal = root.object("renewal");
	renewal::Policy policy;
	policy.fraction = renewal.number("fraction", policy.fraction, 0.1, 0.9);
	policy.jitter = renewal.number("jitter", policy.jitter, 0, 0.5);
	policy.minInterval = renewal.duration("min_interval", policy.minInterval, 100ms, 24h);
	policy.requestTimeout = renewal.duration("request_timeout", policy.requestTimeout, 100ms, 5min);
	policy.increment = renewal.duration("increment", policy.increment, 0s, std::chrono::years(10));
	if (policy.increment % 1s != 0s) {
		refuse("renewal.increment", "whole seconds are wanted: servers grant no others");
	}
	return policy;
}

Config decode(const config::Document& document)
{
	const ObjectReader root(document.root, "");
	Config config;
	config.transport.addresses = addressesAt(root);
	config.transport.tls = tlsAt(root);
	config.transport.redirects = std::array{transport::Redirects::verified, transport::Redirects::none,
		transport::Redirects::any}[root.choice("follow_redirects", {"verified", "none", "any"})];
	readProxy(root, document, config.transport);
	config.vaultNamespace = namespaceAt(root);
	config.token = tokenAt(root, document);
	config.renewal = policyAt(root);
	config.startup = std::array{
		Config::Startup::failFast, Config::Startup::background}[root.choice("startup", {"fail_fast", "background"})];
	config.startupTimeout = root.duration("startup_timeout", config.startupTimeout, 100ms, 1h);
	return config;
}

} // namespace

Result<Config> parseConfig(std::string_view json)
try {
	return config::readDocument(json).map(decode);
}
catch (const config::Wrong& wrong) {
	return failure(wrong.text);
}

} // namespace issuer::vault
