#pragma once

#include "runtime/helpers.h"

#include <memory>
#include <mutex>
#include <string>

namespace issuer::vault::transport {

/// Closes OpenSSL to helpers, which nobody joins: OpenSSL takes itself apart when the process ends, and a thread that
/// uses it meanwhile crashes. Passed for some hundred microseconds at a time, so that close() waits for no longer, and
/// by one helper at a time: decoding keeps a processor busy, and the others are for those who renew.
class OpensslGate
{
public:
	/// Thrown by enter() once the gate is closed.
	struct Closed
	{
	};

	/// Returns a pass to use OpenSSL for as long as it lives. Never to be held over anything that may block.
	[[nodiscard]] std::unique_lock<std::mutex> enter()
	{
		std::unique_lock pass(_mutex);
		if (_closed) {
			throw Closed();
		}
		return pass;
	}

	/// Waits for the pass that is out, and gives no other.
	void close() noexcept
	{
		const std::lock_guard lock(_mutex);
		_closed = true;
	}

private:
	std::mutex _mutex;
	bool _closed = false;
};

/// Who reads files for this room: helpers, and the way they may take. Owned by all that may start work, never by work:
/// when the last owner goes, work under way ends before it uses OpenSSL again.
struct FileReaders
{
	explicit FileReaders(std::shared_ptr<runtime::Helpers> those) : helpers(std::move(those)) {}
	~FileReaders() { gate->close(); }
	FileReaders(const FileReaders&) = delete;
	FileReaders& operator=(const FileReaders&) = delete;

	const std::shared_ptr<runtime::Helpers> helpers;
	const std::shared_ptr<OpensslGate> gate = std::make_shared<OpensslGate>();
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
