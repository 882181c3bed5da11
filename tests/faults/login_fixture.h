#pragma once

#include "fake_vault/fake_vault.h"
#include "instance.h"
#include "library.h"
#include "temp_dir.h"
#include "test_pki.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// The whole plugin logs in, with real sockets, files and threads, for tokens of a few seconds' life.
namespace issuer::test {

using namespace std::chrono_literals;

constexpr auto patience = 60s;

/// Number of lives of a token for which a method is followed: five, or ISSUER_LOGIN_LIVES, as in
/// `./dev check outages`.
[[nodiscard]] int lives();

/// Everything that an instance tells, to wait for and to search for secrets.
class Hearing final : public vault::Listener
{
public:
	void event(const vault::renewal::Event& event) noexcept override;
	void log(vault::renewal::Level level, std::string_view component, std::string_view text) noexcept override;

	/// Waits until so many logins have succeeded. False: not within `patience`, which only a failing test reaches.
	[[nodiscard]] bool awaitLogins(int logins);
	[[nodiscard]] bool awaitRenewals(int renewals);
	/// Waits until a line or an event has said that.
	[[nodiscard]] bool awaitText(std::string_view text);
	/// Waits until an event had that reason.
	[[nodiscard]] bool awaitReason(vault::renewal::Reason reason);

	[[nodiscard]] int logins() const;
	[[nodiscard]] std::string everything() const;
	[[nodiscard]] bool hasSaid(std::string_view text) const { return everything().find(text) != std::string::npos; }

private:
	[[nodiscard]] bool await(const std::function<bool()>& condition);

	mutable std::mutex _mutex;
	std::condition_variable _changed;
	std::string _text;
	std::vector<vault::renewal::Reason> _reasons;
	int _logins = 0;
	int _renewals = 0;
};

/// Uses an issuer's token every 50 ms, as one that signs certificates would.
class Client
{
public:
	Client(FakeVault& vault, const vault::Instance& instance);

	[[nodiscard]] int refused() const { return _refused; }
	[[nodiscard]] int uses() const { return _uses; }

private:
	std::atomic<int> _uses = 0;
	std::atomic<int> _refused = 0;
	std::jthread _thread; ///< last: it uses the members above, and is joined before they end
};

/// An instance that is stopped at its end, also where a test has failed.
struct StopAndDelete
{
	void operator()(vault::Instance* instance) const noexcept
	{
		static_cast<void>(instance->stop(patience));
		delete instance;
	}
};
using Issuer = std::unique_ptr<vault::Instance, StopAndDelete>;

/// A fake Vault with a role "web" of each method, and files with what that role is logged in with. The material begins
/// with CANARY, to be found wherever it does not belong.
class LoginsOnTheWire : public testing::Test
{
protected:
	explicit LoginsOnTheWire(const FakeVault::Options& options = {});

	/// Makes the lives of tokens so long that a machine which is busy for a long time loses none: a login has a quarter
	/// of the overlap, which is half a lease.
	void setLifeByNumber() { lives() > 5 ? setLife(5s, 10s) : setLife(3s, 6s); }
	/// Waits for the logins of all lives.
	[[nodiscard]] static bool awaitLives(Hearing& hearing);

	/// Makes the limits of all tokens to come.
	void setLife(std::chrono::seconds ttl, std::chrono::seconds maxTtl);

	[[nodiscard]] std::string path(const std::string& name) const { return (_folder.path() / name).string(); }
	/// Replaces a file in one step.
	void write(const std::string& name, std::string_view text) const;
	[[nodiscard]] std::string read(const std::string& name) const;
	/// Waits until a file holds that text. False: not within `patience`.
	[[nodiscard]] bool awaitFile(const std::string& name, std::string_view text) const;

	/// `auth`: the keys of the configuration's `auth`; `more`: further keys, with a comma before them; `addresses`: a
	/// JSON array, empty for the fake's own.
	[[nodiscard]] std::string configOf(const std::string& auth, const std::string& more = "",
		const std::string& startup = "background", const std::string& addresses = "") const;
	[[nodiscard]] static Issuer makeOf(const std::string& config, Hearing& hearing);
	[[nodiscard]] Issuer make(
		const std::string& auth, Hearing& hearing, const std::string& startup = "background") const
	{
		return makeOf(configOf(auth, "", startup), hearing);
	}

	[[nodiscard]] std::string appRole(const std::string& ofSecretId = "", const std::string& more = "") const;
	[[nodiscard]] std::string jwt(const std::string& method) const;
	[[nodiscard]] std::string password(const std::string& method) const;
	[[nodiscard]] std::string sink(const std::string& more = "") const;

	/// Has the server deny renewals of the token in use from now on, and the instance notice it: a login is due.
	void denyRenewals(vault::Instance& instance);

	/// Wraps the reply to a POST; returns the wrapping token.
	[[nodiscard]] std::string wrapped(const std::string& path, const std::string& body = "{}");

	[[nodiscard]] static std::string tokenOf(const vault::Instance& instance);
	[[nodiscard]] int requests(const std::string& call) { return vault.log().count(call); }

	FakeVault vault;

private:
	TempDir _folder;
};

/// Stops an instance, and looks for what it must not have told.
void endWithoutASecret(vault::Instance& instance, const Hearing& hearing);

} // namespace issuer::test
