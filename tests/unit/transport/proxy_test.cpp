#include "transport/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

namespace issuer::vault::transport {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<Proxies> proxies(const std::string& setting, const std::map<std::string, std::string>& variables = {})
{
	return Proxies::from(setting, [&](const char* name) {
		const auto found = variables.find(name);
		return found != variables.end() ? std::optional(found->second) : std::nullopt;
	});
}

std::string between(const Proxies& rules, const std::string& target)
{
	const auto proxy = rules.between(Address::parse(target).value());
	return proxy ? proxy->text() : "direct";
}

bool isDirect(const std::string& noProxy, const std::string& target)
{
	const auto rules = proxies("environment", {{"https_proxy", "http://p:1"}, {"NO_PROXY", noProxy}});
	return between(*rules, target) == "direct";
}

TEST(Proxies, WithoutASettingTheEnvironmentIsNotRead)
{
	EXPECT_EQ(between(*proxies("", {{"https_proxy", "http://p:1"}}), "https://vault"), "direct");
}

TEST(Proxies, AProxyByUrlStandsBeforeEverythingButUnixSockets)
{
	const auto rules = proxies("http://p:3128/", {{"NO_PROXY", "*"}});
	EXPECT_EQ(between(*rules, "https://vault"), "http://p:3128");
	EXPECT_EQ(between(*rules, "http://127.0.0.1"), "http://p:3128");
	EXPECT_EQ(between(*rules, "unix:///run/x"), "direct");
}

TEST(Proxies, TheEnvironmentNamesOneForEachScheme)
{
	const auto rules = proxies("environment", {{"HTTP_PROXY", "plain:1"}, {"HTTPS_PROXY", "http://tls:2"}});
	EXPECT_EQ(between(*rules, "http://vault"), "http://plain:1");
	EXPECT_EQ(between(*rules, "https://vault"), "http://tls:2");
}

TEST(Proxies, LowerCaseWinsAndEmptyMeansNone)
{
	const auto rules = proxies("environment", {{"https_proxy", ""}, {"HTTPS_PROXY", "http://p:1"}});
	EXPECT_EQ(between(*rules, "https://vault"), "direct");
}

TEST(Proxies, LoopbackNeverGoesThroughTheEnvironmentsProxy)
{
	for (const auto* target : {"https://localhost", "https://127.9.9.9", "https://[::1]:8200"}) {
		EXPECT_TRUE(isDirect("", target)) << target;
	}
	EXPECT_FALSE(isDirect("", "https://128.0.0.1"));
}

TEST(Proxies, NoProxyCoversANameAndWhatIsBelow)
{
	EXPECT_TRUE(isDirect("example.com", "https://example.com"));
	EXPECT_TRUE(isDirect("Example.com", "https://vault.example.com"));
	EXPECT_TRUE(isDirect("a, .example.com ,b", "https://vault.example.com"));
	EXPECT_TRUE(isDirect("*.example.com", "https://vault.example.com"));
	EXPECT_FALSE(isDirect("example.com", "https://badexample.com"));
	EXPECT_FALSE(isDirect("vault.example.com", "https://example.com"));
	EXPECT_TRUE(isDirect("*", "https://vault"));
}

TEST(Proxies, NoProxyCoversAddressesBlocksAndPorts)
{
	EXPECT_TRUE(isDirect("192.0.2.7", "https://192.0.2.7"));
	EXPECT_TRUE(isDirect("192.0.2.0/25", "https://192.0.2.127"));
	EXPECT_FALSE(isDirect("192.0.2.0/25", "https://192.0.2.128"));
	EXPECT_TRUE(isDirect("2001:db8::/32", "https://[2001:db8:1::5]"));
	EXPECT_FALSE(isDirect("2001:db8::/32", "https://[2001:db9::]"));
	EXPECT_TRUE(isDirect("vault:8200", "https://vault:8200"));
	EXPECT_FALSE(isDirect("vault:8200", "https://vault:8201"));
	EXPECT_TRUE(isDirect("[2001:db8::1]:8200", "https://[2001:db8::1]:8200"));
	EXPECT_FALSE(isDirect("[2001:db8::1]:8200", "https://[2001:db8::1]:8201"));
	EXPECT_FALSE(isDirect("192.0.2.0/33", "https://192.0.2.1"));
	EXPECT_FALSE(isDirect(":8200,[,/,.,", "https://vault:8200"));
}

TEST(Proxies, AnUnusableProxyIsNamedByWhereItStands)
{
	EXPECT_THAT(proxies("https://p:1").error().text, HasSubstr("http://host:port"));
	EXPECT_THAT(proxies("environment", {{"HTTPS_PROXY", "http://p:x"}}).error().text, HasSubstr("HTTPS_PROXY"));
	const auto withPassword = proxies("environment", {{"http_proxy", "http://me:hunter2@p:1"}});
	EXPECT_THAT(withPassword.error().text, Not(HasSubstr("hunter2")));
}

} // namespace
} // namespace issuer::vault::transport
