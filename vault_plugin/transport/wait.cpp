#include "transport/wait.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace issuer::vault::transport {

Wake waitFor(std::span<pollfd> fds, const Limits& limits, std::chrono::steady_clock::time_point until)
{
	using namespace std::chrono;
	std::array<pollfd, 31> all{};
	const std::size_t count = std::min(fds.size(), all.size() - 1);
	std::copy_n(fds.begin(), count, all.begin());
	pollfd& cancel = all[count];
	cancel = {limits.cancelFd, POLLIN, 0}; // poll() passes over a negative one

	for (;;) {
		const auto left = std::min(limits.deadline, until) - steady_clock::now();
		const auto rest = std::max(duration_cast<nanoseconds>(left), nanoseconds(0));
		const auto wholeSeconds = duration_cast<seconds>(rest);
		const timespec timeout{wholeSeconds.count(), (rest - wholeSeconds).count()};

		const int ready = ::ppoll(all.data(), static_cast<nfds_t>(count + 1), &timeout, nullptr);
		if (ready < 0 && errno != EINTR) {
			return Wake::ready; // a descriptor of ours is bad: the next call on it tells
		}
		if (ready > 0 && cancel.revents != 0) {
			return Wake::cancelled;
		}
		const auto now = steady_clock::now();
		if (now >= limits.deadline) {
			return Wake::timedOut;
		}
		if (ready > 0 || now >= until) {
			std::copy_n(all.begin(), count, fds.begin());
			return Wake::ready;
		}
	}
}

Wake waitFor(int fd, short events, const Limits& limits)
{
	pollfd one{fd, events, 0};
	return waitFor(std::span(&one, 1), limits);
}

ExchangeError endedBy(Wake wake, const std::string& peer, const std::string& doing)
{
	if (wake == Wake::cancelled) {
		return {ExchangeError::Kind::cancelled, peer + ": stopped while " + doing};
	}
	return {ExchangeError::Kind::timeout, peer + ": no time left while " + doing};
}

} // namespace issuer::vault::transport
