#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace issuer::vault::transport {

/// Lets helpers, which are never joined, use OpenSSL while the process lives: at the exit of the process OpenSSL frees
/// its state, and a thread that calls it afterwards crashes, be it only to free an object. A pass is held for some
/// hundred microseconds at a time, so that close() waits for no longer, and by one helper at a time: decoding keeps a
/// processor busy that renewals need.
class OpensslGate
{
public:
	OpensslGate() = default;
	virtual ~OpensslGate() = default;
	OpensslGate(const OpensslGate&) = delete;
	OpensslGate& operator=(const OpensslGate&) = delete;

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

	/// Returns the gate that all helpers of this library share. It closes before OpenSSL ends.
	[[nodiscard]] static std::shared_ptr<OpensslGate> ofLibrary();

	/// Blocks while another helper holds a pass, and for ever once the gate is closed: the process is ending, and
	/// a helper that went on would free objects that OpenSSL can no longer free.
	[[nodiscard]] Pass enter() noexcept;

	/// Waits until the pass that is held is returned, and gives no other.
	void close() noexcept;

protected:
	/// Never returns. Called by a thread that asks for a pass after the end.
	[[noreturn]] virtual void stayOut() noexcept;

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

	/// Returns a pass to use OpenSSL; blocks as OpensslGate::enter() does.
	[[nodiscard]] OpensslGate::Pass openssl() noexcept { return _gate.enter(); }

private:
	OpensslGate& _gate;
};

/// The owner of an object of OpenSSL that is kept from one pass to a later one. Frees it under a pass of its own, so it
/// ends where its thread holds none. `Owner`: a std::unique_ptr.
template <class Owner>
class KeptBetweenPasses
{
public:
	explicit KeptBetweenPasses(Reading& reading) noexcept : _reading(reading) {}
	~KeptBetweenPasses()
	{
		if (_owner) {
			const auto pass = _reading.openssl();
			_owner.reset();
		}
	}
	KeptBetweenPasses(const KeptBetweenPasses&) = delete;
	KeptBetweenPasses& operator=(const KeptBetweenPasses&) = delete;

	/// To be used under a pass.
	[[nodiscard]] Owner& operator*() noexcept { return _owner; }

private:
	Reading& _reading;
	Owner _owner;
};

} // namespace issuer::vault::transport
