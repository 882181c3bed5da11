#include "config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace issuer::vault {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using transport::Redirects;

constexpr std::string_view least = R"("address":"https://vault:8200","token":{"file":"/t"})";

/// A configuration that works, and `more`.
std::string with(std::string_view more)
{
	return "{" + std::string(least) + "," + std::string(more) + "}";
}

Config parsed(const std::string& json)
{
	auto config = parseConfig(json);
	if (!config) {
		ADD_FAILURE() << config.error().text;
		return {};
	}
	return std::move(*config);
}

std::string errorOf(std::string_view json)
{
	const auto config = parseConfig(json);
	return config ? "no error" : config.error().text;
}

TEST(Config, NeedsAnAddressAndATokenOnly)
{
	const auto config = parsed("{" + std::string(least) + "}");
	ASSERT_EQ(config.transport.addresses.size(), 1U);
	EXPECT_EQ(config.transport.addresses[0].text(), "https://vault:8200");
	EXPECT_EQ(config.transport.tls, transport::TlsIdentity());
	EXPECT_EQ(config.transport.redirects, Redirects::verified);
	EXPECT_EQ(config.transport.proxy, "");
	EXPECT_EQ(config.vaultNamespace, "");
	EXPECT_EQ(config.token.kind, credential::Origin::Kind::file);
	EXPECT_EQ(config.token.name, "/t");
	EXPECT_EQ(config.startup, Config::Startup::failFast);
	EXPECT_EQ(config.startupTimeout, 30s);
}

TEST(Config, TakesEverySetting)
{
	const auto config = parsed(R"({
		"address": ["https://a:1", "unix:///run/bao.sock"], "namespace": "team-a/x",
		"token": {"env": "VAULT_TOKEN"},
		"tls": {"ca_file": "/ca", "ca_dir": "/dir", "client_cert": "/crt", "client_key": "/key",
			"server_name": "vault.example", "insecure_skip_verify": true},
		"renewal": {"fraction": 0.6, "jitter": 0.2, "min_interval": "2s", "request_timeout": 10, "increment": "1h30m"},
		"startup": "background", "startup_timeout": 0.5,
		"proxy": "http://Proxy:3128/", "follow_redirects": "any" })");
	ASSERT_EQ(config.transport.addresses.size(), 2U);
	EXPECT_EQ(config.transport.addresses[1].socketPath, "/run/bao.sock");
	EXPECT_EQ(config.vaultNamespace, "team-a/x");
	EXPECT_EQ(config.token.kind, credential::Origin::Kind::environment);
	EXPECT_EQ(config.token.name, "VAULT_TOKEN");
	EXPECT_EQ(config.transport.tls, (transport::TlsIdentity{"/ca", "/dir", "/crt", "/key", "vault.example", true}));
	EXPECT_EQ(config.renewal.fraction, 0.6);
	EXPECT_EQ(config.renewal.jitter, 0.2);
	EXPECT_EQ(config.renewal.minInterval, 2s);
	EXPECT_EQ(config.renewal.requestTimeout, 10s);
	EXPECT_EQ(config.renewal.increment, 90min);
	EXPECT_EQ(config.startup, Config::Startup::background);
	EXPECT_EQ(config.startupTimeout, 500ms);
	EXPECT_EQ(config.transport.proxy, "http://proxy:3128");
	EXPECT_EQ(config.transport.redirects, Redirects::any);
}

TEST(Config, TakesTheTokenItself)
{
	const auto config = parsed(R"({"address":"http://v","token":{"value":" hvs.a\/b\u0063\n"}})");
	EXPECT_EQ(config.token.kind, credential::Origin::Kind::value);
	EXPECT_EQ(config.token.value.view(), "hvs.a/bc");
	EXPECT_EQ(config.token.name, "");
}

TEST(Config, TakesTheTokenWhereverItStands)
{
	EXPECT_EQ(
		parsed(R"({"token":{"value":"hvs.abc"},"address":"http://v","namespace":"n"})").token.value.view(), "hvs.abc");
}

struct Wrong
{
	const char* more;
	const char* says;
};

void PrintTo(const Wrong& wrong, std::ostream* out)
{
	*out << wrong.more;
}

class ConfigRefuses : public testing::TestWithParam<Wrong>
{
};

TEST_P(ConfigRefuses, AndNamesPathFoundAndWanted)
{
	EXPECT_THAT(errorOf(with(GetParam().more)), testing::StartsWith(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(UnknownKeys, ConfigRefuses,
	testing::Values(Wrong{R"("tls":{"ca_fil":"/ca"})", "tls.ca_fil: unknown; did you mean tls.ca_file?"},
		Wrong{R"("ca_file":"/ca")", "ca_file: unknown; did you mean tls.ca_file?"},
		Wrong{R"("colour":"red")", "colour: unknown: there is no such key"},
		Wrong{R"("tls":{"a.b":1})", "tls: holds an unknown key"},
		Wrong{R"("":1)", "the configuration: holds an unknown"},
		Wrong{R"("tls.ca_file":"/ca")", "the configuration: holds an unknown"}));

INSTANTIATE_TEST_SUITE_P(WrongTypes, ConfigRefuses,
	testing::Values(Wrong{R"("namespace":7)", "namespace: a string is wanted, found a number"},
		Wrong{R"("namespace":null)", "namespace: a string is wanted, found null"},
		Wrong{R"("tls":"/ca")", "tls: an object is wanted, found a string"},
		Wrong{R"("tls":[])", "tls: an object is wanted, found an array"},
		Wrong{R"("tls":{"insecure_skip_verify":"yes"})",
			"tls.insecure_skip_verify: true or false is wanted, found a string"},
		Wrong{
			R"("renewal":{"fraction":"0.5"})", "renewal.fraction: a number from 0.1 to 0.9 is wanted, found a string"},
		Wrong{R"("startup_timeout":true)", "startup_timeout: a length of time from 100ms to 1h, in seconds or such as "
										   "\"1h30m\", is wanted, found a boolean"}));

INSTANTIATE_TEST_SUITE_P(WrongValues, ConfigRefuses,
	testing::Values(
		Wrong{R"("renewal":{"fraction":0.95})", "renewal.fraction: a number from 0.1 to 0.9 is wanted, found 0.95"},
		Wrong{R"("renewal":{"jitter":-0.1})", "renewal.jitter: a number from 0 to 0.5 is wanted, found -0.1"},
		Wrong{R"("renewal":{"min_interval":"10 minutes"})",
			"renewal.min_interval: not a length of time of at most 100 years, such as"},
		Wrong{R"("renewal":{"min_interval":-1})",
			"renewal.min_interval: a length of time from 100ms to 24h is wanted, found -1 seconds"},
		Wrong{R"("renewal":{"request_timeout":"1h"})",
			"renewal.request_timeout: a length of time from 100ms to 5m is wanted, found 1h"},
		Wrong{R"("renewal":{"increment":"1500ms"})", "renewal.increment: whole seconds are wanted"},
		Wrong{R"("startup":"failfast")",
			"startup: \"fail_fast\" or \"background\" is wanted, found another text of 8 characters"},
		Wrong{R"("follow_redirects":"")",
			"follow_redirects: \"verified\", \"none\" or \"any\" is wanted, found another text of 0"},
		Wrong{R"("proxy":"enviroment")", "proxy: \"none\", \"environment\" or an address such as http://proxy"},
		Wrong{
			R"("proxy":"socks5://p:1")", "proxy: names a SOCKS proxy, which is not supported; a proxy's address looks"},
		Wrong{R"("namespace":"a b")", "namespace: a path such as team-a/project is wanted"},
		Wrong{R"("namespace":"a\u0000b")", "namespace: holds a control character"},
		Wrong{R"("tls":{"ca_file":"ca.pem"})", "tls.ca_file: an absolute path is wanted"},
		Wrong{R"("tls":{"client_cert":"/crt"})", "tls.client_key: missing; a client certificate and its key"},
		Wrong{R"("tls":{"client_key":"/key"})", "tls.client_cert: missing; a client certificate and its key"},
		Wrong{R"("tls":{"server_name":""})", "tls.server_name: a host name or a numeric address is wanted"}));

INSTANTIATE_TEST_SUITE_P(KeysThatStandTwice, ConfigRefuses,
	testing::Values(Wrong{R"("namespace":"a","namespace":"a")", "namespace: stands twice"},
		Wrong{R"("tls":{"ca_file":"/a","ca_dir":"/b","ca_file":"/c"})", "tls.ca_file: stands twice"},
		Wrong{R"("address":"https://other:8200")", "address: stands twice"}));

TEST(Config, SaysWhatIsWrongWithAnAddress)
{
	EXPECT_THAT(errorOf(R"({"address":"vault:8200","token":{"file":"/t"}})"),
		testing::StartsWith("address: has no scheme; an address looks like https://"));
	EXPECT_THAT(errorOf(R"({"address":["https://a","ftp://b"],"token":{"file":"/t"}})"),
		testing::StartsWith("address[1]: has a scheme other than"));
	EXPECT_THAT(errorOf(R"({"address":[],"token":{"file":"/t"}})"), HasSubstr("1 to 8 addresses is wanted, found 0"));
	EXPECT_THAT(
		errorOf(R"({"address":7,"token":{"file":"/t"}})"), HasSubstr("array of strings, is wanted, found a number"));
	EXPECT_THAT(errorOf(R"({"token":{"file":"/t"}})"), testing::StartsWith("address: missing"));
}

TEST(Config, WantsTheTokenFromExactlyOnePlace)
{
	const auto error = [](const std::string& token) {
		return errorOf(R"({"address":"http://v","token":)" + token + "}");
	};
	EXPECT_THAT(errorOf(R"({"address":"http://v"})"), testing::StartsWith("token: missing"));
	EXPECT_EQ(error("{}"), "token: exactly one of file, env and value is wanted, found 0");
	EXPECT_EQ(error(R"({"file":"/t","env":"T"})"), "token: exactly one of file, env and value is wanted, found 2");
	EXPECT_THAT(error(R"({"file":"t"})"), testing::StartsWith("token.file: an absolute path is wanted"));
	EXPECT_THAT(error(R"({"env":"1X"})"), testing::StartsWith("token.env: the name of an environment variable"));
	EXPECT_EQ(error(R"({"value":7})"), "token.value: a string is wanted, found a number");
	EXPECT_EQ(error(R"({"value":["a"]})"), "token.value: a string is wanted, found an array");
	EXPECT_EQ(error(R"({"value":""})"), "token.value: is empty");
	EXPECT_THAT(error(R"({"value":"a b"})"), testing::StartsWith("token.value: is not one token"));
	EXPECT_THAT(error(R"({"value":"\u00e4"})"), testing::StartsWith("token.value: is not visible ASCII"));
	EXPECT_THAT(error("{\"value\":\"abc\n\"}"), testing::StartsWith("token.value: holds a line end"));
}

TEST(Config, IsNotRepeatedWhereATokenMayStand)
{
	const std::string secret = "hvs.CAESIJlWh8_secret";
	for (const std::string& place : {
			 R"("token":")" + secret + R"(")",                       // a string where an object is wanted
			 R"("token":{"value":")" + secret + R"( "x})",           // bad JSON right after it
			 R"("token":{"value":")" + secret,                       // cut off
			 R"("token":{"value":)" + secret + "}",                  // without quotes
			 R"("token":{"value":')" + secret + "'}",                // with the wrong ones
			 R"("token":{"value":")" + secret + R"(\q"})",           // not an escape
			 R"("token":{"value":")" + secret + R"( x"})",           // two words
			 R"("token":{"vaule":")" + secret + R"("})",             // misspelt
			 R"("token":{")" + secret + R"(":true})",                // as a key
			 R"("token":{"value":")" + secret + R"(","value":"x"})", // twice
			 R"("token":{"value":{"value":")" + secret + R"("}})",   // too deep
			 R"("token":{"env":")" + secret + R"("})",               // in the wrong place
			 R"("token":{"file":")" + secret + R"("})",              //
			 R"("tls":{"client_key":")" + secret + R"("})",          //
			 R"("proxy":"http://user:)" + secret + R"(@proxy/x")",   //
			 R"("proxy":")" + secret + R"(")",                       //
			 R"("proxy":"socks5://)" + secret + R"(")",              //
			 R"("auth":")" + secret + R"(")",                        //
			 R"("auth":{"method":")" + secret + R"("})",             //
			 R"("auth":{"method":"jwt","jwt":")" + secret + R"("})", //
			 R"("auth":{"method":"jwt","jwt":{"value":")" + secret + R"("}})",
			 R"("auth":{"method":"approle","role_id":{"value":"r"},"secret_id":{"vlue":")" + secret + R"("}})",
			 R"("auth":{"method":"approle","role_id":{"value":"r"},"secret_id":{"value":")" + secret + R"( x"}})",
			 R"("auth":{"method":"approle","role_id":{"value":"r"},"revoke_old":")" + secret + R"("})",
			 R"("namespace":"a","x":")" + secret + R"(")",     //
			 R"("namespace":" )" + secret + R"(")",            //
			 R"("startup":")" + secret + R"(")",               //
			 R"("follow_redirects":")" + secret + R"(")",      //
			 R"("startup_timeout":")" + secret + R"(")",       //
			 R"("renewal":{"increment":")" + secret + R"("})", //
			 R"("renewal":{"fraction":")" + secret + R"("})",  //
			 R"("tls":{"server_name":"/)" + secret + R"("})",  //
			 R"("tls":")" + secret + R"(")",                   //
		 }) {
		const auto error = errorOf(R"({"address":"http://v",)" + place + "}");
		EXPECT_NE(error, "no error") << place;
		EXPECT_THAT(error, Not(HasSubstr("CAES"))) << place;
		EXPECT_THAT(error, Not(HasSubstr("8_sec"))) << place;
	}
}

TEST(Config, DoesNotRepeatATokenInPlaceOfTheAddress)
{
	for (const std::string address :
		{R"("https://user:hunter2@v")", R"("hunter2")", R"(["https://a", "hunter2://x"])"}) {
		const auto error = errorOf(R"({"address":)" + address + R"(,"token":{"file":"/t"}})");
		EXPECT_THAT(error, testing::StartsWith("address"));
		EXPECT_THAT(error, Not(HasSubstr("hunter2")));
	}
}

TEST(Config, TakesTheLoginOfAProxyAndShowsItOnlyToThat)
{
	const auto settings = parsed(with(R"("proxy":"http:\/\/me:p%40ss@Proxy:3128\/")")).transport;
	EXPECT_EQ(settings.proxy, "http://proxy:3128");
	EXPECT_EQ(settings.proxyAuthorization, "Proxy-Authorization: Basic bWU6cEBzcw==\r\n");
	EXPECT_EQ(parsed(with(R"("proxy":"http://proxy")")).transport.proxyAuthorization, "");
}

TEST(Config, ThatIsNotJsonIsRefusedWithTheLine)
{
	EXPECT_THAT(errorOf("{\n\"address\": \"http://v\",\n}"), HasSubstr("line 3: unexpected byte '}'"));
	EXPECT_THAT(errorOf("{\n\"renewal\":\n{\"jitter\":1e999}}"), HasSubstr("line 3: a number is out of any range"));
	for (const auto* text : {"", " ", "{", "{}}", "{} {}", "nonsense", "{\"namespace\":NaN}", "{\"namespace\":01}",
			 "{'namespace':1}", "{\"namespace\":\"\xff\"}", "/* */ {}", "{\"namespace\":\"a\nb\"}"}) {
		EXPECT_THAT(errorOf(text), HasSubstr("not JSON")) << text;
	}
}

TEST(Config, ThatIsNoObjectIsRefused)
{
	for (const auto* text : {"[]", "7", "null", "\"text\"", "true"}) {
		EXPECT_THAT(errorOf(text), HasSubstr("the configuration")) << text;
		EXPECT_THAT(errorOf(text), HasSubstr("an object is wanted")) << text;
	}
}

TEST(Config, OfUnreasonableSizeOrDepthIsRefused)
{
	EXPECT_THAT(errorOf(with(R"("namespace":")" + std::string(200'000, 'a') + '"')), HasSubstr("longer than 128 KiB"));
	EXPECT_THAT(errorOf(std::string(100'000, '[')), HasSubstr("not JSON"));
	EXPECT_THAT(errorOf("{\"address\":" + std::string(9, '[') + std::string(9, ']') + "}"), HasSubstr("Maximum depth"));
	EXPECT_THAT(errorOf(with(R"("token":{"value":")" + std::string(100'000, 'a') + "\"}")), HasSubstr("token"));
}

TEST(Config, WithAKeyInDisguiseIsRefused)
{
	EXPECT_THAT(errorOf(R"({"address":"http://v","token":{"v\u0061lue":"hvs.abc"}})"), HasSubstr("backslash"));
}

TEST(Config, TakesATokenOfSixtyFourKibibytesAndNoMore)
{
	const auto token = [](std::size_t size) {
		return R"({"address":"http://v","token":{"value":")" + std::string(size, 'a') + R"("}})";
	};
	EXPECT_EQ(parsed(token(65'536)).token.value.view().size(), 65'536U);
	EXPECT_THAT(errorOf(token(65'537)), testing::StartsWith("token.value: is longer than 64 KiB"));
}

/// An issuer that logs in.
LoginConfig login(const std::string& auth, const std::string& more = "")
{
	auto config = parsed(R"({"address":"http://v","auth":{)" + auth + "}" + more + "}");
	EXPECT_EQ(config.token.kind, credential::Origin::Kind::login);
	return config.auth ? std::move(*config.auth) : LoginConfig();
}

TEST(ConfigAuth, TakesALoginByAppRoleWithEverything)
{
	const auto approle = login(R"("method":"approle","mount":"auth/team/approle/","namespace":"team-b",
		"role_id":{"value":"web-role"}, "secret_id":{"file":"/s","wrapped":true,
		"wrapped_path":"auth/team/approle/role/web/secret-id","remove_after_reading":true},
		"relogin":{"ahead":"2h","rehearse":"12h"},"revoke_old":"30s","revoke_on_stop":true,
		"sink":{"file":"/run/t","mode":"0640","owner":"u","group":"g"})",
		R"(,"namespace":"team-a")");
	EXPECT_EQ(approle.policy.method, renewal::LoginMethod::appRole);
	EXPECT_EQ(approle.mount, "auth/team/approle");
	EXPECT_EQ(approle.vaultNamespace, "team-b");
	EXPECT_EQ(approle.roleId->value.view(), "web-role");
	EXPECT_EQ(approle.secret->name, "/s");
	EXPECT_EQ(approle.secret->text, credential::TextKind::wrappingToken);
	EXPECT_EQ(approle.policy.wrappedPath, "auth/team/approle/role/web/secret-id");
	EXPECT_TRUE(approle.policy.hasSecretId);
	EXPECT_TRUE(approle.removeAfterReading);
	EXPECT_EQ(approle.policy.ahead, 2h);
	EXPECT_EQ(approle.policy.rehearse, 12h);
	EXPECT_EQ(approle.policy.revokeOld, 30s);
	EXPECT_TRUE(approle.revokeOnStop);
	EXPECT_EQ(approle.sink->file, "/run/t");
	EXPECT_EQ(approle.sink->mode, mode_t{0640});
	EXPECT_EQ(approle.sink->owner + approle.sink->group, "ug");
}

TEST(ConfigAuth, RefusesASinkThatIsNoFileOrThatTheLoginReads)
{
	const auto error = [](const std::string& sink, const std::string& secretId = "/s") {
		const auto config = parseConfig(R"({"address":"http://v","auth":{"method":"approle","role_id":{"file":"/r"},)"
										R"("secret_id":{"file":")" +
										secretId + R"("},"sink":{"file":")" + sink + "\"}}}");
		return config ? std::string() : config.error().text;
	};
	EXPECT_THAT(error("run/t"), HasSubstr("auth.sink.file"));
	EXPECT_THAT(error("run/t"), HasSubstr("absolute"));
	EXPECT_THAT(error("/run/"), HasSubstr("auth.sink.file"));
	EXPECT_THAT(error("/run/"), HasSubstr("directory"));
	EXPECT_THAT(error("/s"), HasSubstr("/s is a file that the login reads"));
	EXPECT_THAT(error("/x/../r"), HasSubstr("/r is a file that the login reads"));
	EXPECT_THAT(error("/s", "/x/..//s"), HasSubstr("/x/..//s is a file that the login reads"));
	EXPECT_EQ(error("/t"), "");
}

TEST(ConfigAuth, HasDefaults)
{
	const auto approle = login(R"("method":"approle","role_id":{"env":"ROLE"})", R"(,"namespace":"team-a")");
	EXPECT_EQ(approle.mount, "auth/approle");
	EXPECT_EQ(approle.vaultNamespace, "team-a");
	EXPECT_FALSE(approle.policy.hasSecretId);
	EXPECT_FALSE(approle.secret.has_value());
	EXPECT_FALSE(approle.policy.ahead.has_value());
	EXPECT_FALSE(approle.policy.revokeOld.has_value());
	EXPECT_FALSE(approle.sink.has_value());
	const auto pod = login(R"("method":"kubernetes","role":"web")");
	EXPECT_EQ(pod.secret->name, "/var/run/secrets/kubernetes.io/serviceaccount/token");
	EXPECT_EQ(pod.secret->text, credential::TextKind::jwt);
	EXPECT_EQ(pod.identity, "web");
}

TEST(ConfigAuth, TakesEachMethod)
{
	EXPECT_EQ(login(R"("method":"jwt","jwt":{"file":"/j"})").identity, "");
	EXPECT_EQ(login(R"("method":"ldap","username":"u","password":{"value":" p w "})").secret->value.view(), " p w ");
	EXPECT_EQ(login(R"("method":"userpass","username":"u","password":{"value":"pw\n"})").secret->value.view(), "pw");
	const auto certificate =
		login(R"("method":"cert","name":"web")", R"(,"tls":{"client_cert":"/c","client_key":"/k"})");
	EXPECT_EQ(certificate.secret->name, "/c");
	EXPECT_EQ(certificate.secret->text, credential::TextKind::certificate);
}

TEST(ConfigAuth, TakesAWrappedToken)
{
	const auto config = parsed(R"({"address":"http://v","namespace":"n","token":{"file":"/w","wrapped":true,
		"wrapped_path":"auth/token/create"}})");
	ASSERT_NE(config.auth, nullptr);
	EXPECT_EQ(config.token.kind, credential::Origin::Kind::login);
	EXPECT_EQ(config.auth->policy.method, renewal::LoginMethod::wrappedToken);
	EXPECT_EQ(config.auth->policy.wrappedPath, "auth/token/create");
	EXPECT_EQ(config.auth->vaultNamespace, "n");
	EXPECT_EQ(config.auth->secret->name, "/w");
	EXPECT_EQ(parsed(with(R"("startup":"background")")).auth, nullptr);
}

TEST(ConfigAuth, ShowsUsersOfVaultAgentTheWay)
{
	EXPECT_EQ(errorOf(R"({"address":"http://v","auth":{"method":"approle","role_id_file_path":"/r"}})"),
		R"(auth.role_id_file_path: unknown: what Vault Agent calls so is here "role_id": {"file": …})");
	EXPECT_THAT(
		errorOf(R"({"address":"http://v","auth":{"method":"approle","remove_secret_id_file_after_reading":true}})"),
		HasSubstr("remove_after_reading"));
	EXPECT_THAT(errorOf(R"({"address":"http://v","auth":{"type":"approle"}})"), HasSubstr("here auth.method"));
}

TEST(ConfigAuth, NamesTheMethodThatAKeyIsNotOf)
{
	EXPECT_EQ(errorOf(R"({"address":"http://v","auth":{"method":"kubernetes","role":"r","password":{"file":"/p"}}})"),
		"auth.password: is not a key of method kubernetes");
}

} // namespace
} // namespace issuer::vault
