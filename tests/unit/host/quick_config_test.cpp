#include "commands/quick_config.h"

#include "temp_dir.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

namespace issuer::commands {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Result<HostConfig> configOf(const std::map<std::string, std::string>& variables)
{
	const Environment environment = [&](const std::string& name) {
		const auto found = variables.find(name);
		return found == variables.end() ? std::nullopt : std::optional(found->second);
	};
	return quickConfig(environment, "/p/vault_plugin.so");
}

std::string textOf(const std::map<std::string, std::string>& variables)
{
	const auto config = configOf(variables);
	return config ? config->issuers.at(0).config : config.error().text;
}

TEST(QuickConfig, ATokenIsAllItNeedsAndIsNotCopied)
{
	const auto config = configOf({{"VAULT_TOKEN", "hvs.secret"}});
	ASSERT_TRUE(config);
	EXPECT_EQ(config->issuers.at(0).name, "vault");
	EXPECT_EQ(config->issuers.at(0).plugin.path, "/p/vault_plugin.so");
	EXPECT_EQ(config->issuers.at(0).config,
		R"({"address":"https://127.0.0.1:8200","token":{"env":"VAULT_TOKEN"},"proxy":"environment","startup":"background"})");
}

TEST(QuickConfig, OpenBaosVariablesComeFirstAndEmptyOnesCountAsNotSet)
{
	EXPECT_EQ(textOf({{"VAULT_TOKEN", "v"}, {"BAO_TOKEN", "b"}, {"VAULT_ADDR", "http://v"}, {"BAO_ADDR", "http://b"}}),
		R"({"address":"http://b","token":{"env":"BAO_TOKEN"},"proxy":"environment","startup":"background"})");
	EXPECT_EQ(textOf({{"VAULT_TOKEN", "v"}, {"BAO_TOKEN", ""}, {"VAULT_ADDR", "http://v"}, {"BAO_ADDR", ""}}),
		R"({"address":"http://v","token":{"env":"VAULT_TOKEN"},"proxy":"environment","startup":"background"})");
}

TEST(QuickConfig, EveryVariableHasItsKey)
{
	EXPECT_EQ(textOf({{"VAULT_TOKEN", "t"}, {"VAULT_ADDR", "https://v:8200"}, {"VAULT_NAMESPACE", "team\"a"},
				  {"VAULT_CACERT", "/ca.pem"}, {"VAULT_CAPATH", "/ca"}, {"VAULT_CLIENT_CERT", "/c.pem"},
				  {"VAULT_CLIENT_KEY", "/k.pem"}, {"VAULT_TLS_SERVER_NAME", "v"}, {"VAULT_SKIP_VERIFY", "true"}}),
		R"({"address":"https://v:8200","namespace":"team\"a","tls":{"ca_file":"/ca.pem","ca_dir":"/ca",)"
		R"("client_cert":"/c.pem","client_key":"/k.pem","server_name":"v","insecure_skip_verify":true},)"
		R"("token":{"env":"VAULT_TOKEN"},"proxy":"environment","startup":"background"})");
}

TEST(QuickConfig, RelativePathsStartWhereTheProgramDoes)
{
	EXPECT_EQ(textOf({{"VAULT_TOKEN", "t"}, {"VAULT_CACERT", "./ca.pem"}}),
		R"({"address":"https://127.0.0.1:8200","tls":{"ca_file":")" + (fs::current_path() / "ca.pem").string() +
			R"("},"token":{"env":"VAULT_TOKEN"},"proxy":"environment","startup":"background"})");
}

TEST(QuickConfig, SkipVerifyIsTrueOrFalse)
{
	EXPECT_EQ(textOf({{"VAULT_TOKEN", "t"}, {"VAULT_SKIP_VERIFY", "0"}}),
		R"({"address":"https://127.0.0.1:8200","token":{"env":"VAULT_TOKEN"},"proxy":"environment","startup":"background"})");
	EXPECT_EQ(
		textOf({{"VAULT_TOKEN", "t"}, {"VAULT_SKIP_VERIFY", "maybe"}}), "VAULT_SKIP_VERIFY: true or false is wanted");
}

TEST(QuickConfig, WithoutATokenVariableTheLoginsFileIsRead)
{
	const issuer::test::TempDir home;
	std::ofstream(home.path() / ".vault-token") << "hvs.secret";
	EXPECT_EQ(textOf({{"HOME", home.path()}}), R"({"address":"https://127.0.0.1:8200","token":{"file":")" +
												   (home.path() / ".vault-token").string() +
												   R"("},"proxy":"environment","startup":"background"})");
}

TEST(QuickConfig, ATokensPathComesBeforeTheLoginsFile)
{
	const issuer::test::TempDir home;
	std::ofstream(home.path() / ".vault-token") << "hvs.secret";
	EXPECT_THAT(textOf({{"HOME", home.path()}, {"BAO_TOKEN_PATH", "~/other"}}),
		HasSubstr(R"("token":{"file":")" + (home.path() / "other").string() + R"("})"));
	EXPECT_THAT(
		textOf({{"HOME", home.path()}, {"VAULT_TOKEN_PATH", "/run/t"}}), HasSubstr(R"("token":{"file":"/run/t"})"));
	EXPECT_THAT(
		textOf({{"BAO_TOKEN_PATH", "/run/t"}, {"VAULT_TOKEN", "hvs.secret"}}), HasSubstr(R"({"env":"VAULT_TOKEN"})"));
}

TEST(QuickConfig, ALeftoverOfTheLoginsFileIsNotReadWhereATokenHelperIsNamed)
{
	for (const char* text :
		{"token_helper = \"/usr/bin/helper\"\n", "# comment\n  token_helper=\"h\"", "{\n\"token_helper\": \"h\"}"}) {
		for (const char* name : {".vault", ".bao", "elsewhere"}) {
			const issuer::test::TempDir home;
			std::ofstream(home.path() / ".vault-token") << "hvs.secret";
			std::ofstream(home.path() / name) << text;
			std::map<std::string, std::string> variables{{"HOME", home.path()}};
			if (std::string(name) == "elsewhere") {
				variables["VAULT_CONFIG_PATH"] = "~/elsewhere";
			}
			EXPECT_THAT(
				textOf(variables), testing::StartsWith((home.path() / name).string() + " names a token helper"));
			variables["BAO_TOKEN_PATH"] = "/run/t";
			EXPECT_THAT(textOf(variables), HasSubstr("/run/t"));
		}
	}
}

TEST(QuickConfig, OtherContentOfTheToolsConfigurationDoesNotMatter)
{
	for (const char* text : {"", "# token_helper = \"h\"", "token_helper = \"\"", "$ANSIBLE_VAULT;1.1;AES256"}) {
		const issuer::test::TempDir home;
		std::ofstream(home.path() / ".vault-token") << "hvs.secret";
		std::ofstream(home.path() / ".vault") << text;
		fs::create_directory(home.path() / ".bao");
		EXPECT_THAT(textOf({{"HOME", home.path()}}), HasSubstr(".vault-token")) << text;
		EXPECT_THAT(textOf({{"HOME", home.path()}}), testing::StartsWith("{")) << text;
	}
}

TEST(QuickConfig, AnAgentsAddressComesFirst)
{
	EXPECT_THAT(
		textOf({{"VAULT_TOKEN", "t"}, {"VAULT_ADDR", "https://v"}, {"VAULT_AGENT_ADDR", "http://127.0.0.1:8100"}}),
		HasSubstr(R"("address":"http://127.0.0.1:8100")"));
}

TEST(QuickConfig, RedirectsCanBeForbidden)
{
	EXPECT_THAT(
		textOf({{"VAULT_TOKEN", "t"}, {"BAO_DISABLE_REDIRECTS", "true"}}), HasSubstr(R"(,"follow_redirects":"none"})"));
	EXPECT_EQ(textOf({{"VAULT_TOKEN", "t"}, {"VAULT_DISABLE_REDIRECTS", "x"}}),
		"VAULT_DISABLE_REDIRECTS: true or false is wanted");
}

TEST(QuickConfig, AProxyAndItsPasswordAreLeftWhereTheyAre)
{
	const auto text = textOf({{"VAULT_TOKEN", "t"}, {"VAULT_PROXY_ADDR", "http://me:hunter2@p:1"}});
	EXPECT_THAT(text, HasSubstr(R"("proxy":"environment")"));
	EXPECT_THAT(text, testing::Not(HasSubstr("hunter2")));
}

TEST(QuickConfig, NamesTheVariablesThatItDoesNotFollow)
{
	const std::map<std::string, std::string> variables{{"VAULT_CACERT_BYTES", "PEM"}, {"VAULT_ADDR", "https://v"}};
	const auto lines = notFollowed([&](const std::string& name) {
		const auto found = variables.find(name);
		return found == variables.end() ? std::nullopt : std::optional(found->second);
	});
	EXPECT_THAT(lines, testing::ElementsAre("environment variable VAULT_CACERT_BYTES is not followed: put the "
											"certificates into a file and set VAULT_CACERT"));
}

TEST(QuickConfig, WithoutAnyTokenItSaysHowToGetOne)
{
	const issuer::test::TempDir home;
	EXPECT_EQ(textOf({{"HOME", home.path()}}), "there is no token: set VAULT_TOKEN or BAO_TOKEN, or log in so that " +
												   (home.path() / ".vault-token").string() +
												   " holds one; or write a configuration and use --config FILE");
}

TEST(NewestVaultPlugin, IsTheOneWithTheHighestVersionThatHasAFile)
{
	const issuer::test::TempDir plugins;
	for (const char* version : {"1.9.0", "1.10.0-0123456789ab", "1.2.0"}) {
		fs::create_directories(plugins.path() / "vault" / version);
		std::ofstream(plugins.path() / "vault" / version / "vault_plugin.so") << "code";
	}
	fs::create_directories(plugins.path() / "vault" / "2.0.0");
	EXPECT_EQ(newestVaultPlugin(plugins.path()).value(), plugins.path() / "vault/1.10.0-0123456789ab/vault_plugin.so");
}

TEST(NewestVaultPlugin, ThatIsNotInstalledIsAskedFor)
{
	EXPECT_EQ(newestVaultPlugin("/nowhere").error().text,
		"no plugin is installed under /nowhere/vault; name one with --plugin PATH");
}

} // namespace
} // namespace issuer::commands
