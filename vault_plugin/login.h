#pragma once

#include "base/result.h"
#include "base/small_mutex.h"
#include "config.h"
#include "credential/errand.h"
#include "credential/material.h"
#include "credential/sink.h"
#include "handover.h"
#include "login_config.h"
#include "login_queue.h"
#include "login_secrets.h"
#include "renewal/login_keeper.h"
#include "runtime/scheduler.h"
#include "services.h"
#include "wire/logins.h"
#include "wire/token_maker.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::vault {

/// The logins of one issuer: what they are made of, the keeper that decides, and the tokens that are not in use yet, or
/// not any more. A job of its own, since a login may hang for longer than a renewal may wait. Its runs wait for a lane
/// that all logins at one mount share.
///
/// The owner asks it for a fresh token, has its keeper prove that, and says what became of it. open, close and all
/// below are for the control thread while it is not open; the rest is [thread-safe].
class Login final : private runtime::Job, private credential::NewsListener, private LoginQueue::Waiter
{
public:
	/// Is told, on any thread, that there are reports, a fresh token, or another outlook.
	using Owner = credential::NewsListener;

	Login(LoginConfig config, std::shared_ptr<const CommonConfig> common, std::uint64_t seed);
	/// Must not be open.
	~Login();
	Login(const Login&) = delete;
	Login& operator=(const Login&) = delete;

	/// Begins. `inUse`: the token that the owner has already; may be empty. `predecessor`: its knowledge, or null.
	/// Fails where the sink is that of another issuer; close() is due all the same.
	[[nodiscard]] Result<void> open(const std::shared_ptr<Services>& services, Owner& owner,
		const credential::Secret& inUse, const LoginHandover* predecessor);
	/// Lets no further run begin, and waits for the one under way. Returns false if that has not ended after `timeout`.
	[[nodiscard]] bool halt(std::chrono::milliseconds timeout);
	/// Ends after halt(). Revokes a token that was made and never used; blocks until `deadline` at most.
	void close(std::chrono::steady_clock::time_point deadline) noexcept;

	/// Returns what is to be told since the last call.
	[[nodiscard]] renewal::Reports takeReports();
	/// Takes the life of the token in use; after each call of the renewal's keeper.
	void follow(const Moment& now, const renewal::TokenLife& life);
	[[nodiscard]] renewal::Successor successor() const;

	/// Returns a token to begin with: of the sink; empty: none. Once. It is in doubt until it was accepted.
	[[nodiscard]] credential::Secret takeFirst();
	/// Returns whether the token in use is of the sink, and no look-up has shown yet that it lives and is ours: it must
	/// not be shown to clients.
	[[nodiscard]] bool isInDoubt() const;
	/// Returns why a token in doubt that lives must not be used; empty: nothing is known against it.
	[[nodiscard]] std::string objectionTo(const wire::TokenMaker& maker) const;
	/// Takes that the owner has dropped the token in doubt, and why.
	void disowned(const std::string& why);
	/// Returns a token that a login has made and that waits for its proof; empty: none. Once.
	[[nodiscard]] credential::Secret takeFresh();
	[[nodiscard]] std::optional<renewal::FirstGrant> firstGrant() const;
	/// Takes that the fresh token is in use, in place of `before`, which may be empty.
	void adopted(const Moment& now, credential::Secret before);
	void unproven(const Moment& now, std::string_view why);

	/// The wishes of the host.
	void renewNow(const Moment& now);
	void credentialChanged();

	[[nodiscard]] bool settled() const;
	[[nodiscard]] renewal::LoginKeeper::Figures figures(const Moment& now) const;
	/// Returns a copy of what is known.
	[[nodiscard]] LoginHandover handOver() const;

	// For the control thread, while it is not open:

	/// Shows what a successor cannot read again: the key of all marks, `inUse` and the unwrapped secret. Never opened:
	/// returns false.
	[[nodiscard]] bool lend(const credential::Secret& inUse, const std::function<void(std::string_view)>& visit);
	/// Takes what a predecessor has lent, for the next open().
	void take(LoginSecrets lent);
	/// Returns the token that a predecessor has lent, if what it lent is of this configuration; forgets it otherwise.
	[[nodiscard]] credential::Secret takeLent(LoginOffice& office);
	/// Revokes the token in use if the configuration says so, and removes the sink. Blocks for 2 s at most.
	void revokeAtEnd(const ServicesSource& source, const credential::Secret& inUse) noexcept;

	/// Returns whether a login can be tried without using up a wrapped secret.
	[[nodiscard]] bool mayTry() const noexcept
	{
		return !_secret || _secret->origin().text != credential::TextKind::wrappingToken;
	}
	[[nodiscard]] const LoginConfig& config() const noexcept { return _config; }
	/// Returns the mount that it logs in at; borrows the texts of config().
	[[nodiscard]] wire::LoginPlace mount() const noexcept
	{
		return {_config.policy.method, _config.mount, _config.vaultNamespace};
	}
	[[nodiscard]] const credential::MaterialPart* roleId() const noexcept { return _roleId ? &*_roleId : nullptr; }
	[[nodiscard]] const credential::MaterialPart* secret() const noexcept { return _secret ? &*_secret : nullptr; }

private:
	/// Time between two writes of a sink that another program changes, or that cannot be written.
	static constexpr auto sinkPause = std::chrono::seconds(60);

	/// The use of the sink's token before the first login.
	enum class First : std::uint8_t
	{
		awaited, ///< the sink is being read
		offered, ///< the owner is to take the sink's token, and its life is to be followed
		settled, ///< none, or its token is in use: the material for logins counts from now on
	};

	[[nodiscard]] std::optional<Wait> run(Wake wake) noexcept override;
	[[nodiscard]] const void* place() const noexcept override { return _lane.get(); }
	[[nodiscard]] std::uint32_t atMost() const noexcept override { return _lane->atMost; }
	void newsRead() noexcept override;
	void turnCame(Instant urgency) noexcept override;

	[[nodiscard]] Task<> runOnce();
	void takeNews();
	void takeSinkNews();
	[[nodiscard]] std::optional<renewal::LoginMaterial> material(WallTime now) const;
	[[nodiscard]] std::uint64_t identityMark() const;
	[[nodiscard]] std::optional<renewal::LoginAttempt> takeAttempt(Moment& sent);
	[[nodiscard]] Task<wire::LoginReply> carryOut(renewal::LoginAttempt attempt);
	[[nodiscard]] std::shared_ptr<transport::Exchange> exchangeFor(const renewal::LoginAttempt& attempt);
	[[nodiscard]] wire::LoginRequest request(const renewal::LoginAttempt& attempt, const credential::Secret& identity,
		const credential::Secret& secret, const std::string& role) const;
	void answered(const renewal::LoginAttempt& attempt, const Moment& sent, wire::LoginReply reply);
	void keepSink();
	void removeUsedFile();
	[[nodiscard]] credential::Secret takeForSink();
	void planNext();

	// Under the lock:
	void report(renewal::Reports reports);
	void say(renewal::Level level, std::string text);
	void noteTries();
	void sortTokens();
	[[nodiscard]] bool isSinkDue() const;
	[[nodiscard]] Instant urgency(Instant now) const;
	void armForNext();

	const LoginConfig _config;
	const std::shared_ptr<const CommonConfig> _common;
	std::optional<credential::MaterialPart> _roleId;
	std::optional<credential::MaterialPart> _secret;
	std::unique_ptr<LoginSecrets> _lent; ///< by a predecessor, for the next open()
	bool _hasLent = false;               ///< a successor follows
	bool _hasRun = false;                ///< it was opened once

	// From open() to close():
	std::shared_ptr<Services> _services;
	std::shared_ptr<transport::Exchange> _exchange;
	std::shared_ptr<const LoginOffice::Lane> _lane;
	credential::MarkKey _key{};
	credential::Reader::File _sinkFile;
	std::unique_ptr<credential::Errand> _sinkWriter; ///< null: no sink
	bool _sinkClaimed = false;
	std::unique_ptr<credential::Errand> _removal; ///< of the file of the secret; null: it stays

	// Of the run:
	Task<> _run;
	std::size_t _detours = 0;
	std::optional<WallTime> _wrapMade; ///< time at which the wrapped secret was made
	bool _sinkFailing = false;         ///< is in the log
	renewal::Successor _told;          ///< the outlook that the owner knows
	bool _removed = false;             ///< the file of the secret, by us: its text counts on

	std::atomic<bool> _turnCame = false; ///< the logins have ended that one of this issuer waits for

	mutable SmallMutex _mutex; ///< guards all below
	Owner* _owner = nullptr;
	bool _armable = false;
	bool _newsRead = false;
	bool _lookAgain = false;
	bool _freshTaken = false;
	bool _inDoubt = false; ///< the token in use is of the sink, and was not accepted yet
	bool _removeDue = false;
	bool _sinkDiffers = false; ///< another text than the token in use is in the sink, or none
	Instant _sinkTried = Instant::min();
	First _first = First::settled;
	credential::Secret _offer; ///< the sink's token, until it is taken
	credential::Secret _inUse;
	credential::Secret _fresh;
	credential::Secret _rejected;
	credential::Secret _replaced;
	credential::Secret _unwrapped;    ///< the secret_id that a wrapping token was exchanged for
	renewal::LoginBudget::Row _tries; ///< of all issuers with its identity, when its latest login or it itself ended
	std::optional<Instant> _expiry;
	renewal::LoginKeeper _keeper;
	renewal::Reports _reports;
};

} // namespace issuer::vault
