#include "conformance/driver.h"

#include "common/text.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <dlfcn.h>
#include <issuer/kit/table.h>
#include <shared_mutex>
#include <utility>

namespace issuer::conformance {

namespace {

const void* noExtension(void*, const char*) noexcept
{
	return nullptr;
}

std::string copied(issuer_str text)
{
	return text.len == 0 ? std::string() : std::string(text.ptr, text.len);
}

/// Keeps abandoned instances reachable to the end, so that they are no leak.
std::atomic<issuer_instance*> leftAlone;

/// One callback under way. An instance that cannot be stopped goes on calling while its check ends, and with it the
/// log and the recorder: from end() on calls are dropped.
class Heard
{
public:
	explicit operator bool() const noexcept { return !ended; }

	[[nodiscard]] static bool hasEnded() noexcept { return ended; }

	/// Waits for the callbacks under way, but not for one that blocks.
	static void end()
	{
		const std::unique_lock lock(gate, std::chrono::seconds(1));
		ended = true;
	}

private:
	static inline std::shared_timed_mutex gate; ///< shared by callbacks; they may nest, as readers go first
	static inline std::atomic<bool> ended = false;
	const std::shared_lock<std::shared_timed_mutex> _lock{gate};
};

} // namespace

issuer_str borrow(std::string_view text)
{
	return {text.data(), text.size()};
}

std::string codeName(issuer_rc code)
{
	static constexpr std::array names{"ISSUER_OK", "ISSUER_E_INVALID", "ISSUER_E_STATE", "ISSUER_E_BUSY",
		"ISSUER_E_TIMEOUT", "ISSUER_E_REENTRANT", "ISSUER_E_UNSUPPORTED", "ISSUER_E_NOMEM", "ISSUER_E_INTERNAL",
		"ISSUER_E_UNAVAILABLE", "ISSUER_E_CANCELLED"};
	const auto index = static_cast<std::size_t>(code);
	return code >= 0 && index < names.size() ? names[index] : "the unknown code " + std::to_string(code);
}

void expectCode(const std::string& call, issuer_rc code, issuer_rc wanted)
{
	expect(code == wanted, call + " answers " + codeName(code) + " instead of " + codeName(wanted));
}

Library::Library(const Subject& subject) : _handle(::dlopen(subject.plugin.c_str(), RTLD_NOW | RTLD_LOCAL))
{
	if (_handle == nullptr) {
		skip("it cannot be loaded");
	}
	_table = static_cast<const issuer_lifecycle*>(::dlsym(_handle, ISSUER_LIFECYCLE_SYMBOL));
	if (_table == nullptr) {
		close();
		skip("it has no " ISSUER_LIFECYCLE_SYMBOL);
	}
}

const issuer_lifecycle& Library::table() const
{
	if (!kit::fit(*_table)) {
		skip("its table is not one that a host can drive");
	}
	return *_table;
}

void Library::close()
{
	if (_handle != nullptr) {
		::dlclose(_handle);
		_handle = nullptr;
	}
}

CapturingHost::CapturingHost() : _host(std::make_unique<Grown>())
{
	_host->known = {sizeof(Grown), ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR + 1, this, &CapturingHost::log, &noExtension};
}

CapturingHost::~CapturingHost()
{
	static std::atomic<Grown*> leftBehind; // reachable to the end, so that it is no leak
	if (Heard::hasEnded()) {
		leftBehind = _host.release();
	}
}

std::vector<std::string> CapturingHost::texts() const
{
	const std::lock_guard lock(_mutex);
	return _texts;
}

void CapturingHost::log(void* ctx, issuer_log_level, issuer_str component, issuer_str text) noexcept
{
	const Heard heard;
	if (!heard) {
		return;
	}
	auto& self = *static_cast<CapturingHost*>(ctx);
	{
		const std::lock_guard lock(self._mutex);
		self._texts.push_back(copied(component));
		self._texts.push_back(copied(text));
	}
	if (self.onLog) {
		self.onLog();
	}
}

Recorder::Recorder(std::function<void(const issuer_event&)> onEvent)
	: _onEvent(std::move(onEvent)), _table{sizeof _table, 0, this, &Recorder::record}
{
}

bool Recorder::hasMoreThan(std::size_t seen) const
{
	std::unique_lock lock(_mutex);
	return _changed.wait_for(lock, patience, [&] { return _count > seen; });
}

void Recorder::awaitMoreThan(std::size_t seen) const
{
	if (!hasMoreThan(seen)) {
		skip("it recorded nothing for " + std::to_string(patience.count()) + " s");
	}
}

std::size_t Recorder::count() const
{
	const std::lock_guard lock(_mutex);
	return _count;
}

std::vector<std::string> Recorder::texts() const
{
	const std::lock_guard lock(_mutex);
	return _texts;
}

void Recorder::record(void* ctx, const issuer_event* event) noexcept
{
	const Heard heard;
	if (!heard) {
		return;
	}
	auto& self = *static_cast<Recorder*>(ctx);
	self._onEvent(*event);
	const std::lock_guard lock(self._mutex);
	++self._count;
	if (ISSUER_HAS(event, issuer_event, detail)) {
		self._texts.push_back(copied(event->detail));
	}
	self._changed.notify_all();
}

ErrorBuffer::ErrorBuffer()
{
	_error.struct_size = sizeof _error;
	std::memset(_error.message, '#', sizeof _error.message); // shows whether the text is terminated
}

std::string ErrorBuffer::message() const
{
	const std::size_t length = ::strnlen(_error.message, sizeof _error.message);
	expect(length < sizeof _error.message, "it leaves an error's message without its end, or writes none");
	const std::string text(_error.message, length);
	expect(!text.empty(), "an error's message is empty");
	expect(isUtf8(text), "an error's message is not UTF-8");
	expect(sanitize(text) == text, "an error's message is not one line: " + sanitize(text));
	return text;
}

CheckedInstance::CheckedInstance(Library& library, const Subject& subject, const CapturingHost& host)
	: _library(library), _table(library.table())
{
	if (_table.create(host.table(), borrow(subject.config.value_or("{}")), &_self, nullptr) != ISSUER_OK) {
		skip("it creates no instance");
	}
}

CheckedInstance::~CheckedInstance()
{
	if (_self != nullptr && (tryStop() != ISSUER_OK || tryDestroy() != ISSUER_OK)) {
		Heard::end();
		leaveAlone();
	}
}

issuer_rc CheckedInstance::tryDestroy()
{
	const issuer_rc code = _table.destroy(_self, nullptr);
	if (code == ISSUER_OK) {
		_self = nullptr;
	}
	return code;
}

void CheckedInstance::start()
{
	if (tryStart() != ISSUER_OK) {
		skip("it does not start");
	}
}

void CheckedInstance::stop()
{
	if (tryStop() != ISSUER_OK) {
		skip("it does not stop");
	}
}

void CheckedInstance::record(const Recorder* recorder)
{
	expectCode("set_recorder", _table.set_recorder(_self, recorder == nullptr ? nullptr : recorder->table(), nullptr),
		ISSUER_OK);
}

void CheckedInstance::destroy()
{
	expectCode("destroy", tryDestroy(), ISSUER_OK);
}

void CheckedInstance::leaveAlone()
{
	leftAlone = std::exchange(_self, nullptr);
	_library.keep();
}

} // namespace issuer::conformance
