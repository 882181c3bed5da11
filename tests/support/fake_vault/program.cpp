#include "fake_vault/fake_vault.h"

#include <csignal>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

/// fake-vault: the fake Vault as a program.
namespace {

using namespace issuer::test;

constexpr int exitUsage = 64;
constexpr int exitUnavailable = 69;

constexpr std::string_view help =
	R"(Usage: fake-vault [OPTION]...

A server that answers as Vault and OpenBao do where a token's life is concerned: log in, create, look up, renew,
wrap and revoke tokens, with honest leases, from memory. For trying out, testing and demonstrating; it keeps no secrets.

  --listen ADDRESS:PORT   numeric; port 0 takes a free one (default 127.0.0.1:0)
  --unix PATH             listen at a unix socket instead
  --tls-dir DIR           serve https; makes a CA (ca.pem), a server certificate for localhost and a client
                          certificate (client.pem, client.key) in DIR
  --client-certificate    with --tls-dir: only for clients that present one of that CA
  --root-token TOKEN      the token to start with (default: a random one)
  --default-ttl TTL       of tokens that ask for none, like 90s or 1h30m (default 768h)
  --max-ttl TTL           beyond which no token is renewed (default 768h)
  --help                  this text

Prints one line when it serves, and ends at SIGINT or SIGTERM:
  fake-vault: serving http://127.0.0.1:40123 with root token s.…

Then, for example:
  curl -H "X-Vault-Token: $ROOT" $ADDR/v1/auth/token/create -d '{"ttl":"20s","explicit_max_ttl":"2m"}'
  VAULT_ADDR=$ADDR VAULT_TOKEN=$TOKEN issuer-host run

or, for a token that a login brings:
  curl -H "X-Vault-Token: $ROOT" $ADDR/v1/sys/auth/approle -d '{"type":"approle"}'
  curl -H "X-Vault-Token: $ROOT" $ADDR/v1/auth/approle/role/web -d '{"token_ttl":"20s","token_max_ttl":"2m"}'
  curl -H "X-Vault-Token: $ROOT" $ADDR/v1/auth/approle/role/web/role-id
  curl -H "X-Vault-Token: $ROOT" $ADDR/v1/auth/approle/role/web/secret-id -d '{}'

and to make things go wrong:
  curl $ADDR/fake/faults -d '{"fault":"error","status":503,"text":"Vault is sealed","times":3}'
  curl $ADDR/fake/faults -d '{"fault":"hang","call":"renew-self"}'   # until: curl -X DELETE $ADDR/fake/faults
  curl $ADDR/fake/node -d '{"state":"leaderless","for":"15s"}'       # as when a cluster's leader is dead
  curl $ADDR/fake/outage -d '{"for":"5s"}'                           # connections are refused
  curl $ADDR/fake/log                                                # what it was asked and what it answered
Faults: no-content, error, token-refused, policy-refused, past-max-ttl, wrapped, proxy-page, hang, close, lose,
drip, latency. Node states: active, standby, leaderless, between-leaders, former-leader, loses-quorum, sealed,
uninitialised.

Exit codes: 0 ended as told; 64 wrong usage; 69 it cannot listen there.
)";

struct Settings
{
	FakeVault::Options vault;
	std::filesystem::path tlsDirectory;
	bool help = false;
};

/// The error in the value, or nothing.
using Complaint = std::string;
using Option = std::function<Complaint(Settings&, const std::string&)>;

Complaint listenAt(Settings& settings, const std::string& value)
{
	const auto colon = value.rfind(':');
	const auto digits = colon == std::string::npos ? "" : value.substr(colon + 1);
	if (digits.empty() || digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos ||
		std::stoi(digits) > 65535) {
		return "is not like 127.0.0.1:8200";
	}
	settings.vault.listening.host = value.substr(0, colon);
	settings.vault.listening.port = std::stoi(digits);
	return "";
}

Option duration(std::chrono::seconds TokenStore::Tuning::*where)
{
	return [where](Settings& settings, const std::string& value) -> Complaint {
		const auto parsed = lease::parse(value);
		if (!parsed || *parsed == std::chrono::seconds(0)) {
			return "is not a duration like 90s or 1h30m";
		}
		settings.vault.api.tuning.*where = *parsed;
		return "";
	};
}

const std::map<std::string, Option> optionsWithValue{
	{"--listen", listenAt},
	{"--unix",
		[](Settings& settings, const std::string& value) {
			settings.vault.listening.unixSocket = value;
			return Complaint();
		}},
	{"--tls-dir",
		[](Settings& settings, const std::string& value) {
			settings.tlsDirectory = value;
			return Complaint();
		}},
	{"--root-token",
		[](Settings& settings, const std::string& value) {
			settings.vault.api.rootToken = value;
			return Complaint(value.empty() ? "is empty" : "");
		}},
	{"--default-ttl", duration(&TokenStore::Tuning::defaultTtl)},
	{"--max-ttl", duration(&TokenStore::Tuning::maxTtl)},
};

tl::expected<Settings, std::string> parse(const std::vector<std::string>& arguments)
{
	Settings settings;
	for (std::size_t i = 0; i < arguments.size(); ++i) {
		const std::string& name = arguments[i];
		if (name == "--help" || name == "-h") {
			settings.help = true;
			continue;
		}
		if (name == "--client-certificate") {
			settings.vault.listening.clientCertificateRequired = true;
			continue;
		}
		const auto option = optionsWithValue.find(name);
		if (option == optionsWithValue.end()) {
			return tl::unexpected("unknown option " + name);
		}
		if (i + 1 == arguments.size()) {
			return tl::unexpected(name + " wants a value");
		}
		if (const auto complaint = option->second(settings, arguments[++i]); !complaint.empty()) {
			return tl::unexpected(name + " " + arguments[i] + " " + complaint);
		}
	}
	if (settings.vault.listening.clientCertificateRequired && settings.tlsDirectory.empty()) {
		return tl::unexpected<std::string>("--client-certificate wants --tls-dir");
	}
	return settings;
}

void makeCertificates(Settings& settings)
{
	std::filesystem::create_directories(settings.tlsDirectory);
	TestPki pki(settings.tlsDirectory);
	settings.vault.listening.tls = pki.server();
	settings.vault.listening.clientCa = pki.caFile();
	(void)pki.client();
}

int serve(Settings settings)
{
	sigset_t ends;
	::sigemptyset(&ends);
	::sigaddset(&ends, SIGINT);
	::sigaddset(&ends, SIGTERM);
	::pthread_sigmask(SIG_BLOCK, &ends, nullptr); // before the first thread, so that only sigwait hears them
	if (!settings.tlsDirectory.empty()) {
		makeCertificates(settings);
	}
	const FakeVault vault(settings.vault);
	std::cout << "fake-vault: serving " << vault.address() << " with root token " << vault.rootToken() << std::endl;
	int signal = 0;
	::sigwait(&ends, &signal);
	return 0;
}

} // namespace

int main(int argc, char** argv)
{
	const auto settings = parse({argv + 1, argv + argc});
	if (!settings) {
		std::cerr << "fake-vault: " << settings.error() << "; see fake-vault --help\n";
		return exitUsage;
	}
	if (settings->help) {
		std::cout << help;
		return 0;
	}
	try {
		return serve(*settings);
	}
	catch (const std::exception& error) {
		std::cerr << "fake-vault: " << error.what() << '\n';
		return exitUnavailable;
	}
}
