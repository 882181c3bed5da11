#pragma once

#include "tls_fixture.h"
#include "transport/trust.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

namespace issuer::test {

inline std::string textOf(const std::filesystem::path& path)
{
	std::ifstream file(path);
	std::stringstream text;
	text << file.rdbuf();
	return text.str();
}

inline vault::transport::TlsIdentity withCaFile(const std::string& path)
{
	vault::transport::TlsIdentity identity;
	identity.caFile = path;
	return identity;
}

inline void expectTrusted(const Settings& settings)
{
	const auto reply = renew(settings);
	EXPECT_TRUE(reply.has_value()) << told(reply);
}

/// Renews until `done`, or for as long as patience lasts.
inline ExchangeResult renewUntil(
	vault::transport::Exchange& client, const std::function<bool(const ExchangeResult&)>& done)
{
	const auto limit = std::chrono::steady_clock::now() + patience;
	auto reply = renew(client);
	while (!done(reply) && std::chrono::steady_clock::now() < limit) {
		reply = renew(client);
	}
	return reply;
}

} // namespace issuer::test
