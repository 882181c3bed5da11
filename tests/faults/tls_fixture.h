#pragma once

#include "exchange_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace issuer::test {

using vault::transport::Settings;

inline Settings trusting(const std::vector<std::string>& addresses)
{
	auto settings = settingsFor(addresses);
	settings.tls.caFile = Pki::shared().authority.caFile();
	return settings;
}

inline FaultServer::Options with(const Identity& identity)
{
	return {.tls = identity};
}

inline void expectRefused(FaultServer& server, const Settings& settings, const std::string& why)
{
	const auto receivedBefore = server.received();
	const auto reply = renew(settings);
	ASSERT_FALSE(reply.has_value());
	EXPECT_EQ(reply.error().kind, ExchangeError::Kind::tls) << told(reply);
	EXPECT_THAT(reply.error().text, testing::StartsWith(settings.addresses.front().text()));
	EXPECT_THAT(reply.error().text, testing::HasSubstr(why));
	EXPECT_EQ(server.received(), receivedBefore);
}

} // namespace issuer::test
