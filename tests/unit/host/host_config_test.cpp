#include "commands/host_config.h"

#include "temp_dir.h"

#include <Poco/JSON/Parser.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <regex>
#include <string>
#include <string_view>

namespace issuer::commands {
namespace {

using namespace std::chrono_literals;

/// An error without «line 1, column 2: » at the begin of each of its lines.
std::string withoutPlaces(const std::string& text)
{
	static const std::regex place("line [0-9]+, column [0-9]+: ");
	return std::regex_replace(text, place, "");
}

std::string refusalOf(const std::string& json)
{
	const auto config = parseConfig(json, "/etc/issuer");
	return config ? "accepted" : withoutPlaces(config.error().text);
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
	const auto refusal = [&](const std::string& value) { return withoutPlaces(http(value).error().text); };
	EXPECT_EQ(refusal("[]"), "http: an object is wanted");
	EXPECT_EQ(refusal(R"({"port":1})"), "http.port: there is no such key; the keys here are listen, plain_public, tls");
	EXPECT_EQ(refusal(R"({"plain_public":1})"), "http.plain_public: true or false is wanted");
	EXPECT_EQ(refusal(R"({"tls":{"key":"k"}})"), "http.tls.certificate: it is missing");
	EXPECT_EQ(refusal(R"({"listen":"x"})").substr(0, 13), "http.listen: ");
	EXPECT_EQ(refusal(R"({"listen":":1"})").substr(0, 21), "http would be open to");
}

TEST(HostConfig, AFleetNeedsANameAndEndpoints)
{
	const auto parsed = parseConfig(
		R"({"issuers":[{"name":"a","plugin":"/x","config":{}},{"name":"b","plugin":"/x","config":{},"fleet":false}],
		"fleet":{"name":"prod","member":"host-a","takeover":"5s","url":"https://host-a:9464",
		"etcd":{"endpoints":["https://e1:2379","http://127.0.0.1:2379/"],"ca_file":"ca.pem","client_cert":"c.pem",
		"client_key":"k.pem","server_name":"etcd","user":"u","password":{"file":"/run/p"}}}})",
		"/etc/issuer");
	ASSERT_TRUE(parsed) << parsed.error().text;
	const FleetConfig& fleet = parsed->fleet.value();
	EXPECT_EQ(fleet.name, "prod");
	EXPECT_EQ(fleet.member, "host-a");
	EXPECT_EQ(fleet.takeover, 5s);
	EXPECT_EQ(fleet.url, "https://host-a:9464");
	EXPECT_EQ(fleet.etcd.endpoints, (std::vector<std::string>{"https://e1:2379", "http://127.0.0.1:2379"}));
	EXPECT_EQ(fleet.etcd.caFile, "/etc/issuer/ca.pem");
	EXPECT_EQ(fleet.etcd.clientKey, "/etc/issuer/k.pem");
	EXPECT_EQ(fleet.etcd.serverName, "etcd");
	EXPECT_EQ(fleet.etcd.user, "u");
	EXPECT_EQ(fleet.etcd.passwordFile, "/run/p");
	EXPECT_TRUE(parsed->issuers.front().shared);
	EXPECT_FALSE(parsed->issuers.back().shared) << "\"fleet\": false";
	const auto alone = parseConfig(R"({"issuers":[{"name":"a","plugin":"/x","config":{}}]})", "/");
	EXPECT_FALSE(alone->fleet);
	EXPECT_FALSE(alone->issuers.front().shared) << "there is no fleet";
}

TEST(HostConfig, AHostOfAFleetHasItsOwnNameAndUrlUnlessTheConfigurationSaysThem)
{
	const auto json = Poco::JSON::Parser().parse(R"({"name":"p","etcd":{"endpoints":["https://e:1"]}})");
	EXPECT_EQ(fleetAt(json, "/", {"me", ""}).member, "me");
	EXPECT_EQ(fleetAt(json, "/", {"me", ""}).url, "");
	EXPECT_EQ(fleetAt(json, "/", {"me", "http://pod-0.hosts:9464"}).url, "http://pod-0.hosts:9464");
	const auto said = Poco::JSON::Parser().parse(
		R"({"name":"p","url":"https://said","ca_file":"ca.pem","etcd":{"endpoints":["https://e:1"]}})");
	EXPECT_EQ(fleetAt(said, "/etc", {"me", "http://pod-0"}).url, "https://said");
	EXPECT_EQ(fleetAt(said, "/etc", {"me", ""}).caFile, "/etc/ca.pem");
	::setenv("ISSUER_HOST_URL", "pod-0", 1);
	const auto wrong = parseConfig(R"({"issuers":[{"name":"a","plugin":"/x","config":{}}],
		"fleet":{"name":"p","member":"m","etcd":{"endpoints":["https://e:1"]}}})",
		"/");
	::unsetenv("ISSUER_HOST_URL");
	ASSERT_FALSE(wrong);
	EXPECT_EQ(wrong.error().text, "line 2, column 11: fleet.url of $ISSUER_HOST_URL: a URL such as "
								  "https://host.example:2379 is wanted, not \"pod-0\"");
}

/// Returns one of this process's lines of memory, in bytes: VmRSS, or VmHWM, the peak since the last reset.
std::size_t memory(const std::string& name)
{
	std::ifstream status("/proc/self/status");
	for (std::string line; std::getline(status, line);) {
		if (line.starts_with(name + ':')) {
			return std::stoul(line.substr(name.size() + 1)) * 1024;
		}
	}
	return 0;
}

/// A configuration is read issuer by issuer: the whole as a tree would take some twenty times its text.
TEST(HostConfig, OfManyIssuersTakesNoTreeOfAll)
{
	std::string text = "{\"issuers\":[";
	constexpr int count = 20'000;
	for (int i = 0; i < count; ++i) {
		text +=
			(i > 0 ? ",\n" : "") +
			(R"({"name":"issuer-)" + std::to_string(i) +
				R"(","plugin":"/x","config":{"address":"https://vault.example:8200","namespace":"team","token":{"file":)"
				R"("/run/credentials/vault-token"},"renewal":{"fraction":0.5},"tls":{"ca_file":"/etc/ssl/ca.pem"}}})");
	}
	text += "]}";
	const std::size_t size = text.size();
	if (!(std::ofstream("/proc/self/clear_refs") << '5').flush() || std::string_view(ISSUER_SANITIZE) != "") {
		GTEST_SKIP() << "a peak of memory is not told here, or the sanitizer's";
	}
	const std::size_t before = memory("VmRSS");
	const auto parsed = parseConfig(std::move(text), "/");
	const std::size_t peak = memory("VmHWM");
	ASSERT_TRUE(parsed) << parsed.error().text;
	EXPECT_EQ(parsed->issuers.size(), static_cast<std::size_t>(count));
	EXPECT_LT(peak, before + 5 * size) << "the text, the issuers that are kept, and their names";
}

TEST(HostConfig, TheFaultsOfManyIssuersAreEachToldWithTheirPlace)
{
	std::string text = "{\"issuers\":[\n";
	for (int i = 0; i < 3; ++i) {
		text += (i > 0 ? ",\n" : "") + (R"({"name":"é","plugin":"/x","config":{"a":[)" + std::to_string(i) + "]}}");
	}
	EXPECT_EQ(parseConfig(text + "]}", "/").error().text, "line 3, column 9: issuers[1].name: \"é\" is used twice\n"
														  "line 4, column 9: issuers[2].name: \"é\" is used twice");
}

TEST(HostConfig, AWrongFleetNamesThePlaceAndTheNextStep)
{
	using testing::HasSubstr;
	const auto refusal = [](const std::string& value) {
		const auto parsed =
			parseConfig(R"({"issuers":[{"name":"a","plugin":"/x","config":{}}],"fleet":)" + value + "}", "/etc/issuer");
		return parsed ? std::string("accepted") : withoutPlaces(parsed.error().text);
	};
	const auto etcd = [&](const std::string& inside) {
		return refusal(R"({"name":"p","member":"m","etcd":{)" + inside + "}}");
	};
	const std::string good = R"("endpoints":["https://e:1"])";
	EXPECT_EQ(etcd(good), "accepted");
	EXPECT_THAT(refusal("[]"), HasSubstr("fleet: an object is wanted"));
	EXPECT_THAT(refusal(R"({"etcd":{}})"), HasSubstr("fleet.name"));
	EXPECT_THAT(refusal(R"({"name":"a/b"})"), HasSubstr("fleet.name: at most 64 letters"));
	EXPECT_THAT(refusal(R"({"name":"p","member":"a@b"})"), HasSubstr("fleet.member: at most 64 letters"));
	EXPECT_THAT(refusal(R"({"name":"p","member":"m"})"), HasSubstr("fleet.etcd: it is missing"));
	EXPECT_THAT(refusal(R"({"name":"p","member":"m","takeover":"1s"})"), HasSubstr("fleet.takeover: 2s to 5m"));
	EXPECT_THAT(refusal(R"({"name":"p","member":"m","takeover":"6m"})"), HasSubstr("fleet.takeover: 2s to 5m"));
	EXPECT_THAT(refusal(R"({"name":"p","member":"m","url":"host"})"), HasSubstr("fleet.url: a URL"));
	EXPECT_THAT(etcd(R"("endpoints":[])"), HasSubstr("fleet.etcd.endpoints: a list"));
	EXPECT_THAT(etcd(R"("endpoints":["e:1"])"), HasSubstr("fleet.etcd.endpoints[0]: a URL"));
	EXPECT_THAT(etcd(R"("endpoints":["https://e:1/v3"])"), HasSubstr("only scheme, host and port"));
	EXPECT_THAT(etcd(R"("endpoints":["http://e:1"])"), HasSubstr("\"plain\": true"));
	EXPECT_EQ(etcd(R"("endpoints":["http://e:1"],"plain":true)"), "accepted");
	EXPECT_EQ(etcd(R"("endpoints":["http://[::1]:1"])"), "accepted");
	EXPECT_THAT(etcd(good + R"(,"client_cert":"c")"), HasSubstr("client_cert and client_key"));
	EXPECT_THAT(etcd(good + R"(,"user":"u")"), HasSubstr("user and password"));
	EXPECT_THAT(etcd(good + R"(,"password":"secret")"), HasSubstr("fleet.etcd.password: an object is wanted"));
	EXPECT_THAT(etcd(good + R"(,"colour":1)"), HasSubstr("fleet.etcd.colour"));
}

TEST(HostConfig, WithoutAFleetThatCanBeReadAHostKeepsEverythingItself)
{
	const auto parsed = parseConfig(
		R"({"issuers":[{"name":"a","plugin":"/x","config":{}}],"fleet":{"name":""}})", "/", Reading::lenient);
	ASSERT_TRUE(parsed);
	EXPECT_FALSE(parsed->fleet);
	EXPECT_FALSE(parsed->issuers.front().shared);
	EXPECT_EQ(parsed->faults.size(), 1U);
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
	EXPECT_EQ(withoutPlaces(journal("{}").error().text), "journal.file: it is missing");
	for (const char* wrong : {"0", "1025", "-1", "1.5", "true", "\"2\""}) {
		EXPECT_EQ(withoutPlaces(journal(R"({"file":"j","max_mib":)" + std::string(wrong) + "}").error().text),
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

TEST(HostConfig, AMistakeIsNamedByItsPath)
{
	const std::string good = R"("name":"a","plugin":"/x","config":{})";
	const std::pair<std::string, std::string> cases[] = {
		{"[]", "the configuration: an object is wanted"},
		{R"({"issuers":[],"x":1})",
			"x: there is no such key; the keys here are issuers, include, environment, stop_timeout, swap_timeout, "
			"control, control_group, http, journal, exec, fleet"},
		{"{}", "issuers: at least one issuer is wanted, here or in the folder of \"include\""},
		{R"({"issuers":[]})", "issuers: at least one issuer is wanted, here or in the folder of \"include\""},
		{R"({"issuers":{}})", "issuers: a list is wanted"},
		{R"({"include":7})", "include: a string is wanted"},
		{R"({"environment":"A"})", "environment: a list of names is wanted"},
		{R"({"environment":[7]})", "environment[0]: a string is wanted"},
		{R"({"issuers":[1]})", "issuers[0]: an object is wanted"},
		{withIssuer(good + R"(,"tokn":1)"),
			"issuers[0].tokn: there is no such key; the keys here are name, plugin, sha256, config, fleet"},
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
	EXPECT_EQ(parseConfig("{\"a\":1, \"\\u0061\":2}", "/").error().text, "line 1, column 18: \"a\" is there twice");
}

TEST(HostConfig, EveryErrorHasItsLineAndColumn)
{
	const std::string json = R"({
  "issuers": [ // of two teams
    {"name": "größe", "plugin": "/x", "config": 7},
    /* this one
       is older */ {"name": 5, "plugin": "/x", "config": {}, "tokn": 1},
    {"name": "c", "config": {}},
  	{"name": "d", "plugin": "/x", "config": {}}
  ],
  "stop_timeout": "soon", "http": {"port": 1}, "journal": [], "colour": 3
})";
	EXPECT_EQ(parseConfig(json, "/").error().text,
		"line 9, column 73: colour: there is no such key; the keys here are issuers, include, environment, "
		"stop_timeout, swap_timeout, "
		"control, control_group, http, journal, exec, fleet\n"
		"line 3, column 49: issuers[0].config: an object is wanted\n"
		"line 5, column 70: issuers[1].tokn: there is no such key; the keys here are name, plugin, sha256, config, "
		"fleet\n"
		"line 6, column 5: issuers[2].plugin: it is missing\n"
		"line 9, column 19: stop_timeout: \"soon\" is not a duration such as \"90s\" or \"1h30m\"\n"
		"line 9, column 44: http.port: there is no such key; the keys here are listen, plain_public, tls\n"
		"line 9, column 59: journal: an object is wanted");
	const std::pair<std::string, std::string> broken[] = {
		{"", "line 1, column 1: it is not JSON: a value is wanted"},
		{"{\n \"a\": 1,\n}", "line 2, column 8: it is not JSON: after the last one no comma is wanted"},
		{"{\n \"a\": [1 2]}", "line 2, column 10: it is not JSON: a comma or ] is wanted"},
		{"{\"ü\" 1}", "line 1, column 6: it is not JSON: a colon is wanted"},
		{"{a: 1}", "line 1, column 2: it is not JSON: a key in quotes is wanted"},
		{"{\"a\": yes}", "line 1, column 7: it is not JSON: a value is wanted"},
		{"{\"a\": \"b}", "line 1, column 7: it is not JSON: this string has no end"},
		{"{\"a\": \"C:\\d\"}",
			"line 1, column 10: it is not JSON: there is no such escape; a backslash is written as two"},
		{"{\"a\": 01}", "line 1, column 7: it is not JSON: a number does not begin with 0"},
		{"{} {}", "line 1, column 4: it is not JSON: nothing more is wanted after the end"},
		{"{} /* no end", "line 1, column 4: it is not JSON: nothing more is wanted after the end"},
	};
	for (const auto& [text, error] : broken) {
		EXPECT_EQ(parseConfig(text, "/").error().text, error) << text;
	}
}

TEST(HostConfig, MayHaveCommentsButNotInsideOfStrings)
{
	const auto config = parseConfig(R"(// the team's
{"issuers": [{"name": "a//b", /* with "quotes" */ "plugin": "/x", // to the end "
  "config": {"address": "https://v/*", "quote": "\"//"}}]} // and no end of line)",
		"/");
	ASSERT_TRUE(config) << config.error().text;
	EXPECT_EQ(config->issuers[0].name, "a//b");
	EXPECT_EQ(config->issuers[0].config, R"({"address":"https://v/*","quote":"\"//"})");
}

TEST(HostConfig, EnvironmentVariablesAreReplacedWhereTheyAreNamedAndNowhereElse)
{
	::setenv("ISSUER_TEST_HOST", "v.example${ISSUER_TEST_PORT}", 1);
	::setenv("ISSUER_TEST_PORT", "8200", 1);
	const std::string issuers = R"("issuers":[{"name":"${ISSUER_TEST_PORT}","plugin":"/${ISSUER_TEST_PORT}","config":{
		"${ISSUER_TEST_HOST}": ["${ISSUER_TEST_HOST}:${ISSUER_TEST_PORT}", {"a": "$ISSUER_TEST_HOST ${HOME} ${"}, 7]}}])";
	const auto plain = parseConfig('{' + issuers + '}', "/");
	EXPECT_EQ(plain->issuers[0].config,
		R"({"${ISSUER_TEST_HOST}":["${ISSUER_TEST_HOST}:${ISSUER_TEST_PORT}",{"a":"$ISSUER_TEST_HOST ${HOME} ${"},7]})");
	const auto named = parseConfig(R"({"environment":["ISSUER_TEST_HOST"],)" + issuers + '}', "/");
	ASSERT_TRUE(named) << named.error().text;
	EXPECT_EQ(named->issuers[0].config,
		R"({"${ISSUER_TEST_HOST}":["v.example${ISSUER_TEST_PORT}:${ISSUER_TEST_PORT}",{"a":"$ISSUER_TEST_HOST ${HOME} ${"},7]})");
	EXPECT_EQ(named->issuers[0].name, "${ISSUER_TEST_PORT}");
	EXPECT_EQ(parseConfig("{\"environment\":[\"ISSUER_TEST_NONE\"],\n" + issuers + '}', "/").error().text,
		"line 1, column 17: environment[0]: there is no such environment variable");
}

class IncludedIssuers : public testing::Test
{
protected:
	IncludedIssuers() { std::filesystem::create_directory(temp.path() / "conf.d"); }

	issuer::test::TempDir temp;
	const std::filesystem::path file = temp.write("host.json", R"({"include": "conf.d"})");
};

TEST_F(IncludedIssuers, AreOneAFileWithItsNameUnlessTheySayAnother)
{
	temp.write("conf.d/b.json", R"({"plugin": "x.so", "config": {}} // a comment)");
	temp.write("conf.d/a.json", R"({"name": "z", "plugin": "vault", "config": {}})");
	temp.write("conf.d/.hidden.json", "{");
	temp.write("conf.d/b.json~", "{");
	const auto config = loadConfig(file);
	ASSERT_TRUE(config) << config.error().text;
	ASSERT_EQ(config->issuers.size(), 2U);
	EXPECT_EQ(config->issuers[0].name, "z");
	EXPECT_EQ(config->issuers[1].name, "b");
	EXPECT_EQ(config->issuers[1].plugin.path, temp.path() / "conf.d/x.so");
	EXPECT_EQ(config->files.size(), 3U);
}

TEST_F(IncludedIssuers, ThatAreWrongAreNamedByTheirFileLineAndColumn)
{
	const std::string folder = temp.path() / "conf.d";
	temp.write("conf.d/a.json", "{\n\"plugin\": 7, \"config\": {}}");
	temp.write("conf.d/b.json", "[");
	temp.write("conf.d/c.json", R"({"plugin": "x", "config": {}})");
	temp.write("conf.d/d.json", R"({"name": "c", "plugin": "x", "config": {}})");
	std::filesystem::create_directory(temp.path() / "conf.d/e.json");
	const std::string place = "configuration " + file.string() + ": " + folder;
	EXPECT_EQ(loadConfig(file).error().text, place + "/a.json: line 2, column 11: plugin: a string is wanted\n" +
												 place +
												 "/b.json: line 1, column 2: it is not JSON: a value is wanted\n" +
												 place + "/d.json: line 1, column 10: name: \"c\" is used twice\n" +
												 place + "/e.json: it cannot be read: it is a directory");
	const auto lenient = loadConfig(file, Reading::lenient);
	ASSERT_TRUE(lenient);
	EXPECT_EQ(lenient->issuers.size(), 1U);
	EXPECT_EQ(lenient->faults.size(), 4U);
}

TEST_F(IncludedIssuers, AreAFolderThatIsThereAndNotEmpty)
{
	EXPECT_THAT(loadConfig(file).error().text, testing::HasSubstr("at least one issuer is wanted"));
	std::filesystem::remove(temp.path() / "conf.d");
	EXPECT_THAT(loadConfig(file).error().text, testing::HasSubstr("line 1, column 13: include: "));
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
			 " a", "a ",
			 "a\xC2\xA0"
			 "b",
			 "\xE3\x85\xA4", "a\xEF\xB8\x8F", "a\xF3\xA0\x80\xA1",
			 "a\xE2\x80\xA9"
			 "b"}) {
		EXPECT_NE(refusal(name), "") << name;
	}
}

TEST(HostConfig, TextThatIsNotJsonIsRefused)
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
	EXPECT_THAT(loadConfig(empty).error().text,
		testing::StartsWith("configuration " + empty.string() + ": line 1, column 1: it is not JSON:"));
}

TEST(HostConfig, RelativePluginsStartAtTheFilesFolder)
{
	const issuer::test::TempDir temp;
	const auto file = temp.path() / "host.json";
	std::ofstream(file) << withIssuer(R"("name":"a","plugin":"x.so","config":{})");
	EXPECT_EQ(loadConfig(file)->issuers[0].plugin.path, temp.path() / "x.so");
	std::ofstream(file) << "{}";
	EXPECT_EQ(loadConfig(file).error().text,
		"configuration " + file.string() +
			": line 1, column 1: issuers: at least one issuer is wanted, here or in the folder of \"include\"");
}

} // namespace
} // namespace issuer::commands
