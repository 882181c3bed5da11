#pragma once

#include "config.h"
#include "credential/source.h"
#include "delivery.h"
#include "diagnosis.h"
#include "handover.h"
#include "listener.h"
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

/// Why an instance does not do what it was told.
struct Refusal
{
	enum class Kind
	{
		invalid,     ///< the credential, or a text handed over, cannot be used
		state,       ///< not now
		unavailable, ///< the first look-up did not succeed
		timeout,     ///< still stopping
		cancelled,   ///< stopped meanwhile
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
	/// Opens nothing. `listener` outlives the instance.
	Instance(std::shared_ptr<const CommonConfig> config, credential::Origin token, Listener& listener,
		ServicesSource services);
	/// With a configuration of its own.
	Instance(Config config, Listener& listener, ServicesSource services);

	/// It must not be running.
	~Instance();
	Instance(const Instance&) = delete;
	Instance& operator=(const Instance&) = delete;

	/// No effect while running. Waits for the first look-up where the configuration says so.
	[[nodiscard]] Done start();

	/// Done: no code runs for this instance, none will, and the listener hears nothing more.
	[[nodiscard]] Done stop(std::chrono::milliseconds timeout);

	/// Not stopped: destroying it now would be a mistake.
	[[nodiscard]] bool running() const;

	[[nodiscard]] renewal::Snapshot snapshot() const;

	/// Both leave a message for the next run, and have it run now.
	[[nodiscard]] Done renewNow();
	[[nodiscard]] Done credentialChanged();

	/// What it knows, as a text without secrets; from then on its own next start begins with it too.
	[[nodiscard]] Expected<std::string, Refusal> exportState();
	/// The next start goes on from there.
	[[nodiscard]] Done importState(std::string_view text);

	/// Looks at all that keeping the token alive would need, on the calling thread; nothing is renewed. Not while
	/// running.
	[[nodiscard]] Done diagnose(std::chrono::milliseconds timeout, const Diagnosis::Find& find);

	/// Shows the token in use: the last one that was accepted. Waits for nothing but the visitor; what is shown stays
	/// valid until it has left.
	[[nodiscard]] Done useCredential(const std::function<void(std::string_view)>& visit) const;

private:
	enum class Phase : std::uint8_t
	{
		idle,
		starting, ///< start waits
		running,
		stopping, ///< a stop has timed out
	};

	/// A start under way, and a stop that waits for its end.
	struct Start
	{
		std::condition_variable changed;
		bool settled = false; ///< the first look-up has come to something,
		std::string trouble;  ///< or to this so far
	};

	[[nodiscard]] std::optional<Wait> run(Wake wake) noexcept override;
	[[nodiscard]] const void* place() const noexcept override;
	void newsRead() noexcept override;
	[[nodiscard]] Task<> runOnce();
	[[nodiscard]] std::optional<renewal::Attempt> takeAttempt(Moment& now);
	[[nodiscard]] credential::Source::Update takeNews(bool look);
	void follow(const credential::Source::Update& update, const Moment& now);
	void answered(const Moment& sent, const renewal::Answer& answer);
	[[nodiscard]] Task<renewal::Answer> exchange(const renewal::Attempt& attempt);
	void passOn(const std::vector<std::string>& advice) noexcept;
	void say(renewal::Level level, std::string_view component, std::string text);
	void report(renewal::Reports reports); ///< under the lock
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
	[[nodiscard]] Done awaitFirstAnswer(std::unique_lock<std::mutex>& lock, Deadline deadline);
	void abandonStart() noexcept;
	void end() noexcept;
	[[nodiscard]] Done leaveMessage(bool& message);

	const std::shared_ptr<const CommonConfig> _config;
	Listener& _listener;
	const ServicesSource _source;

	Task<> _run; ///< while one is under way

	credential::Source _token; ///< the control thread's until it is armed and after it was halted, else the run's

	mutable std::mutex _mutex; ///< guards all below; never held while the listener, the network or a file is waited for
	Phase _phase = Phase::idle;
	bool _armable = false; ///< a run may plan the next one
	bool _stopWanted = false;
	bool _renewNow = false;
	bool _rereadToken = false;
	bool _newsRead = false;        ///< since the token's source was asked last
	bool _begun = false;           ///< the keeper's life has, since the start
	std::shared_ptr<Start> _start; ///< seldom any, and large
	renewal::Keeper _keeper;
	renewal::Reports _outbox;
	std::shared_ptr<Delivery> _delivery; ///< while a helper tells what is in the outbox
	std::shared_ptr<Services> _services;
	std::shared_ptr<transport::Exchange> _exchange;
	std::unique_ptr<Handover> _inheritance; ///< what the next start goes on from; seldom any, and large
	std::vector<std::string> _advice;       ///< as last passed on
};

} // namespace issuer::vault
