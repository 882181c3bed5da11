#pragma once

#include <issuer/lifecycle.h>
#include <string_view>

namespace issuer::observe {

/// An act of the host itself on an issuer or a plugin.
enum class Action
{
	started,      ///< the issuer runs
	startFailed,  ///< the issuer does not run; the text says whether its start is tried again
	stopTimedOut, ///< it was told to stop and has not
	swapped,      ///< the issuer continues with another plugin or configuration
	rolledBack,   ///< the issuer could not be swapped and continues as before
	unloaded,     ///< a plugin that no issuer uses any more was unloaded
	pinned,       ///< a plugin that no issuer uses any more cannot be unloaded
	reloaded,     ///< a new configuration is in force
	faulty,       ///< a part of a new configuration is wrong; `refused` follows
	refused,      ///< a new configuration was refused, and nothing was changed
	missing,      ///< the file of a plugin in use is gone
	ready,        ///< the host has started everything that could be started
	ended,        ///< the host has stopped everything
	serving,      ///< the status page and metrics are served
	stalled,      ///< work is due and nothing moves
	journal,      ///< the journal file cannot be written, or can be again
	exec,         ///< a command or URL of "exec" failed, or events for it were dropped
	stateRefused, ///< a state that another host has left cannot be used: the plugin begins with a look-up
	fleet,        ///< the host's part in its fleet, or its engine, has changed
	threads,      ///< the system refuses the host a thread, or does so no longer
};

struct Notice
{
	Action action;
	issuer_log_level level;
	std::string_view issuer;       ///< empty: the notice is not about one issuer
	std::string_view text;         ///< one sentence for the operator
	std::string_view library = {}; ///< path of the plugin's library; empty: the notice is not about a plugin
};

/// Is told everything that happens. Called from plugins' workers while their renewals wait: must not block. All
/// arguments are borrowed for the call. [thread-safe]
class EventSink
{
public:
	virtual ~EventSink() = default;

	/// Takes an event that an issuer's plugin recorded. All fields of 1.0 are there.
	virtual void event(std::string_view issuer, const issuer_event& event) = 0;

	/// Takes a log line of an issuer's plugin.
	virtual void log(
		std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text) = 0;

	/// Takes an act of the host.
	virtual void notice(const Notice& notice) = 0;
};

} // namespace issuer::observe
