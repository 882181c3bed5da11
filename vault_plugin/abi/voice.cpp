#include "abi/voice.h"

#include <algorithm>

namespace issuer::vault::abi {

constinit thread_local const Voice::Callback* Voice::Callback::innermost = nullptr;

namespace {

issuer_str borrow(std::string_view text) noexcept
{
	return {text.data(), text.size()};
}

std::int64_t milliseconds(WallTime time) noexcept
{
	return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::int64_t milliseconds(std::optional<WallTime> time) noexcept
{
	return time ? milliseconds(*time) : -1;
}

// The last values of each enumeration: an addition to one needs one in the other.
static_assert(static_cast<issuer_result>(renewal::Outcome::notRenewable) == ISSUER_RESULT_NOT_RENEWABLE);
static_assert(static_cast<issuer_state>(renewal::State::expired) == ISSUER_STATE_EXPIRED);
static_assert(static_cast<issuer_reason>(renewal::Reason::credentialUnreadable) == ISSUER_REASON_CREDENTIAL_UNREADABLE);
static_assert(static_cast<issuer_log_level>(renewal::Level::error) == ISSUER_LOG_ERROR);

issuer_event toAbi(const renewal::Event& event) noexcept
{
	const bool isAttempt = event.outcome != renewal::Outcome::none;
	issuer_event out{};
	out.struct_size = sizeof out;
	out.kind = isAttempt ? ISSUER_EVENT_RENEWAL : ISSUER_EVENT_STATE;
	out.result = static_cast<issuer_result>(event.outcome);
	out.state = static_cast<issuer_state>(event.state);
	out.reason = static_cast<issuer_reason>(event.reason);
	out.attempt = event.attempt;
	out.unix_ms = milliseconds(event.when);
	out.ttl_ms = event.ttl ? std::chrono::floor<std::chrono::milliseconds>(*event.ttl).count() : -1;
	out.expires_unix_ms = milliseconds(event.expires);
	out.next_unix_ms = milliseconds(event.next);
	out.latency_us = static_cast<std::uint64_t>(std::max<Duration::rep>(event.latency.count(), 0));
	out.detail = borrow(event.detail);
	return out;
}

} // namespace

void Voice::event(const renewal::Event& event) noexcept
{
	const std::lock_guard lock(_mutex);
	if (_recorder.record != nullptr) {
		const auto out = toAbi(event);
		const Callback callback(*this);
		_recorder.record(_recorder.ctx, &out);
	}
}

void Voice::log(renewal::Level level, std::string_view component, std::string_view text) noexcept
{
	const Callback callback(*this);
	_host.log(_host.ctx, static_cast<issuer_log_level>(level), borrow(component), borrow(text));
}

void Voice::setRecorder(const issuer_recorder* recorder)
{
	const std::lock_guard lock(_mutex);
	_recorder = recorder != nullptr ? *recorder : issuer_recorder{};
}

bool Voice::isInCallback() const noexcept
{
	const auto* callback = Callback::innermost;
	while (callback != nullptr && callback->_voice != this) {
		callback = callback->_outer;
	}
	return callback != nullptr;
}

} // namespace issuer::vault::abi
