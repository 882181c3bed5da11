#include "commands/host_config.h"

#include "temp_dir.h"

#include <fstream>
#include <gtest/gtest.h>

namespace issuer::commands {
namespace {

using namespace std::chrono_literals;

std::string refusalOf(const std::string& json)
{
	const auto config = parseConfig(json, "/etc/issuer");
	return config ? "accepted" : config.error().text;
}

/// A configuration of one issuer whose members are `members`.
std::string withIssuer(const std::string& members)
{
	return R"({"issuers":[{)" + members + "}]}";
}

TEST(HostConfig, IsDecoded)
{
	const auto config = parseConfig(R"({"issuers":[
		{"name":"a","plugin":"/p/x.so","sha256":")" +
										std::string(64, 'A') + R"(","config":{"b":1,"a":[true,null,"ü"]}},
		{"name":"b","plugin":"plugins/y.so","config":{}}], "stop_timeout":"1m"})",
		"/etc/issuer");
	ASSERT_TRUE(config) << config.error().text;
	ASSERT_EQ(config->issuers.size(), 2U);
	EXPECT_EQ(config->issuers[0].name, "a");
	EXPECT_EQ(config->issuers[0].plugin.path, "/p/x.so");
	EXPECT_EQ(config->issuers[0].plugin.sha256, std::string(64, 'a'));
	EXPECT_EQ(config->issuers[0].config, R"({"a":[true,null,"ü"],"b":1})");
	EXPECT_EQ(config->issuers[1].plugin.path, "/etc/issuer/plugins/y.so");
	EXPECT_EQ(config->issuers[1].plugin.sha256, std::nullopt);
	EXPECT_EQ(config->stopTimeout, 1min);
}

TEST(HostConfig, ThatDiffersInSpacesAndTheOrderOfKeysOnlyIsTheSame)
{
	const auto one = parseConfig(withIssuer(R"("name":"a","plugin":"/x","config":{"a":1,"b":{"c":2,"d":3}})"), "/");
	const auto two =
		parseConfig(withIssuer(R"("config" : {"b": {"d":3, "c":2}, "a": 1}, "plugin":"/x","name":"a")"), "/");
	EXPECT_EQ(one->issuers, two->issuers);
}

TEST(HostConfig, StopTimeoutMayBeANumberOfSeconds)
{
	EXPECT_EQ(
		parseConfig(R"({"issuers":[{"name":"a","plugin":"/x","config":{}}],"stop_timeout":3})", "/")->stopTimeout, 3s);
	EXPECT_EQ(parseConfig(withIssuer(R"("name":"a","plugin":"/x","config":{})"), "/")->stopTimeout, 10s);
}

TEST(HostConfig, SaysWhereThePageIsServedAndWithWhichCertificate)
{
	const auto http = [](const std::string& value) {
		return parseConfig(
			R"({"issuers":[{"name":"a","plugin":"/x","config":{}}],"http":)" + value + "}", "/etc/issuer");
	};
	EXPECT_EQ(http("{}")->http->listen.text(), "127.0.0.1:9464");
	EXPECT_EQ(http(R"({"listen":"[::1]:1"})")->http->listen.text(), "[::1]:1");
	const auto tls = http(R"({"listen":":1","tls":{"certificate":"c.pem","key":"/k.pem","client_ca":"ca.pem"}})");
	ASSERT_TRUE(tls) << tls.error().text;
	EXPECT_EQ(tls->http->tls->certificate, "/etc/issuer/c.pem");
	EXPECT_EQ(tls->http->tls->key, "/k.pem");
	EXPECT_EQ(tls->http->tls->clientCa, "/etc/issuer/ca.pem");
	EXPECT_TRUE(http(R"({"listen":":1","plain_public":true})")->http->plainPublic);
	EXPECT_EQ(http("[]").error().text, "http: an object is wanted");
	EXPECT_EQ(http(R"({"port":1})").error().text, "http.port: there is no such key");
	EXPECT_EQ(http(R"({"plain_public":1})").error().text, "http.plain_public: true or false is wanted");
	EXPECT_EQ(http(R"({"tls":{"key":"k"}})").error().text, "http.tls.certificate: it is missing");
	EXPECT_EQ(http(R"({"listen":"x"})").error().text.substr(0, 13), "http.listen: ");
	EXPECT_EQ(http(R"({"listen":":1"})").error().text.substr(0, 21), "http would be open to");
}

TEST(HostConfig, SaysWhereTheJournalIsKeptAndHowMuchOfIt)
{
	const auto journal = [](const std::string& value) {
		return parseConfig(
			R"({"issuers":[{"name":"a","plugin":"/x","config":{}}],"journal":)" + value + "}", "/etc/issuer");
	};
	EXPECT_EQ(journal(R"({"file":"j"})")->journal->file, "/etc/issuer/j");
	EXPECT_EQ(journal(R"({"file":"j","max_mib":2})")->journal->maxBytes, 2U << 20);
	EXPECT_EQ(journal(R"({"file":"j","keep":0})")->journal->keep, 0U);
	EXPECT_EQ(journal("{}").error().text, "journal.file: it is missing");
	for (const char* wrong : {"0", "1025", "-1", "1.5", "true", "\"2\""}) {
		EXPECT_EQ(journal(R"({"file":"j","max_mib":)" + std::string(wrong) + "}").error().text,
			"journal.max_mib: a number from 1 to 1024 is wanted");
	}
}

TEST(HostConfig, TheControlSocketStartsAtTheFilesFolderAndMayBeNone)
{
	const auto control = [](const std::string& value) {
		const std::string issuers = R"({"issuers":[{"name":"a","plugin":"/x","config":{}}])";
		return parseConfig(issuers + value + "}", "/etc/issuer")->control;
	};
	EXPECT_EQ(control(""), std::nullopt);
	EXPECT_EQ(control(R"(,"control":"/run/c.sock")"), "/run/c.sock");
	EXPECT_EQ(control(R"(,"control":"c.sock")"), "/etc/issuer/c.sock");
	EXPECT_EQ(control(R"(,"control":"none")"), "none");
}

TEST(HostConfig, WhatIsWrongIsNamedByItsPath)
{
	const std::string good = R"("name":"a","plugin":"/x","config":{})";
	const std::pair<std::string, std::string> cases[] = {
		{"[]", "the configuration: an object is wanted"},
		{R"({"issuers":[],"x":1})",
			"the configuration.x: there is no such key\nissuers: a list with at least one issuer is wanted"},
		{"{}", "issuers: a list with at least one issuer is wanted"},
		{R"({"issuers":[]})", "issuers: a list with at least one issuer is wanted"},
		{R"({"issuers":{}})", "issuers: a list with at least one issuer is wanted"},
		{R"({"issuers":[1]})", "issuers[0]: an object is wanted"},
		{withIssuer(good + R"(,"tokn":1)"), "issuers[0].tokn: there is no such key"},
		{withIssuer(R"("plugin":"/x","config":{})"), "issuers[0].name: it is missing"},
		{withIssuer(R"("name":"","plugin":"/x","config":{})"), "issuers[0].name: a string is wanted"},
		{withIssuer(R"("name":7,"plugin":"/x","config":{})"), "issuers[0].name: a string is wanted"},
		{withIssuer(R"("name":"a\nb","plugin":"/x","config":{})"), "issuers[0].name: a name has no control characters"},
		{withIssuer(R"("name":"a","config":{})"), "issuers[0].plugin: it is missing"},
		{withIssuer(R"("name":"a","plugin":"/x")"), "issuers[0].config: it is missing"},
		{withIssuer(R"("name":"a","plugin":"/x","config":"{}")"), "issuers[0].config: an object is wanted"},
		{withIssuer(good + R"(,"sha256":"abc")"),
			"issuers[0].sha256: 64 hexadecimal digits are wanted, as sha256sum prints them"},
		{R"({"issuers":[{)" + good + "},{" + good + "}]}", R"(issuers[1].name: "a" is used twice)"},
		{R"({"issuers":[{)" + good + R"(}],"stop_timeout":"soon"})",
			R"(stop_timeout: "soon" is not a duration such as "90s" or "1h30m")"},
		{R"({"issuers":[{)" + good + R"(}],"stop_timeout":true})",
			R"(stop_timeout: a duration such as "10s" is wanted)"},
	};
	for (const auto& [json, text] : cases) {
		EXPECT_EQ(refusalOf(json), text) << json;
	}
}

TEST(HostConfig, AMemberThatIsThereTwiceIsRefusedAtItsLineAndColumn)
{
	const std::string json =
		"{\"issuers\": [\n  {\"name\":\"a\",\"plugin\":\"/x\",\n   \"config\":{\"token\":{\"file\":\"/a\", "
		"\"file\":\"/b\"}}}]}";
	EXPECT_EQ(parseConfig(json, "/").error().text, "line 3, column 43: \"file\" is there twice");
}

TEST(HostConfig, ANameIsShortAndAllOfItIsSeen)
{
	const auto refusal = [](const std::string& name) {
		const auto config = parseConfig(R"({"issuers":[{"name":")" + name + R"(","plugin":"/x","config":{}}]})", "/");
		return config ? "" : config.error().text;
	};
	EXPECT_EQ(refusal(std::string(128, 'x')), "");
	EXPECT_EQ(refusal("größe 中文"), "");
	EXPECT_NE(refusal(std::string(129, 'x')), "");
	for (const char* name : {"a\xE2\x80\x8B",
			 "\xE2\x80\xAE"
			 "a",
			 "a\xC2\xAD"
			 "b",
			 "\xEF\xBB\xBF"
			 "a",
			 " a", "a "}) {
		EXPECT_NE(refusal(name), "") << name;
	}
}

TEST(HostConfig, WhatIsNotJsonIsRefused)
{
	for (const std::string& json : {std::string(), std::string("{"), std::string("{\"issuers\":[}"),
			 std::string("nonsense"), std::string("{} {}"), std::string(10'000, '[')}) {
		EXPECT_EQ(refusalOf(json).substr(0, 15), "it is not JSON:") << json.substr(0, 20);
	}
}

TEST(HostConfig, AFileThatIsNotThereOrNotReadableIsNamed)
{
	EXPECT_EQ(loadConfig("/nowhere/host.json").error().text, "configuration /nowhere/host.json: there is no such file");
	EXPECT_EQ(loadConfig("/etc").error().text, "configuration /etc: it cannot be read: it is a directory");
	const issuer::test::TempDir temp;
	const auto empty = temp.write("host.json", "");
	EXPECT_THAT(
		loadConfig(empty).error().text, testing::StartsWith("configuration " + empty.string() + ": it is not JSON:"));
}

TEST(HostConfig, RelativePluginsStartAtTheFilesFolder)
{
	const issuer::test::TempDir temp;
	const auto file = temp.path() / "host.json";
	std::ofstream(file) << withIssuer(R"("name":"a","plugin":"x.so","config":{})");
	EXPECT_EQ(loadConfig(file)->issuers[0].plugin.path, temp.path() / "x.so");
	std::ofstream(file) << "{}";
	EXPECT_EQ(loadConfig(file).error().text,
		"configuration " + file.string() + ": issuers: a list with at least one issuer is wanted");
}

} // namespace
} // namespace issuer::commands
