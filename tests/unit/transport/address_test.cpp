#include "transport/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace issuer::vault::transport {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Address, ReadsSchemeHostAndPort)
{
	const auto address = Address::parse("https://Vault.Example:8200").value();
	EXPECT_EQ(address.scheme, Address::Scheme::https);
	EXPECT_EQ(address.host, "vault.example");
	EXPECT_EQ(address.port, 8200);
	EXPECT_EQ(address.prefix, "");
}

TEST(Address, TakesTheUsualPortOfItsScheme)
{
	EXPECT_EQ(Address::parse("https://vault")->port, 443);
	EXPECT_EQ(Address::parse("HTTP://vault/")->port, 80);
}

TEST(Address, KeepsAPathPrefixWithoutTheSlashAtItsEnd)
{
	EXPECT_EQ(Address::parse("https://gate:8200/vault/eu/")->prefix, "/vault/eu");
	EXPECT_EQ(Address::parse("https://gate:8200//")->prefix, "");
}

TEST(Address, ReadsIpv6InBrackets)
{
	const auto address = Address::parse("http://[2001:DB8::1]:8200/x").value();
	EXPECT_EQ(address.host, "2001:db8::1");
	EXPECT_EQ(address.port, 8200);
	EXPECT_EQ(address.text(), "http://[2001:db8::1]:8200/x");
}

TEST(Address, ReadsTheZoneOfALinkLocalAddressAndKeepsItForTheResolver)
{
	for (const auto* text : {"https://[fe80::1%25eth0]:8200", "https://[fe80::1%eth0]:8200"}) {
		const auto address = Address::parse(text).value();
		EXPECT_EQ(address.host, "fe80::1%eth0");
		EXPECT_EQ(address.text(), "https://[fe80::1%25eth0]:8200");
	}
	EXPECT_EQ(Address::parse("https://[fe80::1%25]")->host, "fe80::1%25") << "a zone of that name";
}

TEST(Address, KeepsTheDotOfACompleteNameForTheResolver)
{
	EXPECT_EQ(Address::parse("https://Vault.Example.:8200")->host, "vault.example.");
}

TEST(Address, ReadsUnixSockets)
{
	const auto address = Address::parse("unix:///run/bao.sock").value();
	EXPECT_EQ(address.scheme, Address::Scheme::unixSocket);
	EXPECT_EQ(address.socketPath, "/run/bao.sock");
	EXPECT_EQ(address.text(), "unix:///run/bao.sock");
}

TEST(Address, ReadsBackWhatItWrites)
{
	for (const auto* text : {"https://vault:8200", "http://127.0.0.1:80/p", "https://[::1]:1/a/b", "unix:///a"}) {
		EXPECT_EQ(Address::parse(text)->text(), text);
	}
}

struct Bad
{
	const char* text;
	const char* why;
};

class AddressRefuses : public testing::TestWithParam<Bad>
{
};

TEST_P(AddressRefuses, AndSaysWhyWithAnExampleOfAnAddress)
{
	const auto address = Address::parse(GetParam().text);
	ASSERT_FALSE(address.has_value());
	EXPECT_THAT(address.error().text, HasSubstr(GetParam().why));
	EXPECT_THAT(address.error().text, HasSubstr("https://vault.example:8200"));
}

INSTANTIATE_TEST_SUITE_P(Table, AddressRefuses,
	testing::Values(Bad{"", "no scheme"}, Bad{"vault:8200", "no scheme"}, Bad{"ftp://vault", "scheme other than"},
		Bad{"https://", "names no host"}, Bad{"https://.:1", "names no host"}, Bad{"https://:8200", "names no host"},
		Bad{"https://vault:", "port"}, Bad{"https://vault:0", "port"}, Bad{"https://vault:65536", "port"},
		Bad{"https://vault:80a", "port"}, Bad{"https://vault:-1", "port"}, Bad{"https://::1", "brackets"},
		Bad{"https://[::1", "bracket"}, Bad{"https://[::1]x", "after the bracket"}, Bad{"https://[vault]", "no IPv6"},
		Bad{"https://[]", "no IPv6"}, Bad{"https://vault/?a=b", "query"}, Bad{"https://vault#x", "fragment"},
		Bad{"https://va ult", "blank"}, Bad{"https://vault\r\nX: y", "control"},
		Bad{"https://v\xc3\xa4ult", "non-ASCII"}, Bad{"https://vau<lt", "character in its host"},
		Bad{"unix://run/x", "absolute"}, Bad{"unix:///", "absolute"}));

TEST(Address, RepeatsNothingThatMayBeASecret)
{
	for (const auto* text : {"https://user:hunter2@vault", "hvs.hunter2", "hunter2://vault", "https://hvs.hunter2:x"}) {
		const auto address = Address::parse(text);
		ASSERT_FALSE(address.has_value());
		EXPECT_THAT(address.error().text, Not(HasSubstr("hunter2")));
	}
}

TEST(Address, RefusesASocketPathThatTheKernelCannotHold)
{
	EXPECT_TRUE(Address::parse("unix:///" + std::string(106, 'a')).has_value());
	EXPECT_FALSE(Address::parse("unix:///" + std::string(107, 'a')).has_value());
}

} // namespace
} // namespace issuer::vault::transport
