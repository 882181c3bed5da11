#pragma once

#include "commands/host_config.h"
#include "commands/observation.h"
#include "common/timed_lock.h"
#include "registry/registry.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace issuer::commands {

/// The result of a reload, in words for the operator.
struct ReloadReport
{
	enum class Result
	{
		applied,    ///< all of the configuration is in force, or will be
		held,       ///< the same, except settings that cannot change while the host runs
		rolledBack, ///< some issuers go on as before
		refused,    ///< the configuration is wrong: nothing was changed
		unreadable, ///< it could not be read now: nothing was changed
	};

	Result result = Result::applied;
	/// One for each thing that changed, that did not, and that cannot.
	std::vector<std::string> sentences;
	std::string summary; ///< one line
};

/// The answer to a request at the control socket, and back from it.
[[nodiscard]] std::string reloadAnswer(const ReloadReport& report);

/// The kind of a reload.
enum class ReloadMode
{
	begin,  ///< the answer comes when swaps and stops have begun
	wait,   ///< it comes when they have ended
	dryRun, ///< nothing is changed; the answer says what would be
};

/// Has a running host follow its configuration again. Reloads come into force in the order of their requests, and none
/// waits for the swaps and stops of another. [thread-safe]
class Reloading
{
public:
	struct Settings
	{
		/// The configuration as it is now.
		std::function<Result<HostConfig>()> read;
		/// Returns an error if a host would refuse the configuration. Tries it in a process that a plugin may crash.
		std::function<Result<void>()> check;
		/// The settings that the host was started with.
		HostConfig started;
		bool httpByOption = false; ///< the command line has the last word about it, as is:
		bool controlByOption = false;
		/// Called when a reload has changed the registry's issuers, while swaps and stops may be under way.
		std::function<void()> applied = [] {};
	};

	/// `registry` and `observation` outlive it.
	Reloading(registry::Registry& registry, Observation& observation, Settings settings);

	/// Has `task` run before any reload. Returns at once.
	void first(std::function<void()> task);

	/// Reads and applies the configuration, tells the log, and then calls `done`. Returns at once.
	void request(std::function<void()> done);

	/// Reads and applies the configuration as request() does, and blocks for as long as `mode` says.
	[[nodiscard]] ReloadReport reload(ReloadMode mode);

	/// Waits for reloads under way; later ones are refused. For when the registry is stopped.
	void close();

private:
	using Begun = std::function<void(const ReloadReport&)>;

	ReloadReport apply(const Begun& begun);
	[[nodiscard]] ReloadReport dryRun();
	ReloadReport refused(const Error& error);
	[[nodiscard]] std::vector<std::string> heldSettings(const HostConfig& wanted) const;
	[[nodiscard]] ReloadReport reportOf(
		const registry::Changes& changes, const std::vector<std::string>& held, const char* tense) const;
	[[nodiscard]] bool post(std::function<void()> task);

	registry::Registry& _registry;
	Observation& _observation;
	const Settings _settings;
	TimedLock _order;                        ///< held while a configuration is read and compared
	std::uint64_t _latest = 0;               ///< number of the reload that was last applied; of _order
	std::mutex _mutex;                       ///< of _tasks
	std::optional<registry::Workers> _tasks; ///< the first to go: its tasks use all of the above
};

} // namespace issuer::commands
