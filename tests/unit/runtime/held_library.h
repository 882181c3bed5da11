#pragma once

#include "jobs.h"
#include "runtime/shared_runtime.h"

#include <deque>
#include <latch>

namespace issuer::vault::runtime::test {

/// A plugin whose host forgets it: a library as a static object, instances that are not stopped, runs that hang.
class ForgottenInstances
{
public:
	explicit ForgottenInstances(SharedRuntime& library) : _runtime(library.acquire())
	{
		constexpr int hanging = 8;
		std::latch running(hanging);
		const Instant now = _runtime->clock().now().boot;
		for (int i = 0; i < hanging; ++i) {
			_runtime->scheduler().arm(_hanging.emplace_back([&running] { running.count_down(); }), now, now);
		}
		for (int i = 0; i < 100; ++i) {
			_runtime->scheduler().arm(add([] {}), now + std::chrono::milliseconds(i), now);
		}
		running.wait();
	}

	[[nodiscard]] Runtime& runtime() { return *_runtime; }
	Chore& add(std::function<void()> run) { return _jobs.emplace_back(std::move(run)); }

private:
	std::deque<Chore> _jobs;
	std::deque<Hanging> _hanging;
	std::shared_ptr<Runtime> _runtime;
};

} // namespace issuer::vault::runtime::test
