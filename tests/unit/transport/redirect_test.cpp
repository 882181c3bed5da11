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

Result<Target> follow(const Settings& settings, std::string_view location)
{
	return redirectTarget(settings, settings.addresses.front(), location);
}

TEST(Redirect, AVerifiedServerMaySendUsToAnyHttpsServer)
{
	const auto target = follow(settingsOf({"https://a:8200"}), "https://leader:8200/v1/auth/token/renew-self?x=1");
	ASSERT_TRUE(target.has_value());
	EXPECT_EQ(target->address, Address::parse("https://leader:8200").value());
	EXPECT_EQ(target->path, "/v1/auth/token/renew-self?x=1");
}

TEST(Redirect, NeverLeadsFromHttpsToPlainHttp)
{
	for (const auto mode : {Redirects::verified, Redirects::any}) {
		const auto target = follow(settingsOf({"https://a:8200", "http://b:8200"}, mode), "http://b:8200/v1/x");
		ASSERT_FALSE(target.has_value());
		EXPECT_THAT(target.error().text, HasSubstr("plain http"));
	}
}

TEST(Redirect, APlainServerMaySendUsToConfiguredAddressesOnly)
{
	const auto settings = settingsOf({"http://a:8200", "http://b:8200/prefix"});
	EXPECT_TRUE(follow(settings, "http://b:8200/v1/x").has_value());
	EXPECT_FALSE(follow(settings, "http://b:8201/v1/x").has_value());
	EXPECT_FALSE(follow(settings, "http://evil:8200/v1/x").has_value());
	EXPECT_FALSE(follow(settings, "https://evil/v1/x").has_value());
}

TEST(Redirect, AServerThatWasNotVerifiedCountsAsPlain)
{
	auto settings = settingsOf({"https://a:8200"});
	settings.tls.insecureSkipVerify = true;
	EXPECT_FALSE(follow(settings, "https://b:8200/").has_value());
}

TEST(Redirect, AnyLeadsFromPlainHttpToWhereverItSays)
{
	EXPECT_TRUE(follow(settingsOf({"http://a:8200"}, Redirects::any), "http://b:8200/v1/x").has_value());
}

TEST(Redirect, NoneLeadsNowhere)
{
	EXPECT_FALSE(follow(settingsOf({"https://a:8200"}, Redirects::none), "https://a:8200/").has_value());
}

TEST(Redirect, ARelativeLocationIsNoOtherServer)
{
	EXPECT_FALSE(follow(settingsOf({"https://a"}, Redirects::any), "/v1/auth/token/renew-self").has_value());
	EXPECT_FALSE(follow(settingsOf({"https://a"}, Redirects::any), "/v1/x?to=https://b/").has_value());
	EXPECT_FALSE(follow(settingsOf({"https://a"}, Redirects::any), "").has_value());
}

TEST(Redirect, UserInfoUnixSocketsAndNonsenseLeadNowhere)
{
	const auto settings = settingsOf({"http://a"}, Redirects::any);
	EXPECT_FALSE(follow(settings, "https://a@b/").has_value());
	EXPECT_FALSE(follow(settings, "unix:///run/x").has_value());
	EXPECT_FALSE(follow(settings, "gopher://b/").has_value());
	EXPECT_FALSE(follow(settings, "https:///x").has_value());
}

TEST(Redirect, AServerWithoutAPathIsAskedForItsRoot)
{
	const auto settings = settingsOf({"https://a"});
	EXPECT_EQ(follow(settings, "https://b")->path, "/");
	EXPECT_EQ(follow(settings, "https://b?q#frag")->path, "/?q");
	EXPECT_EQ(follow(settings, "https://b#frag")->path, "/");
}

TEST(Redirect, OnlyTheKindsThatKeepMethodAndBodyCount)
{
	for (const int status : {301, 302, 307, 308}) {
		EXPECT_TRUE(isRedirect(status)) << status;
	}
	for (const int status : {200, 300, 303, 304, 400}) {
		EXPECT_FALSE(isRedirect(status)) << status;
	}
}

} // namespace
} // namespace issuer::vault::transport
