#pragma once

#include "common/result.h"
#include "observe/issuer_status.h"
#include "registry/instance.h"
#include "registry/spec.h"
#include "registry/workers.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace issuer::registry {

/// What all issuers of a host share.
struct Surroundings
{
	std::shared_ptr<observe::EventSink> sink;
	std::chrono::milliseconds stopTimeout{10'000};
	/// How long to wait before a start is tried again after so many failures in a row, the last of which found the
	/// credential dead or not.
	std::function<std::chrono::milliseconds(unsigned failures, bool credentialDead)> backoff;
	/// An issuer's start failed for a reason that waiting does not mend. [worker-thread]
	std::function<void()> onGivenUp = [] {};
};

/// A wish that a plugin fulfils in its own time.
enum class Nudge
{
	renewNow,
	credentialChanged,
};

/// What an issuer is to become: created, and nothing more.
struct Candidate
{
	IssuerSpec spec;
	std::shared_ptr<const loader::Plugin> plugin;
	std::unique_ptr<Instance> instance;
};

/// Makes the instance and starts nothing. The error names the issuer.
[[nodiscard]] Result<Candidate> createCandidate(
	IssuerSpec spec, std::shared_ptr<const loader::Plugin> plugin, const std::shared_ptr<observe::EventSink>& sink);

/// One configured issuer through its life: started, and tried again while its server is away; swapped, with a way back
/// at every step; stopped.
///
/// At any time at most one thread is busy with it (a start attempt or a swap, on a worker). Functions are for the
/// control thread, unless they say otherwise.
class Issuer : public std::enable_shared_from_this<Issuer>
{
public:
	/// `workers` and `surroundings` outlive it.
	Issuer(Candidate candidate, Workers& workers, const Surroundings& surroundings);

	/// Not while a swap is under way.
	[[nodiscard]] const IssuerSpec& spec() const { return _now.spec; }
	[[nodiscard]] const std::shared_ptr<const loader::Plugin>& plugin() const { return _now.plugin; }

	/// Has it started, again after a pause if the server is away. Returns at once; the sink hears how it goes.
	void start();

	/// The same for one that has failed: at once, whatever pause it was in. No effect on one that runs.
	void startIfIdle();

	/// Makes it `next`, in the order of CONTRACT.md. On any failure it goes on as it was, from what it knew, and the
	/// error says what failed. Blocks as long as the stop of the old and the start of the new take.
	[[nodiscard]] Result<void> swap(Candidate next);

	/// No further start or swap; one that waits is cancelled. Returns at once. [thread-safe]
	void requestStop();

	/// Asks it to end all work, so that many can end at the same time. Returns at once.
	void beginStop();

	/// Stops and destroys it, by `deadline`. False: it does not stop, and has been left alone.
	[[nodiscard]] bool finish(std::chrono::steady_clock::time_point deadline);

	/// Neither running nor about to. [thread-safe]
	[[nodiscard]] bool givenUp() const;

	/// How it stands. Asks the plugin, and so not from inside the sink. [thread-safe]
	[[nodiscard]] observe::IssuerStatus status() const;

	/// Has its plugin renew now, or read its credential's source now. Returns at once: what comes of it is told to the
	/// sink. Not from inside the sink. [thread-safe]
	[[nodiscard]] Result<void> nudge(Nudge nudge);

private:
	void attempt(std::uint64_t epoch);
	void settle(const CallResult& started);
	void rest();
	CallResult startCancellably(Instance& instance);
	bool halt(std::chrono::steady_clock::time_point deadline);
	Result<void> exchange(Candidate next, bool wasRunning);
	void awaitQuiet(const Instance& instance);
	Result<void> replace(Candidate next, const std::optional<std::string>& state, bool wasRunning);
	Result<void> goBack(std::string why);
	Result<void> recreate(Candidate before, std::string why, const std::optional<std::string>& state);
	CallResult destroyInstance();
	Candidate become(Candidate next);
	void tell(observe::Action action, issuer_log_level level, const std::string& text) const;

	Workers& _workers;
	const Surroundings& _surroundings;

	mutable std::mutex _view; ///< held while _now is written, and by whoever reads it without being busy with it
	Candidate _now;

	/// A swap's stop of the instance has timed out and is still under way: the contract allows a start only after a
	/// stop that was OK. Of whoever is busy with the issuer, and no lock's.
	bool _stopPending = false;

	mutable std::mutex _mutex; ///< of all that follows
	std::condition_variable _changed;
	bool _busy = false;            ///< a worker is in attempt() or swap(): _now is its own
	bool _startAsked = false;      ///< while it was busy: if it does not run then, it is started again at once
	bool _swapping = false;        ///< in swap()
	bool _closed = false;          ///< requestStop() was called
	bool _halted = false;          ///< no start may begin
	bool _running = false;         ///< the last start succeeded
	bool _givenUp = false;         ///< the last start failed for good
	Instance* _starting = nullptr; ///< a start waits in it: stop() ends the wait
	std::uint64_t _epoch = 0;      ///< attempts planned in an earlier one are void
	unsigned _failures = 0;
	std::optional<std::chrono::milliseconds> _retryAfter; ///< the next attempt, to be planned by rest()
	std::optional<std::int64_t> _retryUnixMs;             ///< when it will be, for people
	std::string _problem;                                 ///< of the last start or swap
};

} // namespace issuer::registry
