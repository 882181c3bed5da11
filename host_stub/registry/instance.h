#pragma once

#include "loader/plugin.h"
#include "observe/event_sink.h"

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
	std::string text; ///< the plugin's words, as one printable line
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
class Instance
{
public:
	/// `sink` hears the instance from now on, under the name `issuer`.
	[[nodiscard]] static tl::expected<std::unique_ptr<Instance>, CallError> create(
		std::shared_ptr<const loader::Plugin> plugin, const std::string& issuer, const std::string& config,
		std::shared_ptr<observe::EventSink> sink);

	/// Destroys the instance. If it still runs it cannot be: then it is left alone, with all it may still call.
	~Instance();
	Instance(const Instance&) = delete;
	Instance& operator=(const Instance&) = delete;

	[[nodiscard]] CallResult start();
	[[nodiscard]] CallResult stop(std::chrono::milliseconds timeout);
	[[nodiscard]] CallResult record(); ///< events go to the sink from now on
	[[nodiscard]] CallResult recordNothing();
	[[nodiscard]] CallResult destroy(); ///< after it, only the destructor may be called

	/// What its latest event said of its credential. [thread-safe]
	[[nodiscard]] issuer_state lastHeard() const;

	[[nodiscard]] bool canHandOver() const { return _handover != nullptr; }
	[[nodiscard]] tl::expected<std::string, CallError> exportState();
	[[nodiscard]] CallResult importState(const std::string& state);

	/// Empty: the plugin has no issuer.health/1, or it refuses. Not from inside its callbacks, and not once destroyed.
	/// [thread-safe]
	[[nodiscard]] std::optional<issuer_health> health() const;

	/// What issuer.control/1 offers; ISSUER_E_UNSUPPORTED where the plugin does not. Conditions as for health().
	/// [thread-safe]
	[[nodiscard]] CallResult renewNow();
	[[nodiscard]] CallResult credentialChanged();

	/// Has the plugin look at everything the credential's life depends on; `find` is called before it returns.
	/// ISSUER_E_UNSUPPORTED where the plugin has no issuer.diagnose/1. Not while running.
	[[nodiscard]] CallResult diagnose(
		std::chrono::milliseconds timeout, const std::function<void(Finding)>& find) const;

private:
	struct Ears; ///< what the plugin calls

	explicit Instance(std::unique_ptr<Ears> ears);

	std::unique_ptr<Ears> _ears;
	const issuer_lifecycle& _table;
	const issuer_handover_ext* _handover;
	const issuer_health_ext* _health;
	const issuer_control_ext* _control;
	const issuer_diagnose_ext* _diagnose;
	issuer_instance* _self = nullptr;
};

} // namespace issuer::registry
