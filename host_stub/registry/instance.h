#pragma once

#include "loader/plugin.h"
#include "observe/event_sink.h"
#include "registry/calls.h"

#include <chrono>
#include <functional>
#include <issuer/control.h>
#include <issuer/diagnose.h>
#include <issuer/handover.h>
#include <issuer/health.h>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace issuer::registry {

/// What a call into a plugin answered instead of ISSUER_OK.
struct CallError
{
	issuer_rc code;
	std::string text;  ///< the plugin's words, as one printable line
	bool hung = false; ///< the call has not returned: the host's words, and no code of the plugin's
};

/// One thing a plugin found when it looked, copied: see issuer/diagnose.h.
struct Finding
{
	issuer_finding_level level;
	std::string topic; ///< printable, as are the others
	std::string text;
	std::string advice;
};

using CallResult = tl::expected<void, CallError>;

/// One instance of a plugin: its table as C++. Calls are the contract's, with the contract's rules for threads
/// (lifecycle.h): [control-thread], but stop also while start waits. Keeps its plugin loaded.
///
/// No call holds its caller for ever. One that is still out at its deadline is left behind with everything that it may
/// use, and until it returns every other is refused. An instance that is given away meanwhile is stopped and destroyed
/// by the thread that was left behind, if that ever returns.
class Instance
{
public:
	using Deadline = Calls::Clock::time_point;

	/// `sink` hears the instance from now on, under the name `issuer`.
	[[nodiscard]] static tl::expected<std::unique_ptr<Instance>, CallError> create(
		std::shared_ptr<const loader::Plugin> plugin, const std::string& issuer, const std::string& config,
		std::shared_ptr<observe::EventSink> sink, std::shared_ptr<Calls> calls, Deadline deadline);

	/// Destroys the instance. If it still runs it cannot be: then it is left alone, with all it may still call.
	~Instance();
	Instance(const Instance&) = delete;
	Instance& operator=(const Instance&) = delete;

	/// At `deadline` it is told to stop, and has a second more to return.
	[[nodiscard]] CallResult start(Deadline deadline);
	/// `timeout` is the plugin's; it has a little longer to say that it could not keep to it.
	[[nodiscard]] CallResult stop(std::chrono::milliseconds timeout);
	[[nodiscard]] CallResult record(Deadline deadline); ///< events go to the sink from now on
	[[nodiscard]] CallResult recordNothing(Deadline deadline);
	[[nodiscard]] CallResult destroy(Deadline deadline); ///< after it, only the destructor may be called

	/// Whoever waits for a call that is out leaves it behind now. [thread-safe]
	void abandon();

	/// What its latest event said of its credential. [thread-safe]
	[[nodiscard]] issuer_state lastHeard() const;

	[[nodiscard]] bool canHandOver() const;
	[[nodiscard]] tl::expected<std::string, CallError> exportState(Deadline deadline);
	[[nodiscard]] CallResult importState(const std::string& state, Deadline deadline);

	/// Empty: the plugin has no issuer.health/1, or it refuses, or it is about to be destroyed. Not from inside its
	/// callbacks. [thread-safe]
	[[nodiscard]] std::optional<issuer_health> health() const;

	/// What issuer.control/1 offers; ISSUER_E_UNSUPPORTED where the plugin does not. Conditions as for health().
	/// [thread-safe]
	[[nodiscard]] CallResult renewNow();
	[[nodiscard]] CallResult credentialChanged();

	/// Has the plugin look at everything the credential's life depends on; `find` is called before it returns.
	/// ISSUER_E_UNSUPPORTED where the plugin has no issuer.diagnose/1. Not while running. Has no deadline but the
	/// plugin's own.
	[[nodiscard]] CallResult diagnose(
		std::chrono::milliseconds timeout, const std::function<void(Finding)>& find) const;

private:
	struct Pending;
	struct Core; ///< what a call that was left behind may still use

	explicit Instance(std::shared_ptr<Core> core) : _core(std::move(core)) {}

	std::shared_ptr<Core> _core;
};

} // namespace issuer::registry
