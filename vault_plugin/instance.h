#pragma once

#include "base/small_mutex.h"
#include "config.h"
#include "credential/source.h"
#include "delivery.h"
#include "diagnosis.h"
#include "handover.h"
#include "listener.h"
#include "login.h"
#include "renewal/keeper.h"
#include "runtime/scheduler.h"
#include "services.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::vault {

/// The reason why an instance does not do as asked.
struct Refusal
{
	enum class Kind
	{
		invalid,     ///< the credential, or a text handed over, cannot be used
		state,       ///< not possible in its present state
		unavailable, ///< the first look-up failed
		timeout,     ///< it is still stopping
		cancelled,   ///< it was stopped meanwhile
		unsupported, ///< its configuration has no such thing
	};

	Kind kind;
	std::string text;
};

using Done = Expected<void, Refusal>;

/// One issuer: its configuration, its credential, and the keeper that decides; run by the library's scheduler.
///
/// start, stop, importState and exportState are for the control thread, which never makes two such calls at a time; a
/// stop may also come while start waits. Everything else is [thread-safe]. None may be called from inside the listener.
class Instance final : private runtime::Job, private credential::NewsListener
{
public:
	/// Opens nothing. `listener` and `services` must outlive the instance.
	/// `auth`: null, unless the token comes from a login.
	Instance(std::shared_ptr<const CommonConfig> config, credential::Origin token, std::unique_ptr<LoginConfig> auth,
		Listener& listener, const ServicesSource& services);
	/// With a configuration of its own.
	Instance(Config config, Listener& listener, const ServicesSource& services);
	Instance(Config config, Listener& listener, const ServicesSource&& services) = delete; ///< it would be gone

	/// The instance must not be running.
	~Instance();
	Instance(const Instance&) = delete;
	Instance& operator=(const Instance&) = delete;

	/// No effect while running. Waits for the first look-up where the configuration says so.
	[[nodiscard]] Done start();

	/// Stops. On success no code runs for this instance, none will, and the listener is not called any more.
	[[nodiscard]] Done stop(std::chrono::milliseconds timeout);

	/// Returns whether it is not stopped: destroying it then would be an error.
	[[nodiscard]] bool running() const;

	[[nodiscard]] renewal::Snapshot snapshot() const;
	/// Returns the figures of logins; nothing: the token does not come from one.
	[[nodiscard]] std::optional<renewal::LoginKeeper::Figures> loginFigures() const;

	/// Both leave a message for the next run, and have it run now.
	[[nodiscard]] Done renewNow();
	[[nodiscard]] Done credentialChanged();

	/// Returns its knowledge as a text without secrets. Its own next start begins with it as well.
	[[nodiscard]] Expected<std::string, Refusal> exportState();
	/// Returns the same text at any time, and changes nothing. [thread-safe]
	[[nodiscard]] Expected<std::string, Refusal> snapshotState() const;
	/// Has the next start continue from such a text, also from one of another machine.
	[[nodiscard]] Done importState(std::string_view text);

	/// Shows the secrets that a successor cannot read again, once, on the calling thread. Not while running.
	[[nodiscard]] Done lend(const std::function<void(std::string_view)>& visit);
	/// Takes them, for the next start. Not while running.
	[[nodiscard]] Done take(std::string_view secrets);

	/// Checks everything that keeping the token alive would need, on the calling thread; renews nothing. Not while
	/// running.
	[[nodiscard]] Done diagnose(std::chrono::milliseconds timeout, const Diagnosis::Find& find);

	/// Logs in once, has the token looked up, and revokes it. Not while running.
	[[nodiscard]] Done diagnoseLogin(std::chrono::milliseconds timeout, const Diagnosis::Find& find);

	/// Shows the token in use, the last one that was accepted, to the visitor. Waits for nothing else; the text stays
	/// valid until the visitor returns.
	[[nodiscard]] Done useCredential(const std::function<void(std::string_view)>& visit) const;

private:
	enum class Phase : std::uint8_t
	{
		idle,
		starting, ///< start() is waiting
		running,
		stopping, ///< stop() has timed out
	};

	/// A start under way, and a stop that waits for its end.
	struct Start
	{
		std::condition_variable_any changed;
		bool settled = false; ///< the first look-up has ended
		std::string trouble;  ///< latest reason why it has not succeeded
	};

	[[nodiscard]] std::optional<Wait> run(Wake wake) noexcept override;
	[[nodiscard]] const void* place() const noexcept override;
	void newsRead() noexcept override;
	[[nodiscard]] Task<> runOnce();
	[[nodiscard]] std::optional<renewal::Attempt> takeAttempt(Moment& now);
	[[nodiscard]] credential::Source::Update takeNews(bool look);
	void follow(const credential::Source::Update& update, const Moment& now);
	void takeFromLogin();
	void followLogin(const Moment& now);
	void adoptCandidate(const Moment& now);
	[[nodiscard]] bool hasTokenToAskAbout() const;
	[[nodiscard]] bool isSettled() const;
	void answered(const Moment& sent, const renewal::Answer& answer);
	void disown(const std::string& objection);
	[[nodiscard]] Task<renewal::Answer> exchange(const renewal::Attempt& attempt, std::string& objection);
	void passOn(const std::vector<std::string>& advice) noexcept;
	void say(renewal::Level level, std::string_view component, std::string text);
	void report(renewal::Reports reports); ///< called under the lock
	void deliver();
	void tellAll() noexcept;
	void tellUntilAllIsTold() noexcept;
	[[nodiscard]] bool endDelivery(std::chrono::milliseconds timeout);
	void planNext();
	[[nodiscard]] std::optional<Instant> whenNext() const;

	using Deadline = std::chrono::steady_clock::time_point;
	[[nodiscard]] Done begin(const std::shared_ptr<Services>& services, Deadline deadline);
	[[nodiscard]] credential::Source::Update awaitFirstRead(Deadline deadline);
	void beginLife(const Moment& now);
	void takeInheritance(const Moment& now);
	[[nodiscard]] Handover knowledge() const; ///< called under the lock
	[[nodiscard]] Done awaitFirstAnswer(std::unique_lock<SmallMutex>& lock, Deadline deadline);
	void abandonStart() noexcept;
	void end(Deadline deadline) noexcept;
	[[nodiscard]] Done leaveMessage(bool& message);

	const std::shared_ptr<const CommonConfig> _config;
	Listener& _listener;
	const ServicesSource& _source;

	Task<> _run;                         ///< while one is under way
	const std::unique_ptr<Login> _login; ///< null: the token is given

	/// Belongs to the control thread until the job is armed and after it was halted, otherwise to the run.
	credential::Source _token;

	mutable SmallMutex _mutex; ///< guards all below; never held while waiting for the listener, the network or a file
	Phase _phase = Phase::idle;
	bool _armable = false; ///< a run may plan the next one
	bool _stopWanted = false;
	bool _renewNow = false;
	bool _rereadToken = false;
	bool _newsRead = false;        ///< the source has had news since it was last asked
	bool _begun = false;           ///< the keeper's life has begun since the start
	std::shared_ptr<Start> _start; ///< by pointer, because it is rare and large
	renewal::Keeper _keeper;
	renewal::Reports _outbox;
	std::shared_ptr<Delivery> _delivery; ///< exists while a helper makes the callbacks
	std::shared_ptr<Services> _services;
	std::shared_ptr<transport::Exchange> _exchange;
	std::unique_ptr<Handover> _inheritance; ///< state for the next start; by pointer, because it is rare and large
	std::unique_ptr<std::vector<std::string>> _advice; ///< as last passed on to the log; null: none
};

} // namespace issuer::vault
