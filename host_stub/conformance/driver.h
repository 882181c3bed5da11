#pragma once

#include "conformance/check.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <issuer/lifecycle.h>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::conformance {

/// Time that a good plugin may take for a call that returns at once. Generous: the machine may be busy.
constexpr std::chrono::seconds patience{10};

/// The library under check in this process. Skips the check when a precondition is missing; a separate check reports
/// that.
class Library
{
public:
	explicit Library(const Subject& subject);
	~Library()
	{
		if (!_kept) {
			close();
		}
	}
	Library(const Library&) = delete;
	Library& operator=(const Library&) = delete;

	/// Returns the table, unchecked.
	[[nodiscard]] const issuer_lifecycle& raw() const { return *_table; }
	/// Returns the table, if a host can drive it.
	[[nodiscard]] const issuer_lifecycle& table() const;
	template <class Table>
	[[nodiscard]] const Table& extension(const char* id) const
	{
		const void* found = table().get_extension(id);
		if (found == nullptr) {
			skip(std::string("it does not offer ") + id);
		}
		return *static_cast<const Table*>(found);
	}
	void close();
	void keep() { _kept = true; } ///< an abandoned instance still runs: its code must stay mapped

private:
	bool _kept = false;
	void* _handle = nullptr;
	const issuer_lifecycle* _table = nullptr;
};

/// A host that stores every line it is told.
class CapturingHost
{
public:
	CapturingHost();
	/// Leaves the table that the plugin was given where it is if an instance was abandoned, which may still read it.
	~CapturingHost();
	CapturingHost(const CapturingHost&) = delete;
	CapturingHost& operator=(const CapturingHost&) = delete;

	[[nodiscard]] const issuer_host* table() const { return &_host->known; }
	[[nodiscard]] std::vector<std::string> texts() const;

	/// Called for each line, on the plugin's thread.
	std::function<void()> onLog;

private:
	/// As in a later version of the contract: a plugin ignores fields that it does not know.
	struct Grown
	{
		issuer_host known;
		void* later[4];
	};

	static void log(void* ctx, issuer_log_level level, issuer_str component, issuer_str text) noexcept;

	std::unique_ptr<Grown> _host;
	mutable std::mutex _mutex;
	std::vector<std::string> _texts;
};

/// A recorder that stores every event.
class Recorder
{
public:
	/// `onEvent` is called for each event, on the plugin's thread.
	explicit Recorder(std::function<void(const issuer_event&)> onEvent = [](const issuer_event&) {});
	Recorder(const Recorder&) = delete;
	Recorder& operator=(const Recorder&) = delete;

	[[nodiscard]] const issuer_recorder* table() const { return &_table; }
	/// Waits for one event more than `seen`. Returns false if none comes.
	[[nodiscard]] bool hasMoreThan(std::size_t seen) const;
	/// Waits for one event more than `seen`; skips the check if none comes.
	void awaitMoreThan(std::size_t seen) const;
	[[nodiscard]] std::size_t count() const;
	[[nodiscard]] std::vector<std::string> texts() const;

private:
	static void record(void* ctx, const issuer_event* event) noexcept;

	std::function<void(const issuer_event&)> _onEvent;
	issuer_recorder _table;
	mutable std::mutex _mutex;
	mutable std::condition_variable _changed;
	std::size_t _count = 0;
	std::vector<std::string> _texts;
};

/// An error struct that shows which bytes of it were written.
class ErrorBuffer
{
public:
	ErrorBuffer();
	issuer_error* get() { return &_error; }
	[[nodiscard]] issuer_rc code() const { return _error.code; }
	/// Returns the message; fails the check unless it is one terminated line of UTF-8.
	[[nodiscard]] std::string message() const;

private:
	issuer_error _error{};
};

/// One instance, stopped and destroyed at its end.
class CheckedInstance
{
public:
	CheckedInstance(Library& library, const Subject& subject, const CapturingHost& host);
	~CheckedInstance();
	CheckedInstance(const CheckedInstance&) = delete;
	CheckedInstance& operator=(const CheckedInstance&) = delete;

	[[nodiscard]] issuer_instance* get() const { return _self; }

	[[nodiscard]] issuer_rc tryStart(issuer_error* error = nullptr) { return _table.start(_self, error); }
	[[nodiscard]] issuer_rc tryStop(std::chrono::milliseconds limit = patience, issuer_error* error = nullptr)
	{
		return _table.stop(_self, static_cast<std::uint32_t>(limit.count()), error);
	}
	[[nodiscard]] issuer_rc tryDestroy();

	void start();                          ///< skips unless it starts
	void stop();                           ///< skips unless it stops
	void record(const Recorder* recorder); ///< fails unless it can be set
	void destroy();                        ///< fails unless it is destroyed
	void leaveAlone();                     ///< abandons it: it is neither stopped nor destroyed

private:
	Library& _library;
	const issuer_lifecycle& _table;
	issuer_instance* _self = nullptr;
};

[[nodiscard]] issuer_str borrow(std::string_view text);
[[nodiscard]] std::string codeName(issuer_rc code);
/// Fails with «start twice answers ISSUER_E_STATE instead of ISSUER_OK».
void expectCode(const std::string& call, issuer_rc code, issuer_rc wanted);

} // namespace issuer::conformance
