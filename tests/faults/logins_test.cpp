#include "fake_vault/fake_vault.h"
#include "fake_vault/message.h"
#include "instance.h"
#include "library.h"
#include "temp_dir.h"
#include "test_pki.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <mutex>
#include <stop_token>
#include <thread>

/// The whole plugin logs in, with real sockets, files and threads, for tokens of a few seconds' life. A client uses the
/// token all the time, and is never refused.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using vault::renewal::EventKind;
using vault::renewal::Outcome;

/// A fifth of its life is the shortest overlap of two tokens.
constexpr auto tokenTtl = 3s;
constexpr auto tokenMaxTtl = 6s;
constexpr auto patience = 60s;

/// Everything that an instance tells, for a search for secrets.
class Hearing final : public vault::Listener
{
public:
	void event(const vault::renewal::Event& event) noexcept override
	{
		const std::lock_guard lock(_mutex);
		_text += event.detail + "\n";
		_logins += event.kind == EventKind::login && event.outcome == Outcome::success ? 1 : 0;
		_changed.notify_all();
	}
	void log(vault::renewal::Level, std::string_view component, std::string_view text) noexcept override
	{
		const std::lock_guard lock(_mutex);
		_text.append(component).append(": ").append(text).append("\n");
	}

	[[nodiscard]] bool awaitLogins(int logins)
	{
		std::unique_lock lock(_mutex);
		return _changed.wait_for(lock, patience, [&] { return _logins >= logins; });
	}
	[[nodiscard]] std::string everything() const
	{
		const std::lock_guard lock(_mutex);
		return _text;
	}

private:
	mutable std::mutex _mutex;
	std::condition_variable _changed;
	std::string _text;
	int _logins = 0;
};

/// Uses an issuer's token every 50 ms, as one that signs certificates would.
class Client
{
public:
	Client(FakeVault& vault, const vault::Instance& instance)
		: _thread([this, &vault, &instance](const std::stop_token& stop) {
			  std::mutex mutex;
			  std::condition_variable_any stopped;
			  std::unique_lock lock(mutex);
			  while (!stop.stop_requested()) {
				  std::string token;
				  static_cast<void>(instance.useCredential([&](std::string_view text) { token = text; }));
				  (vault.api().isAlive(token) ? _uses : _refused) += 1;
				  stopped.wait_for(lock, stop, 50ms, [] { return false; }); // its pace; a stop ends it at once
			  }
		  })
	{
	}

	[[nodiscard]] int refused() const { return _refused; }
	[[nodiscard]] int uses() const { return _uses; }

private:
	std::atomic<int> _uses = 0;
	std::atomic<int> _refused = 0;
	std::jthread _thread; ///< last: it uses the members above, and is joined before they end
};

class LoginsOnTheWire : public testing::Test
{
protected:
	LoginsOnTheWire()
	{
		vault.api().changeLogins([](issuer::test::Logins& logins, ServerTime) {
			LoginRole role;
			role.ttl = tokenTtl;
			role.maxTtl = tokenMaxTtl;
			role.policies = {"web"};

			auto& approle = logins.mounts["auth/approle"] = {.type = "approle"};
			approle.roles["web"] = role;
			approle.roles["web"].roleId = "CANARY-role";
			approle.roles["web"].secretIds.add("CANARY-secret-id", {});
			logins.mounts["auth/jwt"] = {.type = "jwt"};
			logins.mounts["auth/jwt"].roles["web"] = role;
			logins.mounts["auth/kubernetes"] = {.type = "kubernetes"};
			logins.mounts["auth/kubernetes"].roles["web"] = role;
			logins.mounts["auth/kubernetes"].roles["web"].serviceAccounts = {"*"};
			logins.mounts["auth/kubernetes"].roles["web"].serviceNamespaces = {"*"};
			for (const auto* type : {"userpass", "ldap"}) {
				auto& users = logins.mounts["auth/" + std::string(type)] = {.type = type};
				users.roles["web"] = role;
				users.roles["web"].password = "CANARY password";
			}
		});
		write("role-id", "CANARY-role\n");
		write("secret-id", "CANARY-secret-id\n");
		write("password", "CANARY password\n");
	}

	std::string path(const std::string& name) const { return (_folder.path() / name).string(); }
	void write(const std::string& name, std::string_view text) const
	{
		std::ofstream(path(name) + ".new") << text;
		std::filesystem::rename(path(name) + ".new", path(name));
	}

	std::unique_ptr<vault::Instance> make(
		const std::string& auth, Hearing& hearing, const std::string& startup = "background") const
	{
		auto config = vault::parseConfig(R"({"address":")" + vault.address() + R"(","startup":")" + startup +
										 R"(","startup_timeout":"20s","auth":{)" + auth + "}}");
		EXPECT_TRUE(config) << config.error().text;
		return std::make_unique<vault::Instance>(std::move(*config), hearing, vault::servicesSource());
	}
	std::string appRole(const std::string& more = "") const
	{
		return R"("method":"approle","role_id":{"file":")" + path("role-id") + R"("},"secret_id":{"file":")" +
			   path("secret-id") + "\"" + more + "}";
	}
	static std::string tokenOf(const vault::Instance& instance)
	{
		std::string token;
		static_cast<void>(instance.useCredential([&](std::string_view text) { token = text; }));
		return token;
	}

	FakeVault vault;

private:
	TempDir _folder;
};

TEST_F(LoginsOnTheWire, WithEachMethodBringTokenAfterTokenToAClientThatIsNeverRefused)
{
	const auto claims = R"({"sub":"web","exp":4102444800,"iat":1600000000,)"
						R"("kubernetes.io":{"namespace":"default","serviceaccount":{"name":"web","uid":"u"}}})";
	write("jwt", makeJwt(claims) + "\n");
	const auto jwt = R"("role":"web","jwt":{"file":")" + path("jwt") + "\"}";
	const auto password = R"("username":"web","password":{"file":")" + path("password") + "\"}";
	const std::string methods[] = {appRole(), R"("method":"jwt",)" + jwt, R"("method":"kubernetes",)" + jwt,
		R"("method":"userpass",)" + password, R"("method":"ldap",)" + password};
	std::vector<std::unique_ptr<Hearing>> hearings;
	std::vector<std::unique_ptr<vault::Instance>> instances;
	std::vector<std::unique_ptr<Client>> clients;
	for (const auto& method : methods) {
		hearings.push_back(std::make_unique<Hearing>());
		instances.push_back(make(method, *hearings.back(), "fail_fast"));
		const auto started = instances.back()->start();
		ASSERT_TRUE(started) << method << ": " << started.error().text << hearings.back()->everything();
		clients.push_back(std::make_unique<Client>(vault, *instances.back()));
	}
	for (std::size_t i = 0; i < std::size(methods); ++i) {
		EXPECT_TRUE(hearings[i]->awaitLogins(5)) << methods[i] << hearings[i]->everything();
		EXPECT_EQ(clients[i]->refused(), 0) << methods[i] << hearings[i]->everything();
		EXPECT_GT(clients[i]->uses(), 100);
		clients[i].reset();
		EXPECT_TRUE(instances[i]->stop(10s));
		EXPECT_EQ(hearings[i]->everything().find("CANARY"), std::string::npos) << hearings[i]->everything();
		EXPECT_EQ(hearings[i]->everything().find("eyJ"), std::string::npos) << "a JWT";
	}
}

TEST_F(LoginsOnTheWire, SurviveAShortOutage)
{
	Hearing hearing;
	const auto instance = make(appRole(), hearing, "fail_fast");
	ASSERT_TRUE(instance->start());
	const Client client(vault, *instance);
	ASSERT_TRUE(hearing.awaitLogins(3)); // the life is learned
	vault.stopFor(700ms);
	EXPECT_TRUE(hearing.awaitLogins(6));
	EXPECT_EQ(client.refused(), 0) << hearing.everything();
	EXPECT_TRUE(instance->stop(10s));
}

TEST_F(LoginsOnTheWire, DoNotLockOutARoleByAWrongSecretIdAndGoOnOnceItIsMended)
{
	write("secret-id", "CANARY-wrong");
	std::vector<std::unique_ptr<Hearing>> hearings;
	std::vector<std::unique_ptr<vault::Instance>> instances;
	for (int i = 0; i < 10; ++i) {
		hearings.push_back(std::make_unique<Hearing>());
		instances.push_back(make(appRole(), *hearings.back()));
		ASSERT_TRUE(instances.back()->start());
	}
	ASSERT_TRUE(vault.log().waitForCount("auth/approle/login", 2));
	write("secret-id", "CANARY-secret-id");
	for (std::size_t i = 0; i < instances.size(); ++i) {
		EXPECT_TRUE(hearings[i]->awaitLogins(1)) << hearings[i]->everything();
		EXPECT_TRUE(instances[i]->stop(10s));
		EXPECT_EQ(hearings[i]->everything().find("CANARY"), std::string::npos);
	}
	const auto requests = vault.log().entries();
	const auto refused = std::ranges::count_if(
		requests, [](const auto& request) { return request.call == "auth/approle/login" && request.status == 400; });
	EXPECT_EQ(refused, 2) << "all ten together";
}

} // namespace
} // namespace issuer::test
