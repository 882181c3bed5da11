#pragma once

#include <issuer/lifecycle.h>
#include <string_view>

namespace issuer::observe {

/// What the host itself did to an issuer or to a plugin.
enum class Action
{
	started,      ///< the issuer runs
	startFailed,  ///< it does not; the text says whether it is tried again
	stopTimedOut, ///< it was told to stop and has not
	swapped,      ///< it goes on with another plugin or configuration
	rolledBack,   ///< it could not be swapped and goes on as before
	unloaded,     ///< a plugin nobody uses any more is gone from memory
	pinned,       ///< a plugin nobody uses any more cannot be unloaded
	reloaded,     ///< a new configuration is in force
	faulty,       ///< something in a new configuration is wrong, and so it will be refused
	refused,      ///< a new configuration is not in force, and nothing was changed
	missing,      ///< a plugin's file is gone while it is in use
	ready,        ///< the host has started everything that could be started
	ended,        ///< the host has stopped everything
	serving,      ///< the status page and metrics are to be had
	stalled,      ///< work is due and nothing moves
	journal,      ///< the journal file cannot be written, or can be again
	threads,      ///< the system gives the host no further thread, or does again
};

struct Notice
{
	Action action;
	issuer_log_level level;
	std::string_view issuer;       ///< empty: not about one issuer
	std::string_view text;         ///< one sentence for people
	std::string_view library = {}; ///< the path of the plugin's library, if it is about one
};

/// Where everything that happens is told.
/// Called from plugins' workers while their renewals wait: must not block. All it is handed is borrowed for the call.
/// [thread-safe]
class EventSink
{
public:
	virtual ~EventSink() = default;

	/// An issuer's plugin recorded an event. All fields of 1.0 are there.
	virtual void event(std::string_view issuer, const issuer_event& event) = 0;

	/// An issuer's plugin has something to say.
	virtual void log(
		std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text) = 0;

	/// The host did something.
	virtual void notice(const Notice& notice) = 0;
};

} // namespace issuer::observe
