#pragma once

#include "jobs.h"

#include <chrono>
#include <functional>
#include <thread>

namespace issuer::vault::runtime::test {

/// Waits for a condition that is not signalled, such as the end of a thread.
inline bool eventually(const std::function<bool()>& holds)
{
	const auto limit = std::chrono::steady_clock::now() + patience;
	while (!holds()) {
		if (std::chrono::steady_clock::now() > limit) {
			return false;
		}
		std::this_thread::yield();
	}
	return true;
}

} // namespace issuer::vault::runtime::test
