#pragma once

#include "common/result.h"
#include "observe/event_sink.h"
#include "registry/calls.h"
#include "registry/workers.h"

#include <functional>
#include <memory>
#include <string>

namespace issuer::commands {

/// Things that a host can do without for a while: its page, its control socket. Each is tried until it succeeds, at
/// pauses that double from a second to half a minute; its first failure is told, and the success after it.
class Attempts
{
public:
	/// Does it, or says why not; what it says when it has succeeded, empty: nothing. May block.
	using Attempt = std::function<Result<std::string>()>;

	Attempts(std::shared_ptr<observe::EventSink> sink, std::shared_ptr<registry::Calls> calls)
		: _sink(std::move(sink)), _calls(std::move(calls))
	{
	}

	/// Returns when the first try has ended, but waits for it for no more than two seconds.
	void begin(const Attempt& attempt);

private:
	void once(const Attempt& attempt, unsigned failures);

	const std::shared_ptr<observe::EventSink> _sink;
	const std::shared_ptr<registry::Calls> _calls;
	registry::Workers _workers{2}; ///< the first to go: its tasks use the others
};

} // namespace issuer::commands
