#include "child_process.h"
#include "core_dump.h"
#include "fake_vault/fake_vault.h"
#include "fake_vault/message.h"
#include "temp_dir.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <Poco/JSON/Parser.h>

/// Issuers that log in, in the built host: what they log in with stays where it belongs, and survives a swap.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;

class HostOfLogins : public testing::Test
{
protected:
	HostOfLogins()
	{
		vault.api().changeLogins([](Logins& logins, ServerTime) {
			LoginRole role;
			role.policies = {"web"};
			role.ttl = 20s; // a denied renewal is followed by a login within a quarter of it
			role.maxTtl = 7200s;
			role.secretIdUses = 3;
			for (const auto* type : {"approle", "jwt", "userpass"}) {
				auto& mount = logins.mounts["auth/" + std::string(type)] = {.type = type};
				mount.roles["web"] = role;
				mount.roles["web"].password = "CANARY password of web";
			}
			auto& web = logins.mounts["auth/approle"].roles["web"];
			web.roleId = "CANARY-role-of-web";
			web.secretIds.add("CANARY-secret-id-of-web", {});
		});
	}

	/// Writes a file with a secret; returns the JSON that names it.
	[[nodiscard]] std::string file(const std::string& name, const std::string& secret)
	{
		secrets[name] = secret;
		return R"({"file":")" + folder.write(name, secret + "\n").string() + "\"}";
	}

	/// Wraps a new secret_id; returns the wrapping token.
	[[nodiscard]] std::string wrappedSecretId()
	{
		ApiRequest request{.method = "POST", .target = "/v1/auth/approle/role/web/secret-id", .body = "{}"};
		request.headers.set("X-Vault-Token", vault.rootToken());
		request.headers.set("X-Vault-Wrap-TTL", "5m");
		const auto reply = vault.api().handle(request);
		EXPECT_EQ(reply.status, 200) << reply.body;
		const auto json = Poco::JSON::Parser().parse(reply.body).extract<Poco::JSON::Object::Ptr>();
		return json->getObject("wrap_info")->getValue<std::string>("token");
	}

	/// An issuer that is named `name`, of the configuration.
	[[nodiscard]] std::string issuer(const std::string& name, const std::string& auth) const
	{
		return R"({"name":")" + name + R"(","plugin":")" ISSUER_VAULT_PLUGIN R"(","config":{"address":")" +
			   vault.address() + R"(","startup":"background","auth":{)" + auth + "}}}";
	}
	[[nodiscard]] std::string ofWrappedSecretId()
	{
		const auto secretId = file("wrapped", wrappedSecretId());
		return R"("method":"approle","role_id":)" + file("role-id", "CANARY-role-of-web") + R"(,"secret_id":)" +
			   secretId.substr(0, secretId.size() - 1) + R"(,"wrapped":true})";
	}

	/// Reads lines of the host until so many have that text; returns all. Fewer than that: it has ended.
	std::string readUntil(ChildProcess& host, const std::string& text, int times = 1)
	{
		std::string all;
		while (times > 0) {
			const auto line = host.readLine();
			if (!line) {
				ADD_FAILURE() << "it ended: " << all;
				return all;
			}
			all += *line + "\n";
			times -= line->find(text) != line->npos ? 1 : 0;
		}
		return all;
	}

	/// Expects that no secret is in a text.
	void expectNone(const std::string& text, const std::string& where) const
	{
		for (const auto& [name, secret] : secrets) {
			EXPECT_EQ(text.find(secret), text.npos) << name << " is in " << where;
			EXPECT_EQ(text.find(secret.substr(secret.size() / 2)), text.npos)
				<< "half of " << name << " is in " << where;
		}
	}

	/// The arguments of all processes of this machine.
	[[nodiscard]] static std::string allArguments()
	{
		std::string all;
		for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
			std::ifstream stream(entry.path() / "cmdline");
			all.append(std::istreambuf_iterator<char>(stream), {});
		}
		return all;
	}

	[[nodiscard]] std::ptrdiff_t loginsGranted()
	{
		const auto entries = vault.log().entries();
		return std::ranges::count_if(
			entries, [](const auto& entry) { return entry.call == "auth/approle/login" && entry.status == 200; });
	}

	FakeVault vault;
	TempDir folder;
	std::map<std::string, std::string> secrets; ///< by the names of their files
};

TEST_F(HostOfLogins, KeepsAllThatItLogsInWithToItself)
{
	if (const auto why = coreDumpObstacle(ISSUER_SANITIZE); !why.empty()) {
		GTEST_SKIP() << why;
	}
	const auto control = "CONTROL" + std::string(24, 'z');
	const auto plain = R"("method":"approle","role_id":)" + file("role-id", "CANARY-role-of-web") + R"(,"secret_id":)" +
					   file("secret-id", "CANARY-secret-id-of-web");
	const auto jwt = R"("method":"jwt","role":"web","jwt":)" +
					 file("jwt", makeJwt(R"({"sub":"web","exp":4102444800,"iat":1600000000})"));
	const auto password =
		R"("method":"userpass","username":"web","password":)" + file("password", "CANARY password of web");
	const auto config =
		folder
			.write("host.json", R"({"issuers":[)" + issuer(control, plain) + "," + issuer("jwt", jwt) + "," +
									issuer("user", password) + "," + issuer("wrapped", ofWrappedSecretId()) + "]}")
			.string();
	ChildProcess host(
		"/bin/sh", {"-c", "ulimit -c unlimited && cd \"$0\" && LD_PRELOAD=\"$3\" exec \"$1\" run --config \"$2\" 2>&1",
					   folder.path().string(), ISSUER_HOST, config, ISSUER_STAYS_DUMPABLE});
	expectNone(readUntil(host, "  logged in", 4), "the log");
	expectNone(allArguments(), "the arguments of a process");
	host.signal(SIGABRT);
	ASSERT_EQ(host.wait(), 128 + SIGABRT);

	const auto core = coreDumpIn(folder.path());
	if (!core) {
		GTEST_SKIP() << "the kernel wrote no core dump into the working directory";
	}
	EXPECT_NE(core->find(control), core->npos) << "not even what must be in it";
	expectNone(*core, "a core dump");
}

TEST_F(HostOfLogins, SwapsInTheMiddleOfALoginAndLosesNeitherTokenNorSecretId)
{
	const auto config =
		folder.write("host.json", R"({"issuers":[)" + issuer("web", ofWrappedSecretId()) + "]}").string();
	const auto control = (folder.path() / "control").string();
	const auto next = folder.path() / "next.so";
	std::filesystem::copy_file(ISSUER_VAULT_PLUGIN, next);
	ChildProcess host(
		"/bin/sh", {"-c", "exec \"$0\" run --config \"$1\" --control \"$2\" 2>&1", ISSUER_HOST, config, control});
	auto log = readUntil(host, "  logged in");

	auto held = faults::hang();
	held.call = "auth/approle/login";
	vault.faults().add(held);
	auto denied = faults::noContent();
	denied.call = "renew-self";
	denied.times = 1;
	vault.faults().add(denied);
	EXPECT_EQ(ChildProcess(ISSUER_HOST, {"renew", "web", "--control", control}, {.outputFile = "/dev/null"}).wait(), 0);
	ASSERT_TRUE(vault.faults().waitForStrikes(2)); // its renewal is denied, so it logs in, and gets no answer
	EXPECT_EQ(
		ChildProcess(ISSUER_HOST, {"swap", "web", next.string(), "--control", control}, {.outputFile = "/dev/null"})
			.wait(),
		0);
	EXPECT_EQ(loginsGranted(), 1) << "it goes on with the token that it was lent";
	vault.faults().clear();
	log += readUntil(host, "  logged in");
	EXPECT_EQ(loginsGranted(), 2) << "the first, and one in place of that which was held back";
	EXPECT_EQ(vault.log().count("sys/wrapping/unwrap"), 1) << "it could not be unwrapped again";
	for (const auto& entry : vault.log().entries()) {
		const bool mayBeRefused = entry.call.ends_with("secret-id/lookup"); // by the policy of the role
		EXPECT_TRUE(entry.status != 403 || mayBeRefused) << entry.call << " with a token or secret_id that is not good";
	}
	expectNone(log, "the log");
	host.signal(SIGTERM);
	EXPECT_EQ(host.wait(), 0);
}

} // namespace
} // namespace issuer::test
