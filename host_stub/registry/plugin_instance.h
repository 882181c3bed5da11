#pragma once

#include "loader/plugin.h"
#include "observe/events/event_sink.h"
#include "registry/calls.h"

#include <chrono>
#include <functional>
#include <issuer/diagnose.h>
#include <issuer/health.h>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace issuer::registry {

/// A call's failure: an answer other than ISSUER_OK, or none.
struct CallError
{
	issuer_rc code;
	std::string text;  ///< in the plugin's words, as one printable line
	bool hung = false; ///< the call has not returned: text and code are the host's
};

/// One finding of a plugin's diagnosis, copied: see issuer/diagnose.h.
struct Finding
{
	issuer_finding_level level;
	std::string topic; ///< one printable line, as are the others
	std::string text;
	std::string advice;
};

using CallResult = tl::expected<void, CallError>;

/// One instance of a plugin: its table as C++. Calls are the contract's, with the contract's rules for threads
/// (lifecycle.h): [control-thread], but stop also while start waits. Keeps its plugin loaded.
///
/// No call blocks its caller for ever. One that has not returned at its deadline is left behind with everything that it
/// may use, and until it returns every other is refused. If the PluginInstance is destroyed meanwhile, the thread that
/// was left behind stops and destroys the plugin's instance, if the call ever returns.
class PluginInstance
{
public:
	using Deadline = Calls::Clock::time_point;

	/// Creates an instance. `sink` gets its events and lines from now on, under the name `issuer`.
	[[nodiscard]] static tl::expected<std::unique_ptr<PluginInstance>, CallError> create(
		std::shared_ptr<const loader::Plugin> plugin, const std::string& issuer, const std::string& config,
		std::shared_ptr<observe::EventSink> sink, std::shared_ptr<Calls> calls, Deadline deadline);

	/// Destroys the instance. One that still runs cannot be destroyed: it is abandoned, with all objects that it may
	/// still use.
	~PluginInstance();
	PluginInstance(const PluginInstance&) = delete;
	PluginInstance& operator=(const PluginInstance&) = delete;

	/// Starts it. At `deadline` it is told to stop, and has a second more to return.
	[[nodiscard]] CallResult start(Deadline deadline);
	/// Stops it. `timeout` is passed to the plugin, which has a little longer to answer that it was not enough.
	[[nodiscard]] CallResult stop(std::chrono::milliseconds timeout);
	[[nodiscard]] CallResult record(Deadline deadline); ///< events go to the sink from now on
	[[nodiscard]] CallResult recordNothing(Deadline deadline);
	[[nodiscard]] CallResult destroy(Deadline deadline); ///< afterwards only the destructor may be called

	/// Has every waiting caller leave its call behind now. [thread-safe]
	void abandon();

	/// Returns the state in its latest event. [thread-safe]
	[[nodiscard]] issuer_state lastHeard() const;

	[[nodiscard]] bool canHandOver() const;
	[[nodiscard]] tl::expected<std::string, CallError> exportState(Deadline deadline);
	/// Returns the same as of now, also while it runs; ISSUER_E_UNSUPPORTED where the plugin cannot. Conditions as for
	/// health(). [thread-safe]
	[[nodiscard]] tl::expected<std::string, CallError> snapshotState() const;
	[[nodiscard]] CallResult importState(const std::string& state, Deadline deadline);

	/// Has the instance lend its secrets to `next`, which takes them within the call: see issuer/secrets.h. Neither
	/// runs. Success also where there is nothing to lend, or one of the plugins cannot. After an error `next` has none
	/// of them; if it is the one that hangs, its further calls say so.
	[[nodiscard]] CallResult lendTo(PluginInstance& next, Deadline deadline);

	/// Returns its health; empty: the plugin has no issuer.health/1, or refuses, or is about to be destroyed. Not from
	/// inside its callbacks. [thread-safe]
	[[nodiscard]] std::optional<issuer_health> health() const;

	/// The calls of issuer.control/1; ISSUER_E_UNSUPPORTED where the plugin does not offer it. Conditions as for
	/// health(). [thread-safe]
	[[nodiscard]] CallResult renewNow();
	[[nodiscard]] CallResult credentialChanged();

	/// Has the plugin check everything that the credential's life depends on; `find` is called before it returns.
	/// ISSUER_E_UNSUPPORTED where the plugin has no issuer.diagnose/1. Not while running. Has no deadline but the
	/// plugin's own.
	[[nodiscard]] CallResult diagnose(
		std::chrono::milliseconds timeout, const std::function<void(Finding)>& find) const;
	/// As diagnose(), of one login that is made for it, proven and revoked. ISSUER_E_UNSUPPORTED where the plugin or
	/// its configuration has no login.
	[[nodiscard]] CallResult diagnoseLogin(
		std::chrono::milliseconds timeout, const std::function<void(Finding)>& find) const;

private:
	struct Pending;
	struct Listener;
	struct Core; ///< owns what a call that was left behind may still use

	explicit PluginInstance(std::shared_ptr<Core> core) : _core(std::move(core)) {}

	std::shared_ptr<Core> _core;
};

} // namespace issuer::registry
