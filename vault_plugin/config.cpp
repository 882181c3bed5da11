#include "config.h"

#include "base/wiped.h"
#include "config/reader.h"
#include "config/secret_text.h"
#include "config_auth.h"
#include "config_origin.h"

#include <algorithm>
#include <array>

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

/// Reads where the token is found: `token` or `auth`, of which there is one.
void readCredential(const ObjectReader& root, Config& config)
{
	using Kind = credential::Origin::Kind;
	if (root.find("auth") != nullptr) {
		if (root.find("token") != nullptr) {
			refuse("auth", "stands beside token: a token is either given or comes from a login; take one out");
		}
		config.auth = authAt(root, config.transport.tls, config.vaultNamespace);
		config.token = {Kind::login, config.auth->mount, {}};
		return;
	}
	if (root.find("token") == nullptr) {
		refuse(
			"token", R"(missing; where is it? Such as {"file": "/run/credentials/vault-token"}, or a login at auth)");
	}
	const auto token = root.object("token");
	config.auth = wrappedTokenAt(token, config.vaultNamespace);
	if (config.auth) {
		config.token = {Kind::login, "sys/wrapping/unwrap", {}};
	}
	else {
		config.token = originAt(token, "token", credential::TextKind::token);
	}
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
	config.vaultNamespace = namespaceAt(root, "");
	readCredential(root, config);
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
