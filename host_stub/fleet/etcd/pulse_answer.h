#pragma once

#include "fleet/directory.h"

#include <functional>
#include <utility>

namespace issuer::fleet::etcd {

/// The answer that a reader of pulses waits for. Given once: empty, if it is destroyed before.
class PulseAnswer
{
public:
	using Take = std::function<void(Directory::Pulses)>;

	PulseAnswer() = default;
	explicit PulseAnswer(Take take) : _take(std::move(take)) {}
	PulseAnswer(PulseAnswer&& other) noexcept : _take(std::exchange(other._take, nullptr)) {}
	PulseAnswer& operator=(PulseAnswer&& other) noexcept
	{
		std::swap(_take, other._take);
		return *this;
	}
	~PulseAnswer() { give({}); }

	/// Hands the pulses over. Does nothing for a reader that has its answer. An exception of the reader is its own.
	void give(Directory::Pulses pulses) noexcept
	try {
		if (const auto take = std::exchange(_take, nullptr)) {
			take(std::move(pulses));
		}
	}
	catch (...) {
	}

	/// Returns whether a reader waits.
	[[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(_take); }

private:
	Take _take;
};

} // namespace issuer::fleet::etcd
