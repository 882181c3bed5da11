#pragma once

#include "common/result.h"
#include "observe/events/issuer_status.h"
#include "registry/plugin_instance.h"
#include "registry/spec.h"
#include "registry/workers.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace issuer::registry {

/// Shared by all issuers of a host.
struct Surroundings
{
	std::shared_ptr<observe::EventSink> sink;
	/// Returns the plugin with the path that its name stands for now. [thread-safe]
	std::function<Result<loader::PluginFile>(loader::PluginFile)> resolve = [](loader::PluginFile file) {
		return Result<loader::PluginFile>(std::move(file));
	};
	std::chrono::milliseconds stopTimeout{10'000};
	/// Time that a call may take that uses no network: create, the hand-over, destroy.
	std::chrono::milliseconds callTimeout{10'000};
	/// Time that the start of a successor may take before the swap is taken back.
	std::chrono::milliseconds swapTimeout{60'000};
	/// Interval at which an issuer that does not run is checked for a change of the files that it depends on; longer
	/// where some hundred are checked.
	std::chrono::milliseconds lookPause{1'000};
	/// Takes the last state of a shared issuer that was stopped for good, and the id of its plugin. [thread-safe]
	std::function<void(const std::string& issuer, const std::string& plugin, std::string state)> lastState =
		[](const std::string&, const std::string&, const std::string&) {};
	/// Number of issuers that are checked.
	std::shared_ptr<std::atomic<int>> looks = std::make_shared<std::atomic<int>>(0);
	/// Returns the pause before a start is tried again after so many failures in a row. `needsPerson`: the last failure
	/// is one that only an operator can mend (a dead credential, a configuration that the plugin refuses).
	std::function<std::chrono::milliseconds(unsigned failures, bool needsPerson)> backoff;
	std::shared_ptr<Calls> calls = Calls::make();
};

struct Candidate;

/// Opens the plugin and creates the instance of a future issuer, within a limited time. The error names the issuer.
/// [thread-safe]
using Prepare = std::function<Result<Candidate>(IssuerSpec)>;

/// A request that a plugin carries out in its own time.
enum class Nudge
{
	renewNow,
	credentialChanged,
};

/// The present or future of an issuer: created, but not started.
struct Candidate
{
	IssuerSpec spec;
	std::shared_ptr<const loader::Plugin> plugin; ///< null, as the instance: not created yet
	std::shared_ptr<PluginInstance> instance;
	std::shared_ptr<const void> hold = {}; ///< keeps the plugin from being unloaded
};

/// Creates the instance, but does not start it. The error names the issuer.
[[nodiscard]] Result<Candidate> createCandidate(
	IssuerSpec spec, std::shared_ptr<const loader::Plugin> plugin, const Surroundings& surroundings);

/// One configured issuer through its life: created and started, and tried again for as long as it does not run;
/// swapped, with a way back at every step; stopped.
///
/// A start that failed is always tried again: after a pause, and at once when a file changes that its configuration
/// names. A plugin that does not return from a call is left behind: see PluginInstance.
///
/// At any time at most one thread is busy with it (a start attempt or a swap, on a worker). Functions are for any
/// thread, unless they say otherwise.
class Issuer : public std::enable_shared_from_this<Issuer>
{
public:
	/// `workers`, `surroundings` and the objects that `prepare` uses must outlive it. A candidate without an instance
	/// is prepared by the first start.
	Issuer(Candidate candidate, Workers& workers, const Surroundings& surroundings, Prepare prepare);

	[[nodiscard]] const std::string& name() const { return _name; }
	[[nodiscard]] IssuerSpec spec() const;

	/// Returns the spec of the swap that was announced last, or its own if none is under way.
	[[nodiscard]] IssuerSpec goal() const;

	/// Returns the path of its library without symbolic links; empty if none was loaded so far.
	[[nodiscard]] std::filesystem::path library() const;

	/// Returns whether requestStop() was called.
	[[nodiscard]] bool isClosed() const;

	/// Has it started, again after a pause if that fails. Returns at once; the sink hears how it goes.
	void start();

	/// Starts it at once if it does not run, whatever pause it was in. Returns false, and has no effect, if it runs.
	bool startIfIdle();

	/// Keeps a shared issuer here from now on: creates and starts it, from `state` if there is one and its plugin can
	/// use it. Returns at once. No effect while it is kept here.
	void keep(std::optional<std::string> state);

	/// Begins to let a shared issuer go: it stays configured, and a keep() from now on starts it again. Returns whether
	/// letGo() has to follow; not for one that is not kept here. Returns at once.
	[[nodiscard]] bool beginLettingGo();

	/// Stops and destroys the instance of an issuer that is let go, by `deadline` and some hundred milliseconds.
	void letGo(std::chrono::steady_clock::time_point deadline);

	/// Returns the state of the running instance, for a successor elsewhere, and the id of its plugin.
	[[nodiscard]] Result<std::pair<std::string, std::string>> state() const;

	/// Announces a swap to `next`, which becomes goal(). Returns the ticket that tells that swap from later ones.
	[[nodiscard]] std::uint64_t announce(const IssuerSpec& next);

	/// Makes it `next`, in the order of CONTRACT.md. On any failure it goes on as it was, from what it knew, and the
	/// error says what failed. Blocks as long as the stop of the old and the start of the new take, and for a bounded
	/// time if a plugin hangs. Of several that wait for one another only the one that was announced last is carried
	/// out.
	[[nodiscard]] Result<void> swap(Candidate next, std::uint64_t ticket);
	[[nodiscard]] Result<void> swap(Candidate next);

	/// Refuses any further start or swap. Returns at once.
	void requestStop();

	/// Asks it to end all work, so that many can end at the same time. Blocks briefly.
	void beginStop();

	/// Stops and destroys it, by `deadline` and some hundred milliseconds. Returns false if it does not stop: it has
	/// been abandoned.
	[[nodiscard]] bool finish(std::chrono::steady_clock::time_point deadline);

	/// Returns its state. Asks the plugin, and so must not be called from inside the sink.
	[[nodiscard]] observe::IssuerStatus status() const;

	/// Has its plugin renew now, or read its credential's source now; one that does not run is started now. Returns at
	/// once: the sink is told the result. Not from inside the sink.
	[[nodiscard]] Result<void> nudge(Nudge nudge);

private:
	/// A wait for a change of the files since a start that failed.
	struct Look
	{
		Look(std::uint64_t theEpoch, std::string stamp, std::shared_ptr<std::atomic<int>> looks)
			: epoch(theEpoch), before(std::move(stamp)), all(std::move(looks))
		{
			++*all;
		}
		~Look() { --*all; }
		Look(const Look&) = delete;
		Look& operator=(const Look&) = delete;

		const std::uint64_t epoch;
		const std::string before;
		const std::shared_ptr<std::atomic<int>> all;
	};

	using Deadline = std::chrono::steady_clock::time_point;

	void attempt(std::uint64_t epoch);
	CallResult attemptOnce();
	void takeState();
	void keepHere();
	CallResult putAway(PluginInstance& its, Deadline deadline, std::optional<std::string>& state);
	void settle(const CallResult& started);
	void rest();
	void lookForChanges(const std::shared_ptr<const Look>& look);
	void lookLater(const std::shared_ptr<const Look>& look);
	[[nodiscard]] std::string stampOfFiles() const;
	CallResult startCancellably(PluginInstance& instance, Deadline deadline);
	[[nodiscard]] bool halt(Deadline deadline);
	bool leaveStartBehind();
	Result<void> swapInTurn(Candidate next, std::uint64_t ticket);
	void configure(const IssuerSpec& next);
	Result<void> carryOutSwap(Candidate next, bool wasRunning);
	void awaitQuiet(const PluginInstance& instance);
	Result<void> replace(Candidate next, const std::optional<std::string>& state, bool wasRunning, std::string without);
	Result<void> goBack(std::string why);
	Result<void> recreate(Candidate before, std::string why, const std::optional<std::string>& state);
	CallResult destroyInstance();
	[[nodiscard]] std::shared_ptr<PluginInstance> instance() const;
	std::shared_ptr<PluginInstance> takeInstance();
	void clear();
	Candidate become(Candidate next);
	[[nodiscard]] Deadline soon() const;
	void tell(observe::Action action, issuer_log_level level, const std::string& text) const;

	const std::string _name;
	const Prepare _prepare;
	Workers& _workers;
	const Surroundings& _surroundings;

	mutable std::mutex _view; ///< held briefly while _now is written, or read by threads other than the busy one
	Candidate _now;
	std::optional<IssuerSpec> _goal; ///< of the swap that was announced last, until it has ended; of _view, too
	std::uint64_t _announced = 0;    ///< that swap's ticket

	/// A swap's stop of the instance has timed out and is still under way: the contract allows a start only after a
	/// stop that was OK. Used by the busy thread alone, without a lock.
	bool _stopPending = false;

	mutable std::mutex _mutex; ///< guards all below
	std::condition_variable _changed;
	bool _busy = false; ///< a thread is in attempt(), swap(), letGo() or finish() and owns _now
	/// A start was asked for while it was busy: unless it runs then, it is started again at once.
	bool _startAsked = false;
	bool _swapping = false;                    ///< in swap()
	bool _closed = false;                      ///< requestStop() was called
	bool _elsewhere;                           ///< shared, and not kept here
	bool _leaving = false;                     ///< in letGo()
	std::optional<std::string> _inherited;     ///< state of another host's instance, for the next one that is created
	bool _halted = false;                      ///< no start may begin
	bool _running = false;                     ///< the last start succeeded
	bool _failed = false;                      ///< the last start failed for a reason that only an operator can mend
	std::shared_ptr<PluginInstance> _starting; ///< a start waits in it; stop() ends the wait
	std::uint64_t _epoch = 0;                  ///< attempts planned in an earlier epoch are void
	unsigned _failures = 0;
	std::optional<std::chrono::milliseconds> _retryAfter; ///< pause before the next attempt, to be planned by rest()
	std::optional<std::int64_t> _retryUnixMs;             ///< time of the next attempt, for status()
	std::int64_t _sinceUnixMs;                            ///< time at which it last began to start, swap or stop
	std::string _filesBefore;                             ///< stamp of its files before the last start read them
	std::string _problem;                                 ///< error of the last start or swap; empty: none
};

} // namespace issuer::registry
