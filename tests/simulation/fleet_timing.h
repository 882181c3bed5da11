#pragma once

#include "fleet_world.h"

#include <cstddef>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace issuer::fleets {

/// Virtual time: calls what was planned, in the order of its times, and of its planning at equal times.
class Timing
{
public:
	using Call = std::function<void()>;

	[[nodiscard]] Instant now() const { return _now; }
	void at(Instant time, Call call) { _calls.push({std::max(time, _now), ++_planned, std::move(call)}); }
	void in(milliseconds pause, Call call) { at(_now + pause, std::move(call)); }

	void run(Instant until)
	{
		while (!_calls.empty() && _calls.top().time <= until) {
			auto [time, order, call] = _calls.top();
			_calls.pop();
			_now = time;
			call();
		}
		_now = until;
	}

private:
	struct Planned
	{
		Instant time;
		std::size_t order;
		Call call;

		bool operator<(const Planned& other) const
		{
			return time != other.time ? time > other.time : order > other.order;
		}
	};

	Instant _now = worldBegins;
	std::size_t _planned = 0;
	std::priority_queue<Planned> _calls;
};

} // namespace issuer::fleets
