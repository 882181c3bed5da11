#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace issuer::vault::transport {

/// Lets helpers, which are never joined, use OpenSSL while the process lives: at the exit of the process OpenSSL frees
/// its state, and a thread that calls it meanwhile crashes. A pass is held for some hundred microseconds at a time, so
/// that close() waits for no longer, and by one helper at a time: decoding keeps a processor busy that renewals need.
class OpensslGate
{
public:
	/// The right to call OpenSSL while it lives. Never held over a call that may block.
	class Pass
	{
	public:
		explicit Pass(std::unique_lock<std::mutex> lock) noexcept : _lock(std::move(lock)) {}
		/// Frees what OpenSSL keeps for this thread: after the pass it may be too late.
		~Pass();
		Pass(const Pass&) = delete;
		Pass& operator=(const Pass&) = delete;

	private:
		std::unique_lock<std::mutex> _lock;
	};

	/// Thrown by enter() once the gate is closed.
	struct Closed
	{
	};

	/// Returns the gate that all helpers of this library share. It closes before OpenSSL ends.
	[[nodiscard]] static std::shared_ptr<OpensslGate> ofLibrary();

	/// Blocks while another helper holds a pass. Throws Closed once the gate is closed.
	[[nodiscard]] Pass enter();

	/// Waits until the pass that is held is returned, and gives no other.
	void close() noexcept;

private:
	std::mutex _mutex;
	bool _closed = false;
};

/// One look at files by a helper.
class Reading
{
public:
	explicit Reading(OpensslGate& gate) : _gate(gate) {}
	virtual ~Reading() = default;
	Reading(const Reading&) = delete;
	Reading& operator=(const Reading&) = delete;

	/// Notes the file that the helper is about to read, "CA file /x.pem", so that it can be named should the read hang.
	virtual void at(const std::string& what) = 0;

	/// Returns a pass to use OpenSSL; throws OpensslGate::Closed.
	[[nodiscard]] OpensslGate::Pass openssl() { return _gate.enter(); }

private:
	OpensslGate& _gate;
};

} // namespace issuer::vault::transport
