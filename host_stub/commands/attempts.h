#pragma once

#include "common/result.h"
#include "observe/events/event_sink.h"
#include "registry/calls.h"
#include "registry/workers.h"

#include <functional>
#include <memory>
#include <string>

namespace issuer::commands {

/// Parts that a host can do without for a while: its page, its control socket. Each is tried until it succeeds, at
/// pauses that double from a second to half a minute; its first failure is reported, and the success after it.
class Attempts
{
public:
	/// Tries once. Returns the line to report after a success, empty for none, or the error. May block.
	using Attempt = std::function<Result<std::string>()>;

	Attempts(std::shared_ptr<observe::EventSink> sink, std::shared_ptr<registry::Calls> calls)
		: _sink(std::move(sink)), _calls(std::move(calls))
	{
	}

	/// Begins the tries. Returns when the first one has ended, after two seconds at most.
	void begin(const Attempt& attempt);

private:
	void once(const Attempt& attempt, unsigned failures);

	const std::shared_ptr<observe::EventSink> _sink;
	const std::shared_ptr<registry::Calls> _calls;
	registry::Workers _workers{2}; ///< destroyed first: its tasks use the other members
};

} // namespace issuer::commands
