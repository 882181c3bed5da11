#include "transport/blocking.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>

namespace issuer::vault::transport {

Wake block(const Wait& wait, int cancelFd)
{
	using namespace std::chrono;
	constexpr Duration longest = years(1); // a limit above it would overflow in nanoseconds
	const auto until = steady_clock::now() + std::min(wait.atMost, longest);
	// poll() ignores negative descriptors.
	std::array<pollfd, 2> fds{{{cancelFd, POLLIN, 0}, {wait.fd, wait.events, 0}}};
	for (;;) {
		const auto left = std::max<nanoseconds>(until - steady_clock::now(), nanoseconds(0));
		const auto wholeSeconds = duration_cast<seconds>(left);
		const timespec timeout{wholeSeconds.count(), (left - wholeSeconds).count()};
		const int count = ::ppoll(fds.data(), fds.size(), &timeout, nullptr);
		if (count > 0) {
			return fds[0].revents != 0 ? Wake::cancelled : Wake::ready;
		}
		if (count < 0 && errno != EINTR) {
			return Wake::ready; // a descriptor is invalid: the next call on it reports that
		}
		if (steady_clock::now() >= until) {
			return Wake::timedOut;
		}
	}
}

} // namespace issuer::vault::transport
