#include "transport/request_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace issuer::vault::transport {
namespace {

using testing::HasSubstr;
using testing::Not;

HttpRequest renewal()
{
	HttpRequest request;
	request.method = "POST";
	request.path = "/v1/auth/token/renew-self";
	request.headers = {{"X-Vault-Request", "true"}};
	request.secretHeader = "X-Vault-Token";
	request.secret = "s.canary";
	request.body = "{}";
	return request;
}

std::string written(const HttpRequest& request, const std::string& address, const Address* forwarder = nullptr)
{
	const auto bytes = writeRequest(request, Address::parse(address).value(), "issuer/1", forwarder);
	return std::string(bytes.value());
}

TEST(RequestWriter, WritesEveryPartOnce)
{
	EXPECT_EQ(written(renewal(), "https://vault:8200"),
		"POST /v1/auth/token/renew-self HTTP/1.1\r\nHost: vault:8200\r\nUser-Agent: issuer/1\r\n"
		"Accept-Encoding: identity\r\n"
		"X-Vault-Request: true\r\nX-Vault-Token: s.canary\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(RequestWriter, ThePathStandsBelowTheAddresssPrefix)
{
	EXPECT_THAT(written(renewal(), "https://vault:8200/team/"), HasSubstr("POST /team/v1/auth/token/renew-self HTTP"));
}

TEST(RequestWriter, AGetHasNoLength)
{
	auto request = renewal();
	request.method = "GET";
	request.body.clear();
	EXPECT_THAT(written(request, "https://vault"), Not(HasSubstr("Content-Length")));
}

TEST(RequestWriter, NamesTheServerInFullToAForwardingProxy)
{
	const auto open = Address::parseProxy("p:3128").value();
	EXPECT_THAT(written(renewal(), "http://vault:8200", &open),
		HasSubstr("POST http://vault:8200/v1/auth/token/renew-self HTTP/1.1\r\nHost: vault:8200\r\nUser-Agent"));
	const auto closed = Address::parseProxy("me:pw@p:3128").value();
	EXPECT_THAT(written(renewal(), "http://vault:8200", &closed),
		HasSubstr("\r\nHost: vault:8200\r\nProxy-Authorization: Basic bWU6cHc=\r\nUser-Agent"));
}

TEST(RequestWriter, AsksAProxyForATunnelWithItsOwnAuthorizationAndNoToken)
{
	const auto server = Address::parse("https://vault.example.").value();
	EXPECT_EQ(std::string(writeConnect(server, Address::parseProxy("p:3128").value())),
		"CONNECT vault.example:443 HTTP/1.1\r\nHost: vault.example:443\r\n\r\n");
	EXPECT_EQ(
		std::string(writeConnect(Address::parse("https://[::1]:1").value(), Address::parseProxy("me:pw@p").value())),
		"CONNECT [::1]:1 HTTP/1.1\r\nHost: [::1]:1\r\nProxy-Authorization: Basic bWU6cHc=\r\n\r\n");
}

TEST(RequestWriter, TheHostHeaderHasBracketsButNoZoneNoUsualPortAndNoLastDot)
{
	EXPECT_EQ(hostHeader(Address::parse("https://vault:443").value()), "vault");
	EXPECT_EQ(hostHeader(Address::parse("http://vault:443").value()), "vault:443");
	EXPECT_EQ(hostHeader(Address::parse("http://[fe80::1%eth0]:8200").value()), "[fe80::1]:8200");
	EXPECT_EQ(hostHeader(Address::parse("https://vault.:443").value()), "vault");
	EXPECT_EQ(hostHeader(Address::parse("unix:///run/x").value()), "localhost");
}

TEST(RequestWriter, ATokenThatWouldEndTheLineIsRefusedAndNotRepeated)
{
	for (const auto* token : {"s.x\n", "s.\r\nEvil: y", "s.\x7f"}) {
		auto request = renewal();
		request.secret = token;
		const auto bytes = writeRequest(request, Address::parse("http://v").value(), "", nullptr);
		ASSERT_FALSE(bytes.has_value());
		EXPECT_THAT(bytes.error().text, HasSubstr("token"));
		EXPECT_THAT(bytes.error().text, Not(HasSubstr("s.")));
	}
}

TEST(RequestWriter, AHeaderOrPathThatWouldBecomeAnotherIsRefused)
{
	const auto address = Address::parse("http://v").value();
	auto header = renewal();
	header.headers.emplace_back("X-Vault-Namespace", "a\r\nX-Evil: 1");
	EXPECT_FALSE(writeRequest(header, address, "", nullptr).has_value());
	for (const auto* path : {"/v1 HTTP/1.1", "/v1\r\n", "v1", ""}) {
		auto request = renewal();
		request.path = path;
		EXPECT_FALSE(writeRequest(request, address, "", nullptr).has_value()) << path;
	}
}

} // namespace
} // namespace issuer::vault::transport
