#include "registry/instance.h"

#include "common/text.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <vector>

namespace issuer::registry {

namespace {

/// Keeps an object alive until the process has ended, because a plugin does not stop using it: an instance, and with it
/// the library.
void keepForEver(std::shared_ptr<void> used)
{
	static std::mutex mutex;
	static auto& kept = *new std::vector<std::shared_ptr<void>>; // never destroyed: at exit it is still in use
	const std::lock_guard lock(mutex);
	kept.push_back(std::move(used));
}

issuer_str borrow(const std::string& text)
{
	return {text.data(), text.size()};
}

std::string_view view(issuer_str text)
{
	return text.len == 0 ? std::string_view() : std::string_view(text.ptr, text.len);
}

/// Makes one call and turns its answer into a value.
template <class Call>
CallResult called(const Call& call)
{
	issuer_error error{};
	error.struct_size = sizeof error;
	const issuer_rc code = call(&error);
	if (code == ISSUER_OK) {
		return {};
	}
	const std::size_t length = ::strnlen(error.message, sizeof error.message);
	return tl::unexpected(
		CallError{code, length > 0 ? printable({error.message, length})
								   : "the plugin gives no reason (code " + std::to_string(code) + ")"});
}

std::uint32_t milliseconds32(std::chrono::milliseconds timeout)
{
	return static_cast<std::uint32_t>(std::clamp<std::int64_t>(timeout.count(), 0, UINT32_MAX));
}

const issuer_handover_ext* handoverOf(const loader::Plugin& plugin)
{
	const auto* table = plugin.extension<issuer_handover_ext>(ISSUER_EXT_HANDOVER);
	const bool usable = table != nullptr && ISSUER_HAS(table, issuer_handover_ext, import_state) &&
						table->export_state != nullptr && table->import_state != nullptr;
	return usable ? table : nullptr;
}

const issuer_health_ext* healthOf(const loader::Plugin& plugin)
{
	const auto* table = plugin.extension<issuer_health_ext>(ISSUER_EXT_HEALTH);
	const bool usable =
		table != nullptr && ISSUER_HAS(table, issuer_health_ext, snapshot) && table->snapshot != nullptr;
	return usable ? table : nullptr;
}

const issuer_control_ext* controlOf(const loader::Plugin& plugin)
{
	const auto* table = plugin.extension<issuer_control_ext>(ISSUER_EXT_CONTROL);
	const bool usable = table != nullptr && ISSUER_HAS(table, issuer_control_ext, credential_changed) &&
						table->renew_now != nullptr && table->credential_changed != nullptr;
	return usable ? table : nullptr;
}

const issuer_diagnose_ext* diagnoseOf(const loader::Plugin& plugin)
{
	const auto* table = plugin.extension<issuer_diagnose_ext>(ISSUER_EXT_DIAGNOSE);
	const bool usable =
		table != nullptr && ISSUER_HAS(table, issuer_diagnose_ext, diagnose) && table->diagnose != nullptr;
	return usable ? table : nullptr;
}

tl::unexpected<CallError> noControl()
{
	return tl::unexpected(CallError{ISSUER_E_UNSUPPORTED, "its plugin has no " ISSUER_EXT_CONTROL});
}

tl::unexpected<CallError> beingReplaced()
{
	return tl::unexpected(CallError{ISSUER_E_BUSY, "it is being swapped or stopped, try again"});
}

} // namespace

/// A call under way, its answer, and its waiting caller.
struct Instance::Pending
{
	std::mutex mutex; ///< guards all below
	std::condition_variable changed;
	std::optional<CallResult> answer;
	bool abandoned = false;
	std::shared_ptr<Core> leftWith; ///< set when no caller waits any more: the call then owns what it uses
};

struct Instance::Core : std::enable_shared_from_this<Instance::Core>
{
	const std::shared_ptr<const loader::Plugin> plugin;
	const std::string issuer;
	const std::shared_ptr<observe::EventSink> sink;
	const std::shared_ptr<Calls> calls;
	const issuer_lifecycle& table;
	const issuer_handover_ext* const handover;
	const issuer_health_ext* const healthTable;
	const issuer_control_ext* const control;
	const issuer_diagnose_ext* const diagnosis;
	issuer_host host{};
	issuer_recorder recorder{};
	std::atomic<issuer_state> lastHeard = ISSUER_STATE_STOPPED;
	issuer_instance* self = nullptr; ///< written by the calls of create and destroy, while no other call is under way

	mutable std::mutex mutex; ///< guards all below
	mutable std::condition_variable changed;
	std::vector<std::shared_ptr<Pending>> waits; ///< calls under way
	const char* leftBehind = nullptr;            ///< the slot whose call was left behind last
	unsigned leftBehindCalls = 0;                ///< number of calls that were left behind and have not returned
	bool orphaned = false;                       ///< its Instance is gone
	bool ending = false;                         ///< it is being destroyed: no look at it begins
	mutable unsigned looks = 0;                  ///< number of calls of health() and the like under way

	Core(std::shared_ptr<const loader::Plugin> itsPlugin, std::string itsIssuer,
		std::shared_ptr<observe::EventSink> itsSink, std::shared_ptr<Calls> itsCalls)
		: plugin(std::move(itsPlugin)), issuer(std::move(itsIssuer)), sink(std::move(itsSink)),
		  calls(std::move(itsCalls)), table(plugin->table()), handover(handoverOf(*plugin)),
		  healthTable(healthOf(*plugin)), control(controlOf(*plugin)), diagnosis(diagnoseOf(*plugin))
	{
		host = {sizeof host, ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, this, &Core::log, &Core::extension};
		recorder = {sizeof recorder, 0, this, &Core::record};
	}

	// No exception may enter the plugin. A sink can only throw for lack of memory, and then a line is lost.
	static void record(void* ctx, const issuer_event* event) noexcept
	try {
		Core& self = *static_cast<Core*>(ctx);
		if (ISSUER_HAS(event, issuer_event, detail)) {
			self.lastHeard = event->state;
			self.sink->event(self.issuer, *event);
		}
	}
	catch (const std::exception&) {
	}

	static void log(void* ctx, issuer_log_level level, issuer_str component, issuer_str text) noexcept
	try {
		const Core& self = *static_cast<const Core*>(ctx);
		self.sink->log(self.issuer, level, view(component), view(text));
	}
	catch (const std::exception&) {
	}

	static const void* extension(void*, const char*) noexcept { return nullptr; }

	/// Makes one call and waits until it returns, `deadline` comes or abandon() is called. `call` may use this object
	/// and its own copies only, for it may be left behind. `cancel`, if any, is called at the deadline, and then the
	/// call has a second more.
	template <class Call>
	CallResult bounded(const char* slot, Deadline deadline, Call call, const std::function<void()>& cancel = nullptr);

	/// Calls `look`, unless the instance is being destroyed: then returns `otherwise`.
	template <class Answer, class Look>
	Answer whileItLives(Answer otherwise, const Look& look) const;

	CallResult destroy(Deadline deadline);
	void returned();
	void clearAway();
};

template <class Call>
CallResult Instance::Core::bounded(const char* slot, Deadline deadline, Call call, const std::function<void()>& cancel)
{
	const auto pending = std::make_shared<Pending>();
	{
		const std::lock_guard lock(mutex);
		if (leftBehindCalls > 0) {
			return tl::unexpected(
				CallError{ISSUER_E_BUSY, std::string("the plugin has not returned from ") + leftBehind + " yet", true});
		}
		waits.push_back(pending);
	}
	calls->post([held = shared_from_this(), pending, call = std::move(call)]() mutable {
		std::shared_ptr<Core> core = std::move(held);
		CallResult answer = called([&](issuer_error* error) { return call(*core, error); });
		core.reset(); // before the caller is notified, and unloads the library
		std::unique_lock lock(pending->mutex);
		pending->answer = std::move(answer);
		const std::shared_ptr<Core> left = std::move(pending->leftWith);
		lock.unlock();
		pending->changed.notify_all(); // without the lock: the woken thread would only wait for it
		if (left != nullptr) {
			left->returned();
		}
	});
	std::unique_lock lock(pending->mutex);
	const auto over = [&] { return pending->answer || pending->abandoned; };
	if (!calls->await(lock, pending->changed, deadline, over) && cancel) {
		constexpr std::chrono::seconds more{1};
		lock.unlock();
		cancel();
		lock.lock();
		pending->changed.wait_for(lock, more, over);
	}
	const bool here = pending->answer.has_value();
	pending->leftWith = here ? nullptr : shared_from_this();
	{
		const std::lock_guard own(mutex);
		std::erase(waits, pending);
		leftBehind = here ? leftBehind : slot;
		leftBehindCalls += here ? 0 : 1;
	}
	if (here) {
		return std::move(*pending->answer);
	}
	calls->left();
	return tl::unexpected(CallError{ISSUER_E_TIMEOUT, std::string("the plugin does not return from ") + slot, true});
}

/// Takes the return of a call that was left behind.
void Instance::Core::returned()
{
	bool last = false;
	{
		const std::lock_guard lock(mutex);
		last = --leftBehindCalls == 0 && orphaned;
	}
	if (last) {
		clearAway();
	}
	calls->returned();
}

template <class Answer, class Look>
Answer Instance::Core::whileItLives(Answer otherwise, const Look& look) const
{
	{
		const std::lock_guard lock(mutex);
		if (ending || self == nullptr) {
			return otherwise;
		}
		++looks;
	}
	Answer answer = look();
	const std::lock_guard lock(mutex);
	--looks;
	changed.notify_all();
	return answer;
}

CallResult Instance::Core::destroy(Deadline deadline)
{
	{
		std::unique_lock lock(mutex);
		ending = true;
		changed.wait_until(lock, deadline, [&] { return looks == 0; });
		if (looks > 0) {
			ending = false;
			return tl::unexpected(
				CallError{ISSUER_E_TIMEOUT, "the plugin does not return from " ISSUER_EXT_HEALTH, true});
		}
	}
	return bounded("destroy", deadline, [](Core& core, issuer_error* error) {
		const issuer_rc code = core.table.destroy(core.self, error);
		const std::lock_guard lock(core.mutex);
		core.self = code == ISSUER_OK ? nullptr : core.self;
		core.ending = code == ISSUER_OK;
		return code;
	});
}

/// Stops and destroys an instance whose Instance is gone, on the thread that was left behind, once its call has
/// returned.
void Instance::Core::clearAway()
{
	constexpr std::uint32_t generous = 10'000;
	if (self == nullptr) {
		return; // the call was its destroy, or a create that failed
	}
	if (table.stop(self, generous, nullptr) != ISSUER_OK || table.destroy(self, nullptr) != ISSUER_OK) {
		sink->log(issuer, ISSUER_LOG_WARN, "host", "an instance that was left behind cannot be destroyed");
		keepForEver(shared_from_this());
	}
}

Instance::~Instance()
{
	constexpr std::chrono::seconds generous{10};
	{
		const std::lock_guard lock(_core->mutex);
		_core->orphaned = true;
		if (_core->leftBehindCalls > 0 || _core->self == nullptr) {
			return; // the thread that returns there clears it away
		}
	}
	const CallResult destroyed = _core->destroy(Calls::Clock::now() + generous);
	if (!destroyed && !destroyed.error().hung) {
		keepForEver(_core);
	}
}

tl::expected<std::unique_ptr<Instance>, CallError> Instance::create(std::shared_ptr<const loader::Plugin> plugin,
	const std::string& issuer, const std::string& config, std::shared_ptr<observe::EventSink> sink,
	std::shared_ptr<Calls> calls, Deadline deadline)
{
	std::unique_ptr<Instance> instance(new Instance( // no make_unique: the constructor is private
		std::make_shared<Core>(std::move(plugin), issuer, std::move(sink), std::move(calls))));
	return instance->_core
		->bounded("create", deadline,
			[config](Core& core, issuer_error* error) {
				issuer_instance* made = nullptr;
				const issuer_rc code = core.table.create(&core.host, borrow(config), &made, error);
				const std::lock_guard lock(core.mutex);
				core.self = made;
				return code;
			})
		.map([&] { return std::move(instance); });
}

CallResult Instance::start(Deadline deadline)
{
	return _core->bounded(
		"start", deadline, [](Core& core, issuer_error* error) { return core.table.start(core.self, error); },
		[this] { static_cast<void>(stop(std::chrono::milliseconds(0))); });
}

CallResult Instance::stop(std::chrono::milliseconds timeout)
{
	constexpr std::chrono::milliseconds grace{300}; // the contract allows 50 ms, on a machine without load
	const std::uint32_t limit = milliseconds32(timeout);
	return _core->bounded("stop", Calls::Clock::now() + std::chrono::milliseconds(limit) + grace,
		[limit](Core& core, issuer_error* error) { return core.table.stop(core.self, limit, error); });
}

CallResult Instance::record(Deadline deadline)
{
	return _core->bounded("set_recorder", deadline,
		[](Core& core, issuer_error* error) { return core.table.set_recorder(core.self, &core.recorder, error); });
}

CallResult Instance::recordNothing(Deadline deadline)
{
	return _core->bounded("set_recorder", deadline,
		[](Core& core, issuer_error* error) { return core.table.set_recorder(core.self, nullptr, error); });
}

CallResult Instance::destroy(Deadline deadline)
{
	return _core->destroy(deadline);
}

void Instance::abandon()
{
	std::vector<std::shared_ptr<Pending>> waits;
	{
		const std::lock_guard lock(_core->mutex);
		waits = _core->waits;
	}
	for (const auto& pending : waits) {
		const std::lock_guard lock(pending->mutex);
		pending->abandoned = true;
		pending->changed.notify_all();
	}
}

issuer_state Instance::lastHeard() const
{
	return _core->lastHeard;
}

bool Instance::canHandOver() const
{
	return _core->handover != nullptr;
}

tl::expected<std::string, CallError> Instance::exportState(Deadline deadline)
{
	const auto state = std::make_shared<std::string>();
	const issuer_write keep = [](void* ctx, issuer_str blob) noexcept { *static_cast<std::string*>(ctx) = view(blob); };
	return _core
		->bounded("export_state", deadline,
			[state, keep](Core& core, issuer_error* error) {
				return core.handover->export_state(core.self, keep, state.get(), error);
			})
		.map([&] { return *state; });
}

CallResult Instance::importState(const std::string& state, Deadline deadline)
{
	return _core->bounded("import_state", deadline, [state](Core& core, issuer_error* error) {
		return core.handover->import_state(core.self, borrow(state), error);
	});
}

CallResult Instance::renewNow()
{
	return _core->control == nullptr ? noControl() : _core->whileItLives<CallResult>(beingReplaced(), [&] {
		return called([&](issuer_error* error) { return _core->control->renew_now(_core->self, error); });
	});
}

CallResult Instance::credentialChanged()
{
	return _core->control == nullptr ? noControl() : _core->whileItLives<CallResult>(beingReplaced(), [&] {
		return called([&](issuer_error* error) { return _core->control->credential_changed(_core->self, error); });
	});
}

CallResult Instance::diagnose(std::chrono::milliseconds timeout, const std::function<void(Finding)>& find) const
{
	if (_core->diagnosis == nullptr) {
		return tl::unexpected(CallError{ISSUER_E_UNSUPPORTED, "its plugin has no " ISSUER_EXT_DIAGNOSE});
	}
	const issuer_find keep = [](void* ctx, const issuer_finding* finding) noexcept {
		const auto& heard = *static_cast<const std::function<void(Finding)>*>(ctx);
		if (ISSUER_HAS(finding, issuer_finding, advice)) {
			heard({finding->level, printable(view(finding->topic)), printable(view(finding->text)),
				printable(view(finding->advice))});
		}
	};
	void* const ctx = const_cast<std::function<void(Finding)>*>(&find); // a C pointer, through which keep() only reads
	return called([&](issuer_error* error) {
		return _core->diagnosis->diagnose(_core->self, milliseconds32(timeout), keep, ctx, error);
	});
}

std::optional<issuer_health> Instance::health() const
{
	issuer_health health{};
	health.struct_size = sizeof health;
	for (std::int64_t* unknown : {&health.expires_unix_ms, &health.next_unix_ms, &health.last_success_unix_ms,
			 &health.last_attempt_unix_ms, &health.lease_ms, &health.capped_at_unix_ms}) {
		*unknown = -1; // stays where the plugin is older than the field
	}
	const bool known = _core->healthTable != nullptr && _core->whileItLives(false, [&] {
		return _core->healthTable->snapshot(_core->self, &health, nullptr) == ISSUER_OK;
	});
	return known ? std::optional(health) : std::nullopt;
}

} // namespace issuer::registry
