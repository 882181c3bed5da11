#include "fake_vault/fake_vault.h"
#include "instance.h"
#include "library.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A storm of logins: a thousand issuers, each with an AppRole of its own, lose their tokens in an outage. Prints how
/// long it takes until all have another one, and how many logins were with the server at once.
namespace issuer::bench {
namespace {

using namespace std::chrono_literals;
using test::FakeVault;

constexpr int issuers = 1000;

/// Counts the successful logins, and the failures of renewals, of all issuers.
class Counter final : public vault::Listener
{
public:
	void event(const vault::renewal::Event& event) noexcept override
	{
		using namespace vault::renewal;
		const std::lock_guard lock(_mutex);
		_logins += event.kind == EventKind::login && event.outcome == Outcome::success ? 1 : 0;
		_unanswered += event.reason == Reason::network && event.attempt == 1 ? 1 : 0;
		_changed.notify_all();
	}
	void log(vault::renewal::Level, std::string_view, std::string_view) noexcept override {}

	void awaitLogins(int count) { await(count, _logins, "logins"); }
	void awaitUnanswered(int count) { await(count, _unanswered, "failures"); }

private:
	void await(int count, const int& counted, const char* what)
	{
		std::unique_lock lock(_mutex);
		if (!_changed.wait_for(lock, 120s, [&] { return counted >= count; })) {
			throw std::runtime_error(std::to_string(counted) + " of " + std::to_string(count) + " " + what);
		}
	}

	std::mutex _mutex;
	std::condition_variable _changed;
	int _logins = 0;
	int _unanswered = 0;
};

std::string roleIdOf(int issuer)
{
	return "role-id-" + std::to_string(issuer);
}

void makeRoles(FakeVault& server)
{
	server.api().changeLogins([](test::Logins& logins, test::ServerTime) {
		auto& mount = logins.mounts["auth/approle"] = {.type = "approle"};
		for (int i = 0; i < issuers; ++i) {
			auto& role = mount.roles["web" + std::to_string(i)];
			role.roleId = roleIdOf(i);
			role.secretIds.add("secret-id", {});
			role.ttl = 3600s;
			role.maxTtl = 7200s;
		}
	});
}

/// Returns the most logins that were with the server at the same time, from entry `first` of its log on.
int mostAtATime(FakeVault& server, std::size_t first)
{
	std::vector<std::pair<test::ServerTime, int>> changes;
	const auto entries = server.log().entries();
	for (auto at = first; at < entries.size(); ++at) {
		if (entries[at].call == "auth/approle/login") {
			changes.emplace_back(entries[at].begun, 1);
			changes.emplace_back(entries[at].at, -1);
		}
	}
	std::ranges::sort(changes); // an end before a begin at the same moment
	int now = 0;
	int most = 0;
	for (const auto& [at, change] : changes) {
		most = std::max(most, now += change);
	}
	return most;
}

void run()
{
	FakeVault server;
	makeRoles(server);
	Counter counter;
	std::vector<std::unique_ptr<vault::Instance>> all;
	for (int i = 0; i < issuers; ++i) {
		auto config = vault::parseConfig(R"({"address":")" + server.address() +
										 R"(","startup":"background","auth":{"method":"approle","role_id":{"value":")" +
										 roleIdOf(i) + R"("},"secret_id":{"value":"secret-id"}}})");
		all.push_back(std::make_unique<vault::Instance>(std::move(config.value()), counter, vault::servicesSource()));
		static_cast<void>(all.back()->start());
	}
	counter.awaitLogins(issuers);

	server.stop();
	for (const auto& one : all) {
		static_cast<void>(one->useCredential([&](std::string_view token) { server.api().revoke(std::string(token)); }));
		static_cast<void>(one->renewNow());
	}
	counter.awaitUnanswered(issuers);
	const auto first = server.log().entries().size();
	const auto begun = std::chrono::steady_clock::now();
	server.start();
	counter.awaitLogins(2 * issuers);
	const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
	std::printf("login storm: %d AppRole issuers whose tokens all died in an outage: all back %.1f s after its end, "
				"%d logins in flight at most\n",
		issuers, took.count(), mostAtATime(server, first));
	for (const auto& one : all) {
		static_cast<void>(one->stop(10s));
	}
}

} // namespace
} // namespace issuer::bench

int main()
{
	try {
		issuer::bench::run();
		return 0;
	}
	catch (const std::exception& error) {
		std::fprintf(stderr, "login_bench: %s\n", error.what());
		return 1;
	}
}
