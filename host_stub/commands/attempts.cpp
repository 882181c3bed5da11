#include "commands/attempts.h"

#include <algorithm>

namespace issuer::commands {

using observe::Action;

void Attempts::begin(const Attempt& attempt)
{
	constexpr std::chrono::seconds aMoment{2};
	if (!_calls->run([this, attempt] { once(attempt, 0); }, registry::Calls::Clock::now() + aMoment)) {
		_sink->notice({Action::serving, ISSUER_LOG_WARN, {},
			"the status page or the control socket does not listen yet: a file system has not answered for 2 s; goes "
			"on without, and waits"});
	}
}

void Attempts::once(const Attempt& attempt, unsigned failures)
{
	const Result<std::string> done = attempt();
	if (done) {
		if (!done->empty()) {
			_sink->notice({Action::serving, ISSUER_LOG_INFO, {}, *done});
		}
		return;
	}
	if (failures == 0) {
		_sink->notice(
			{Action::serving, ISSUER_LOG_ERROR, {}, done.error().text + "; goes on without, and tries again"});
	}
	constexpr unsigned mostDoublings = 5;
	const std::chrono::seconds pause(std::min(1 << std::min(failures, mostDoublings), 30));
	_workers.postAfter(pause, [this, attempt, failures] { once(attempt, failures + 1); });
}

} // namespace issuer::commands
