#include "registry/plugin_instance.h"

#include "common/text.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <issuer/kit/host.h>
#include <mutex>
#include <vector>

namespace issuer::registry {

namespace {

/// Returns a plugin's answer as a value, its text as one printable line.
CallResult resultOf(const kit::Answer& answer)
{
	return answer ? CallResult() : tl::unexpected(CallError{answer.code, sanitize(answer.text)});
}

tl::unexpected<CallError> beingReplaced()
{
	return tl::unexpected(CallError{ISSUER_E_BUSY, "it is being swapped or stopped, try again"});
}

} // namespace

/// A call under way, its answer, and its waiting caller.
struct PluginInstance::Pending
{
	std::mutex mutex; ///< guards all below
	std::condition_variable changed;
	std::optional<CallResult> answer;
	bool abandoned = false;
	std::shared_ptr<Core> leftWith; ///< set when no caller waits any more: the call then owns what it uses
};

/// Passes on lines and events of one instance to the sink, under the issuer's name.
struct PluginInstance::Listener final : kit::Log, kit::Recorder
{
	const std::string issuer;
	const std::shared_ptr<observe::EventSink> sink;
	std::atomic<issuer_state> lastHeard = ISSUER_STATE_STOPPED;

	Listener(std::string itsIssuer, std::shared_ptr<observe::EventSink> itsSink)
		: issuer(std::move(itsIssuer)), sink(std::move(itsSink))
	{
	}

	void record(const issuer_event& event) override
	{
		lastHeard = event.state;
		sink->event(issuer, event);
	}

	void log(issuer_log_level level, std::string_view component, std::string_view text) override
	{
		sink->log(issuer, level, component, text);
	}
};

struct PluginInstance::Core : std::enable_shared_from_this<PluginInstance::Core>
{
	const std::shared_ptr<Listener> listener;
	const std::shared_ptr<Calls> calls;
	/// Written under the lock, by the calls of create and destroy, while no other call is under way.
	std::optional<kit::Instance> handle;

	mutable std::mutex mutex; ///< guards all below
	mutable std::condition_variable changed;
	std::vector<std::shared_ptr<Pending>> waits; ///< calls under way
	const char* leftBehind = nullptr;            ///< the slot whose call was left behind last
	unsigned leftBehindCalls = 0;                ///< number of calls that were left behind and have not returned
	bool orphaned = false;                       ///< its PluginInstance is gone
	bool ending = false;                         ///< it is being destroyed: no look at it begins
	mutable unsigned looks = 0;                  ///< number of calls of health() and the like under way

	Core(std::shared_ptr<Listener> itsListener, std::shared_ptr<Calls> itsCalls)
		: listener(std::move(itsListener)), calls(std::move(itsCalls))
	{
	}

	/// Makes one call and waits until it returns, `deadline` comes or abandon() is called. `call` may use this object
	/// and its own copies only, for it may be left behind. `cancel`, if any, is called at the deadline, and then the
	/// call has a second more.
	template <class Call>
	CallResult bounded(const char* slot, Deadline deadline, Call call, const std::function<void()>& cancel = nullptr);

	/// Calls `look`, unless the instance is being destroyed: then returns `otherwise`.
	template <class Answer, class Look>
	Answer whileItLives(Answer otherwise, const Look& look) const;

	CallResult destroy(Deadline deadline);
	/// Blocks until every call that was left behind has returned, at most until `deadline`.
	void awaitReturns(Deadline deadline) const;
	void returned();
	void clearAway();
};

template <class Call>
CallResult PluginInstance::Core::bounded(
	const char* slot, Deadline deadline, Call call, const std::function<void()>& cancel)
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
		CallResult answer = resultOf(call(*core));
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

void PluginInstance::Core::awaitReturns(Deadline deadline) const
{
	std::unique_lock lock(mutex);
	changed.wait_until(lock, deadline, [&] { return leftBehindCalls == 0; });
}

/// Takes the return of a call that was left behind.
void PluginInstance::Core::returned()
{
	bool last = false;
	{
		const std::lock_guard lock(mutex);
		last = --leftBehindCalls == 0 && orphaned;
		changed.notify_all();
	}
	if (last) {
		clearAway();
	}
	calls->returned();
}

template <class Answer, class Look>
Answer PluginInstance::Core::whileItLives(Answer otherwise, const Look& look) const
{
	{
		const std::lock_guard lock(mutex);
		if (ending || !handle) {
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

CallResult PluginInstance::Core::destroy(Deadline deadline)
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
	return bounded("destroy", deadline, [](Core& core) {
		kit::Answer answer = core.handle->destroy();
		const std::lock_guard lock(core.mutex);
		core.ending = static_cast<bool>(answer);
		if (answer) {
			core.handle.reset();
		}
		return answer;
	});
}

/// Stops and destroys an instance whose PluginInstance is gone, on the thread that was left behind, once its call has
/// returned.
void PluginInstance::Core::clearAway()
{
	constexpr std::chrono::seconds generous{10};
	if (!handle) {
		return; // the call was its destroy, or a create that failed
	}
	if (!handle->stop(generous) || !handle->destroy()) {
		listener->log(ISSUER_LOG_WARN, "host", "an instance that was left behind cannot be destroyed");
		handle->leave();
	}
}

PluginInstance::~PluginInstance()
{
	constexpr std::chrono::seconds generous{10};
	{
		const std::lock_guard lock(_core->mutex);
		_core->orphaned = true;
		if (_core->leftBehindCalls > 0 || !_core->handle) {
			return; // the thread that returns there clears it away
		}
	}
	const CallResult destroyed = _core->destroy(Calls::Clock::now() + generous);
	if (!destroyed && !destroyed.error().hung) {
		_core->handle->leave();
	}
}

tl::expected<std::unique_ptr<PluginInstance>, CallError> PluginInstance::create(
	std::shared_ptr<const loader::Plugin> plugin, const std::string& issuer, const std::string& config,
	std::shared_ptr<observe::EventSink> sink, std::shared_ptr<Calls> calls, Deadline deadline)
{
	std::unique_ptr<PluginInstance> instance(new PluginInstance( // no make_unique: the constructor is private
		std::make_shared<Core>(std::make_shared<Listener>(issuer, std::move(sink)), std::move(calls))));
	std::shared_ptr<const issuer_lifecycle> table(plugin, &plugin->table());
	return instance->_core
		->bounded("create", deadline,
			[config, table = std::move(table)](Core& core) mutable {
				auto made = kit::Instance::create(std::move(table), config, core.listener);
				if (made) {
					const std::lock_guard lock(core.mutex);
					core.handle.emplace(std::move(*made));
				}
				return made.answer();
			})
		.map([&] { return std::move(instance); });
}

CallResult PluginInstance::start(Deadline deadline)
{
	return _core->bounded(
		"start", deadline, [](Core& core) { return core.handle->start(); },
		[this] { static_cast<void>(stop(std::chrono::milliseconds(0))); });
}

CallResult PluginInstance::stop(std::chrono::milliseconds timeout)
{
	using std::chrono::milliseconds;
	constexpr milliseconds grace{300}; // the contract allows 50 ms, on a machine without load
	const Deadline end = Calls::Clock::now() + std::max(timeout, milliseconds(0));
	_core->awaitReturns(end); // on a loaded machine a call that only began to stop may still return
	const auto left = std::chrono::ceil<milliseconds>(end - Calls::Clock::now());
	return _core->bounded(
		"stop", end + grace, [left](Core& core) { return core.handle->stop(std::max(left, milliseconds(0))); });
}

CallResult PluginInstance::record(Deadline deadline)
{
	return _core->bounded("set_recorder", deadline, [](Core& core) { return core.handle->setRecorder(core.listener); });
}

CallResult PluginInstance::recordNothing(Deadline deadline)
{
	return _core->bounded("set_recorder", deadline, [](Core& core) { return core.handle->setRecorder(nullptr); });
}

CallResult PluginInstance::destroy(Deadline deadline)
{
	return _core->destroy(deadline);
}

void PluginInstance::abandon()
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

issuer_state PluginInstance::lastHeard() const
{
	return _core->listener->lastHeard;
}

bool PluginInstance::canHandOver() const
{
	return _core->handle->canHandOver();
}

tl::expected<std::string, CallError> PluginInstance::exportState(Deadline deadline)
{
	const auto state = std::make_shared<std::string>();
	return _core
		->bounded("export_state", deadline,
			[state](Core& core) {
				const auto exported = core.handle->exportState();
				if (exported) {
					*state = *exported;
				}
				return exported.answer();
			})
		.map([&] { return *state; });
}

CallResult PluginInstance::importState(const std::string& state, Deadline deadline)
{
	return _core->bounded("import_state", deadline, [state](Core& core) { return core.handle->importState(state); });
}

CallResult PluginInstance::lendTo(PluginInstance& next, Deadline deadline)
{
	struct Lending
	{
		std::mutex mutex;  ///< guards all below; held while the successor takes
		bool over = false; ///< no caller waits any more: the successor may be running, or gone
		CallResult taken;
	};
	if (!_core->handle->canLendTo(*next._core->handle)) {
		return {};
	}
	constexpr std::chrono::milliseconds more{100}; // for the lender, so that a take that hangs is noticed first
	const auto lending = std::make_shared<Lending>();
	const auto passOn = [lending, to = next._core, deadline](std::string_view secrets) {
		auto call = std::make_shared<std::promise<void>>();
		const std::future<void> returned = call->get_future();
		{
			const std::lock_guard lock(lending->mutex);
			if (lending->over) {
				return;
			}
			lending->taken = to->bounded(
				"take", deadline, [secrets, call = std::move(call)](Core& core) { return core.handle->take(secrets); });
		}
		returned.wait(); // the bytes are valid until this returns, and a call that was left behind may read them
	};
	CallResult lent =
		_core->bounded("lend", deadline + more, [passOn](Core& core) { return core.handle->lend(passOn); });
	if (!lent && lent.error().hung) {
		next.abandon();
	}
	const std::lock_guard lock(lending->mutex);
	lending->over = true;
	const bool hasNone = !lent && lent.error().code == ISSUER_E_UNAVAILABLE;
	return lent || hasNone ? lending->taken : lent;
}

CallResult PluginInstance::renewNow()
{
	return _core->whileItLives<CallResult>(beingReplaced(), [&] { return resultOf(_core->handle->renewNow()); });
}

CallResult PluginInstance::credentialChanged()
{
	return _core->whileItLives<CallResult>(
		beingReplaced(), [&] { return resultOf(_core->handle->credentialChanged()); });
}

namespace {

/// Returns the callback that passes on each finding as printable lines.
auto printable(const std::function<void(Finding)>& find)
{
	return [&find](const issuer_finding& finding) {
		find({finding.level, sanitize(kit::view(finding.topic)), sanitize(kit::view(finding.text)),
			sanitize(kit::view(finding.advice))});
	};
}

} // namespace

CallResult PluginInstance::diagnose(std::chrono::milliseconds timeout, const std::function<void(Finding)>& find) const
{
	return resultOf(_core->handle->diagnose(timeout, printable(find)));
}

CallResult PluginInstance::diagnoseLogin(
	std::chrono::milliseconds timeout, const std::function<void(Finding)>& find) const
{
	return resultOf(_core->handle->diagnoseLogin(timeout, printable(find)));
}

tl::expected<std::string, CallError> PluginInstance::snapshotState() const
{
	using State = tl::expected<std::string, CallError>;
	const State gone = tl::unexpected(CallError{ISSUER_E_STATE, "it is being destroyed"});
	return _core->whileItLives<State>(gone, [&]() -> State {
		const auto text = _core->handle->snapshotState();
		if (!text) {
			return tl::unexpected(CallError{text.answer().code, text.answer().text});
		}
		return *text;
	});
}

std::optional<issuer_health> PluginInstance::health() const
{
	return _core->whileItLives<std::optional<issuer_health>>(std::nullopt, [&]() -> std::optional<issuer_health> {
		const auto health = _core->handle->health();
		return health ? std::optional(*health) : std::nullopt;
	});
}

} // namespace issuer::registry
