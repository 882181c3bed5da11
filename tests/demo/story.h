#pragma once

#include "client.h"
#include "host.h"
#include "setup.h"
#include "vault.h"

#include "temp_dir.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace issuer::demo {

/// The programs that play in it.
struct Cast
{
	std::filesystem::path host;
	std::filesystem::path fakeVault;
	std::filesystem::path plugin;
	std::filesystem::path nextPlugin; ///< a newer version, to be swapped in
};

/// Four issuers of one host: they live through an outage, one of them is swapped for a newer plugin while it runs, and
/// the tokens of two meet their max TTL: one dies, the other is followed by the next of a login. Every claim is checked
/// against the host's journal and the server's log.
class Story
{
public:
	Story(Setup& setup, const Cast& cast);

	/// Throws a Failure at the first claim that does not hold.
	void play();

private:
	void introduce();
	void surviveAnOutage();
	void swapOne();
	void meetTheMaxTtl();
	void replaceTheToken();
	void end();

	std::filesystem::path installed(const std::filesystem::path& plugin, const std::string& version) const;
	void writeSecret(const std::string& name, const std::string& text) const;
	void writeAppRole();
	std::string sinkText() const;
	std::string credentialOf(const std::string& issuer) const;
	void confirmTheLogin();
	void configure() const;
	void waitForRenewals(const std::string& occasion, const std::vector<std::string>& issuers, std::int64_t since);
	void expectNoRefusal(const std::string& issuer, std::int64_t until) const;

	Setup& _setup;
	const Cast _cast;
	const test::TempDir _directory;
	Vault _vault;
	std::map<std::string, std::filesystem::path> _plugins; ///< by issuer
	std::string _firstOfLogin;                             ///< the token of the first login
	std::string _cappedToken;
	std::int64_t _cappedEnd = 0; ///< the end that no renewal moves, in ms since the Unix epoch
	std::unique_ptr<Client> _client;
	std::unique_ptr<Host> _host;
};

} // namespace issuer::demo
