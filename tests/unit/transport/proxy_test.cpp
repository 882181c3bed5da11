#include "transport/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

namespace issuer::vault::transport {
namespace {

using testing::HasSubstr;
using testing::Not;

using Variables = std::map<std::string, std::string>;

Result<Proxies> proxies(const std::string& setting, const Variables& variables = {})
{
	const auto environment = Proxies::fromEnvironment([&](const char* name) {
		const auto found = variables.find(name);
		return found != variables.end() ? found->second.c_str() : nullptr;
	});
	Settings settings;
	settings.proxy = setting;
	return Proxies::from(settings, environment);
}

std::string between(const Proxies& rules, const std::string& target)
{
	const auto proxy = rules.proxyFor(Address::parse(target).value());
	return !proxy ? proxy.error().text : *proxy ? (*proxy)->text() : "direct";
}

std::string inEnvironment(const Variables& variables, const std::string& target)
{
	return between(*proxies("environment", variables), target);
}

bool isDirect(const std::string& noProxy, const std::string& target)
{
	return inEnvironment({{"https_proxy", "http://p:1"}, {"NO_PROXY", noProxy}}, target) == "direct";
}

TEST(Proxies, WithoutASettingTheEnvironmentDoesNotCount)
{
	EXPECT_EQ(
		between(*proxies("", {{"https_proxy", "http://p:1"}, {"VAULT_PROXY_ADDR", "http://p:1"}}), "https://vault"),
		"direct");
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
	const Variables variables{{"HTTP_PROXY", "plain:1"}, {"HTTPS_PROXY", "http://tls:2"}};
	EXPECT_EQ(inEnvironment(variables, "http://vault"), "http://plain:1");
	EXPECT_EQ(inEnvironment(variables, "https://vault"), "http://tls:2");
}

TEST(Proxies, UpperCaseComesFirstAndEmptyCountsAsNotSet)
{
	EXPECT_EQ(
		inEnvironment({{"https_proxy", "http://l:1"}, {"HTTPS_PROXY", "http://u:1"}}, "https://vault"), "http://u:1");
	EXPECT_EQ(inEnvironment({{"https_proxy", "http://l:1"}, {"HTTPS_PROXY", ""}}, "https://vault"), "http://l:1");
	EXPECT_EQ(inEnvironment({{"https_proxy", ""}, {"HTTPS_PROXY", ""}}, "https://vault"), "direct");
}

TEST(Proxies, TheToolsOwnVariableComesFirstAndKnowsNoExceptions)
{
	Variables variables{{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", "*"}, {"VAULT_HTTP_PROXY", "http://a:1"}};
	EXPECT_EQ(inEnvironment(variables, "https://vault"), "http://a:1");
	variables["BAO_HTTP_PROXY"] = "http://b:1";
	EXPECT_EQ(inEnvironment(variables, "https://vault"), "http://b:1");
	variables["VAULT_PROXY_ADDR"] = "http://c:1";
	EXPECT_EQ(inEnvironment(variables, "https://vault"), "http://c:1");
	variables["BAO_PROXY_ADDR"] = "http://d:1";
	EXPECT_EQ(inEnvironment(variables, "https://vault"), "http://d:1");
	EXPECT_EQ(inEnvironment(variables, "http://127.0.0.1"), "http://d:1");
	EXPECT_EQ(inEnvironment(variables, "unix:///run/x"), "direct");
}

TEST(Proxies, UserAndPasswordAreShownToTheProxyOnly)
{
	for (const std::string address : {"http://us%65r:p%40ss:w@p:3128", "us%65r:p%40ss:w@p:3128"}) {
		const auto rules = proxies("environment", {{"HTTPS_PROXY", address}});
		const auto proxy = rules->proxyFor(Address::parse("https://vault").value()).value();
		EXPECT_EQ(proxy->text(), "http://p:3128");
		EXPECT_EQ(proxy->authorization, "Proxy-Authorization: Basic dXNlcjpwQHNzOnc=\r\n");
	}
	const auto nameOnly = Address::parseProxy("http://me@p:1").value();
	EXPECT_EQ(nameOnly.authorization, "Proxy-Authorization: Basic bWU6\r\n");
	EXPECT_EQ(Address::parseProxy("http://p:1")->authorization, "");
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
	EXPECT_FALSE(isDirect("*.example.com", "https://example.com"));
	EXPECT_FALSE(isDirect(".example.com", "https://example.com")) << "only what is below, as Go has it";
	EXPECT_TRUE(isDirect("example.com", "https://vault.example.com.:8200"));
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

TEST(Proxies, OneThatCannotBeUsedMattersToTheServersThatItIsForOnly)
{
	for (const std::string unusable : {"socks5://me:hunter2@p:1", "https://me:hunter2@p:1", "http://me:hunter2@p:x",
			 "http://me:hunter%2@p:1", "http://me:hunter2@p:1/hunter2", "hunter2 "}) {
		const Variables variables{{"HTTPS_PROXY", unusable}, {"HTTP_PROXY", "p:1"}, {"NO_PROXY", "near"}};
		EXPECT_EQ(inEnvironment(variables, "http://vault"), "http://p:1");
		EXPECT_EQ(inEnvironment(variables, "https://near"), "direct");
		const auto error = inEnvironment(variables, "https://vault");
		EXPECT_THAT(error, HasSubstr("environment variable HTTPS_PROXY "));
		EXPECT_THAT(error, HasSubstr("http://proxy.example:3128"));
		EXPECT_THAT(error, Not(HasSubstr("hunter")));
	}
}

TEST(Proxies, SocksIsRefusedByName)
{
	EXPECT_THAT(inEnvironment({{"VAULT_PROXY_ADDR", "socks5://p:1"}}, "https://vault"),
		HasSubstr("VAULT_PROXY_ADDR names a SOCKS proxy, which is not supported"));
	EXPECT_THAT(proxies("socks5h://p:1").error().text, HasSubstr("proxy names a SOCKS proxy"));
}

} // namespace
} // namespace issuer::vault::transport
