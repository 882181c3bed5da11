#pragma once

#include "fleet_world.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace issuer::fleets {

/// Virtual time: calls what was planned, in the order of its times, and of its planning at equal times.
class Timing
{
public:
	using Call = std::function<void()>;

	[[nodiscard]] Instant now() const { return _now; }
	void at(Instant time, Call call)
	{
		_calls.push_back({std::max(time, _now), ++_planned, std::move(call)});
		std::push_heap(_calls.begin(), _calls.end());
	}
	void in(milliseconds pause, Call call) { at(_now + pause, std::move(call)); }

	void run(Instant until)
	{
		while (!_calls.empty() && _calls.front().time <= until) {
			std::pop_heap(_calls.begin(), _calls.end());
			const auto next = std::move(_calls.back());
			_calls.pop_back();
			_now = next.time;
			next.call();
		}
		_now = until;
	}

private:
	struct Planned
	{
		Instant time;
		std::size_t order;
		Call call;

		/// Puts the earliest on top of the heap.
		friend bool operator<(const Planned& one, const Planned& other)
		{
			return one.time != other.time ? one.time > other.time : one.order > other.order;
		}
	};

	Instant _now = worldBegins;
	std::size_t _planned = 0;
	std::vector<Planned> _calls; ///< a heap
};

} // namespace issuer::fleets
