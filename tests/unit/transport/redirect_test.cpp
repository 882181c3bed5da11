#include "transport/redirect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace issuer::vault::transport {
namespace {

using testing::HasSubstr;

Settings settingsOf(std::vector<std::string> addresses, Redirects redirects = Redirects::verified)
{
	Settings settings;
	settings.redirects = redirects;
	for (const auto& address : addresses) {
		settings.addresses.push_back(Address::parse(address).value());
	}
	return settings;
}

constexpr std::string_view path = "/v1/auth/token/renew-self";

Result<Address> follow(const Settings& settings, std::string_view location)
{
	return redirectTarget(settings, settings.addresses.front(), path, location);
}

/// To the same path on another server.
Result<Address> followTo(const Settings& settings, const std::string& origin)
{
	return follow(settings, origin + std::string(path));
}

TEST(Redirect, AVerifiedServerMaySendUsToAnyHttpsServer)
{
	const auto target = followTo(settingsOf({"https://a:8200"}), "https://leader:8200");
	ASSERT_TRUE(target.has_value());
	EXPECT_EQ(*target, Address::parse("https://leader:8200").value());
}

TEST(Redirect, LeadsToTheSamePathAndQueryOnly)
{
	const auto settings = settingsOf({"https://a:8200/team"}, Redirects::any);
	EXPECT_TRUE(followTo(settings, "https://b").has_value());
	EXPECT_TRUE(followTo(settings, "https://b/team").has_value()) << "the server's own prefix";
	for (const std::string location :
		{"https://b", "https://b/", "https://b/oauth2/start", "https://b/v1/auth/token/renew-self/",
			"https://b/other/v1/auth/token/renew-self", "https://b/v1/auth/token/renew-self?rd=x",
			"https://b/v1/auth/token/renew-self#x", "https://b?/v1/auth/token/renew-self"}) {
		const auto target = follow(settings, location);
		ASSERT_FALSE(target.has_value()) << location;
		EXPECT_THAT(target.error().text, HasSubstr("another path"));
	}
}

TEST(Redirect, ToAnotherPathNamesHostAndPathAndNoQuery)
{
	const auto text = follow(settingsOf({"https://a"}), "https://sso.example/oauth2/start?rd=secret").error().text;
	EXPECT_THAT(text, HasSubstr("https://sso.example:443/oauth2/start"));
	EXPECT_THAT(text, testing::Not(HasSubstr("secret")));
}

TEST(Redirect, NeverLeadsFromHttpsToPlainHttp)
{
	for (const auto mode : {Redirects::verified, Redirects::any}) {
		const auto target = followTo(settingsOf({"https://a:8200", "http://b:8200"}, mode), "http://b:8200");
		ASSERT_FALSE(target.has_value());
		EXPECT_THAT(target.error().text, HasSubstr("plain http"));
	}
}

TEST(Redirect, APlainServerMaySendUsToConfiguredAddressesOnly)
{
	const auto settings = settingsOf({"http://a:8200", "http://b:8200/prefix"});
	EXPECT_TRUE(followTo(settings, "http://b:8200").has_value());
	EXPECT_FALSE(followTo(settings, "http://b:8201").has_value());
	EXPECT_FALSE(followTo(settings, "http://evil:8200").has_value());
	EXPECT_FALSE(followTo(settings, "https://evil").has_value());
}

TEST(Redirect, AServerThatWasNotVerifiedCountsAsPlain)
{
	auto settings = settingsOf({"https://a:8200"});
	settings.tls.insecureSkipVerify = true;
	EXPECT_FALSE(followTo(settings, "https://b:8200").has_value());
}

TEST(Redirect, AnyLeadsFromPlainHttpToWhereverItSays)
{
	EXPECT_TRUE(followTo(settingsOf({"http://a:8200"}, Redirects::any), "http://b:8200").has_value());
}

TEST(Redirect, NoneLeadsNowhere)
{
	EXPECT_FALSE(followTo(settingsOf({"https://a:8200"}, Redirects::none), "https://a:8200").has_value());
}

TEST(Redirect, ARelativeLocationIsNoOtherServer)
{
	EXPECT_FALSE(followTo(settingsOf({"https://a"}, Redirects::any), "").has_value());
	EXPECT_FALSE(follow(settingsOf({"https://a"}, Redirects::any), "/v1/x?to=https://b/").has_value());
	EXPECT_FALSE(follow(settingsOf({"https://a"}, Redirects::any), "").has_value());
}

TEST(Redirect, UserInfoUnixSocketsAndNonsenseLeadNowhere)
{
	const auto settings = settingsOf({"http://a"}, Redirects::any);
	for (const std::string origin : {"https://a@b", "unix:///run/x", "gopher://b", "https://"}) {
		EXPECT_FALSE(followTo(settings, origin).has_value()) << origin;
	}
}

TEST(Redirect, OnlyThoseOfAClusterCount)
{
	for (const int status : {307, 308}) {
		EXPECT_TRUE(isRedirect(status)) << status;
	}
	for (const int status : {200, 300, 301, 302, 303, 304, 400}) {
		EXPECT_FALSE(isRedirect(status)) << status;
	}
}

} // namespace
} // namespace issuer::vault::transport
