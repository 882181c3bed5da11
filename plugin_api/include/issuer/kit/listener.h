/// A host's interfaces for the events and log lines of an instance.
#pragma once

#include <issuer/lifecycle.h>

#include <string_view>

namespace issuer::kit {

/// Takes the lines that an instance has for people. Exceptions of an implementation are dropped.
class Log
{
public:
	virtual ~Log() = default;

	/// Must not block. [thread-safe]
	virtual void log(issuer_log_level level, std::string_view component, std::string_view text) = 0;

	/// Returns the host's table for an extension id, or null; it lives as long as this object. [thread-safe]
	[[nodiscard]] virtual const void* extension(const char* /*id*/) { return nullptr; }
};

/// Takes the events of an instance. Exceptions of an implementation are dropped.
class Recorder
{
public:
	virtual ~Recorder() = default;

	/// `event` has all fields of 1.0 and is borrowed for the call. Calls for one instance never overlap. Must not
	/// block, and must not call the instance. [worker-thread]
	virtual void record(const issuer_event& event) = 0;
};

} // namespace issuer::kit
