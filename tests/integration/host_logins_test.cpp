#include "base/descriptor.h"
#include "child_process.h"
#include "core_dump.h"
#include "fake_vault/fake_vault.h"
#include "fake_vault/message.h"
#include "temp_dir.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

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

	/// Writes the configuration of an issuer of each way to log in, the first one named `name`; returns its file.
	/// `more`: further keys, with a comma behind them.
	[[nodiscard]] std::string configOfAll(const std::string& name, const std::string& more)
	{
		const auto sink = folder.path() / "sink";
		std::filesystem::create_directory(sink);
		std::filesystem::permissions(sink, std::filesystem::perms(0700));
		const auto plain = R"("method":"approle","role_id":)" + file("role-id", "CANARY-role-of-web") +
						   R"(,"secret_id":)" + file("secret-id", "CANARY-secret-id-of-web") + R"(,"sink":{"file":")" +
						   (sink / "token").string() + "\"}";
		const auto jwt = R"("method":"jwt","role":"web","jwt":)" +
						 file("jwt", makeJwt(R"({"sub":"web","exp":4102444800,"iat":1600000000})"));
		const auto password =
			R"("method":"userpass","username":"web","password":)" + file("password", "CANARY password of web");
		::inotify_add_watch(_sinkChanges.get(), sink.c_str(), IN_MOVED_TO);
		return folder
			.write("host.json", "{" + more + R"("issuers":[)" + issuer(name, plain) + "," + issuer("jwt", jwt) + "," +
									issuer("user", password) + "," + issuer("wrapped", ofWrappedSecretId()) + "]}")
			.string();
	}

	/// Blocks until a token is in the sink; returns it.
	[[nodiscard]] std::string awaitSink() const
	{
		std::array<char, 4096> event{};
		EXPECT_GT(::read(_sinkChanges.get(), event.data(), event.size()), 0);
		std::ifstream stream(folder.path() / "sink" / "token");
		return {std::istreambuf_iterator<char>(stream), {}};
	}

	/// Returns the reply to a GET, with its head.
	[[nodiscard]] static std::string fetch(const std::string& port, const std::string& path)
	{
		const vault::Descriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
		sockaddr_in address{};
		address.sin_family = AF_INET;
		address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		EXPECT_EQ(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
		const auto request = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
		EXPECT_EQ(::send(connection.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
		std::string reply;
		std::array<char, 4096> piece{};
		for (ssize_t size = 0; (size = ::read(connection.get(), piece.data(), piece.size())) > 0;) {
			reply.append(piece.data(), static_cast<std::size_t>(size));
		}
		return reply;
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

private:
	const vault::Descriptor _sinkChanges{::inotify_init1(IN_CLOEXEC)};
};

TEST_F(HostOfLogins, KeepsAllThatItLogsInWithToItself)
{
	if (const auto why = coreDumpObstacle(ISSUER_SANITIZE); !why.empty()) {
		GTEST_SKIP() << why;
	}
	const auto control = "CONTROL" + std::string(24, 'z');
	const auto config = configOfAll(control, "");
	ChildProcess host(
		"/bin/sh", {"-c", "ulimit -c unlimited && cd \"$0\" && LD_PRELOAD=\"$3\" exec \"$1\" run --config \"$2\" 2>&1",
					   folder.path().string(), ISSUER_HOST, config, ISSUER_STAYS_DUMPABLE});
	expectNone(readUntil(host, "  logged in", 4), "the log");
	secrets["the token"] = awaitSink();
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

TEST_F(HostOfLogins, TellsNoSecretByMetricsPageApiOrJournal)
{
	const auto journal = (folder.path() / "journal").string();
	const auto config =
		configOfAll("web", R"("http":{"listen":"127.0.0.1:0"},"journal":{"file":")" + journal + R"("},)");
	ChildProcess host("/bin/sh", {"-c", "exec \"$0\" run --config \"$1\" 2>&1", ISSUER_HOST, config});
	auto log = readUntil(host, "http://127.0.0.1:");
	const auto at = log.rfind("http://127.0.0.1:") + std::string_view("http://127.0.0.1:").size();
	const auto port = log.substr(at, log.find_first_not_of("0123456789", at) - at);
	log += readUntil(host, "  logged in", 4);
	secrets["the token"] = awaitSink();
	const std::pair<const char*, const char*> pages[] = {
		{"/metrics", "issuer_logins_total{"}, {"/api/v1/issuers", "\"login\""}, {"/", "<html"}};
	for (const auto& [path, control] : pages) {
		const auto reply = fetch(port, path);
		EXPECT_NE(reply.find(control), reply.npos) << path << ": " << reply;
		expectNone(reply, path);
	}
	host.signal(SIGTERM);
	while (const auto line = host.readLine()) {
		log += *line + "\n";
	}
	EXPECT_EQ(host.wait(), 0);
	expectNone(log, "the log");
	std::ifstream stream(journal);
	const std::string written{std::istreambuf_iterator<char>(stream), {}};
	EXPECT_NE(written.find("logged_in"), written.npos) << written;
	expectNone(written, "the journal");
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
