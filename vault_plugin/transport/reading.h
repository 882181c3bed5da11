#pragma once

#include <memory>
#include <mutex>
#include <string>

namespace issuer::vault::transport {

/// Lets helpers, which nobody joins, use OpenSSL while the process lives: OpenSSL takes itself apart when it ends, and
/// a thread that uses it meanwhile crashes. Passed for some hundred microseconds at a time, so that close() waits for
/// no longer, and by one helper at a time: decoding keeps a processor busy, and the others are for those who renew.
class OpensslGate
{
public:
	/// Thrown by enter() once the gate is closed.
	struct Closed
	{
	};

	/// Returns the one that all helpers of this library pass. It closes before OpenSSL ends.
	[[nodiscard]] static std::shared_ptr<OpensslGate> ofLibrary();

	/// Returns a pass to use OpenSSL for as long as it lives. Never to be held over anything that may block.
	[[nodiscard]] std::unique_lock<std::mutex> enter();

	/// Waits for the pass that is out, and gives no other.
	void close() noexcept;

private:
	std::mutex _mutex;
	bool _closed = false;
};

/// One look at files, by a helper.
class Reading
{
public:
	explicit Reading(OpensslGate& gate) : _gate(gate) {}
	virtual ~Reading() = default;
	Reading(const Reading&) = delete;
	Reading& operator=(const Reading&) = delete;

	/// Notes what the helper is about to touch, "CA file /x.pem": to be named should it hang.
	virtual void at(const std::string& what) = 0;

	/// A pass to use OpenSSL; throws OpensslGate::Closed.
	[[nodiscard]] std::unique_lock<std::mutex> openssl() { return _gate.enter(); }

private:
	OpensslGate& _gate;
};

} // namespace issuer::vault::transport
