#include "common/text.h"
#include "conformance/checks.h"
#include "conformance/process_view.h"
#include "conformance/trial.h"

#include <deque>
#include <future>
#include <optional>
#include <thread>
#include <utility>

namespace issuer::conformance {

namespace {

using std::chrono::milliseconds;

constexpr int rounds = 30;
/// Time for a late callback of a thread that was about to make one.
constexpr milliseconds afterwards{50};

void eventsAreWhole(const Subject& subject)
{
	std::mutex mutex;
	std::string wrong;
	Recorder recorder([&](const issuer_event& event) {
		const std::lock_guard lock(mutex);
		if (!ISSUER_HAS(&event, issuer_event, detail)) {
			wrong = "an event's struct_size is " + std::to_string(event.struct_size);
			return;
		}
		const std::string detail(event.detail.ptr == nullptr ? "" : event.detail.ptr, event.detail.len);
		if (!isUtf8(detail) || sanitize(detail) != detail) {
			wrong = "an event's detail is not one line of UTF-8: " + sanitize(detail);
		}
		if (event.unix_ms <= 0) {
			wrong = "an event does not say when it happened";
		}
		if (event.kind == ISSUER_EVENT_RENEWAL && (event.result == ISSUER_RESULT_NONE || event.attempt == 0)) {
			wrong = "a renewal's event has no result or no attempt";
		}
		if (event.kind == ISSUER_EVENT_LOGIN && event.result != ISSUER_RESULT_NONE && event.attempt == 0) {
			wrong = "the event of a login that has ended has no attempt";
		}
		if (event.kind == ISSUER_EVENT_STATE && event.result != ISSUER_RESULT_NONE) {
			wrong = "a change of state has a result";
		}
	});
	Trial trial(subject);
	trial.instance.record(&recorder);
	trial.instance.start();
	recorder.awaitMoreThan(0);
	trial.instance.stop();
	const std::lock_guard lock(mutex);
	expect(wrong.empty(), wrong);
}

void stopEndsTheCallbacks(const Subject& subject)
{
	std::atomic<bool> stopped = false;
	std::atomic<unsigned> late = 0;
	Recorder recorder([&](const issuer_event&) { late += stopped; });
	Trial trial(subject);
	trial.instance.record(&recorder);
	for (int round = 0; round < rounds; ++round) {
		stopped = false;
		trial.instance.start();
		if (round == 0) {
			recorder.awaitMoreThan(0);
		}
		trial.instance.stop();
		stopped = true;
	}
	std::this_thread::sleep_for(afterwards);
	expect(late == 0, counted(late, "event") + " recorded after stop had returned ISSUER_OK");
}

void setRecorderIsABarrier(const Subject& subject)
{
	std::atomic<bool> replaced = false;
	std::atomic<bool> running = false;
	std::atomic<unsigned> late = 0;
	std::atomic<unsigned> overtaken = 0;
	Recorder first([&](const issuer_event&) {
		running = true;
		std::this_thread::sleep_for(milliseconds(1)); // long enough for a set_recorder that does not wait to return
		late += replaced;
		running = false;
	});
	Recorder second;
	Trial trial(subject);
	for (int round = 0; round < rounds; ++round) {
		replaced = false;
		trial.instance.record(&first);
		const std::size_t seen = first.count();
		trial.instance.start();
		if (round == 0) {
			first.awaitMoreThan(seen);
		}
		trial.instance.record(round % 2 == 0 ? &second : nullptr);
		overtaken += running;
		replaced = true;
		trial.instance.stop();
	}
	std::this_thread::sleep_for(afterwards);
	expect(overtaken == 0, "set_recorder returned while the recorder before was running");
	expect(late == 0, counted(late, "event") + " recorded by a recorder that had been replaced");
}

/// Calls every slot from inside a callback of the same instance, and stores the answers.
struct Reentrant
{
	static constexpr issuer_rc notCalled = -1;

	std::mutex mutex;
	const issuer_lifecycle* plugin = nullptr;
	issuer_instance* instance = nullptr; ///< NULL: not yet created, or done
	std::pair<const char*, issuer_rc> answers[4] = {
		{"set_recorder", notCalled}, {"start", notCalled}, {"stop", notCalled}, {"destroy", notCalled}};

	void callAll()
	{
		issuer_instance* self = nullptr;
		{
			const std::lock_guard lock(mutex);
			self = std::exchange(instance, nullptr); // only the first time
		}
		if (self == nullptr) {
			return;
		}
		const issuer_rc codes[] = {plugin->set_recorder(self, nullptr, nullptr), plugin->start(self, nullptr),
			plugin->stop(self, 0, nullptr), plugin->destroy(self, nullptr)};
		const std::lock_guard lock(mutex);
		for (std::size_t i = 0; i < std::size(codes); ++i) {
			answers[i].second = codes[i];
		}
	}

	void judge(const std::string& where)
	{
		const std::lock_guard lock(mutex);
		for (const auto& [call, code] : answers) {
			expectCode(std::string(call) + " from inside " + where, code, ISSUER_E_REENTRANT);
		}
	}
};

void refusesCallsFromRecord(const Subject& subject)
{
	Reentrant reentrant;
	Recorder recorder([&](const issuer_event&) { reentrant.callAll(); });
	Trial trial(subject);
	reentrant.plugin = &trial.library.table();
	reentrant.instance = trial.instance.get();
	trial.instance.record(&recorder);
	trial.instance.start();
	recorder.awaitMoreThan(0);
	reentrant.judge("record");
	trial.instance.stop();
}

void refusesCallsFromLog(const Subject& subject)
{
	Reentrant reentrant;
	Trial trial(subject);
	reentrant.plugin = &trial.library.table();
	reentrant.instance = trial.instance.get();
	trial.host.onLog = [&] { reentrant.callAll(); };
	trial.instance.record(&trial.recorder);
	trial.instance.start();
	trial.recorder.awaitMoreThan(0);
	trial.instance.stop();
	if (reentrant.instance != nullptr) {
		skip("it logs nothing from start to stop");
	}
	reentrant.judge("log");
}

/// More recorders than a plugin may have threads.
void blockedRecordersDelayNoOther(const Subject& subject)
{
	constexpr unsigned blocked = 20;
	Hold hold;
	Recorder recorder([&](const issuer_event&) { hold.block(); });
	Trial trial(subject);
	trial.instance.record(&trial.recorder);
	std::deque<CheckedInstance> others;
	std::deque<std::future<issuer_rc>> starts;
	// On threads of their own: start may wait for the work that a recorder holds up.
	const auto start = [](CheckedInstance& instance) {
		return std::async(std::launch::async, [&instance] { return instance.tryStart(); });
	};
	for (unsigned i = 0; i < blocked; ++i) {
		others.emplace_back(trial.library, subject, trial.host).record(&recorder);
	}
	for (CheckedInstance& other : others) {
		starts.push_back(start(other));
	}
	const unsigned entered = hold.await(blocked);
	std::optional<issuer_rc> started;
	std::optional<issuer_rc> stopped;
	bool recorded = false;
	if (entered == blocked) {
		auto starting = start(trial.instance);
		recorded = trial.recorder.hasMoreThan(0);
		if (starting.wait_for(patience) == std::future_status::ready) {
			started = starting.get();
			stopped = trial.instance.tryStop();
		}
		starts.push_back(std::move(starting));
	}
	hold.release();
	for (auto& other : starts) {
		if (other.valid()) {
			other.wait();
		}
	}
	if (entered == 0) {
		skip("it recorded nothing for " + std::to_string(patience.count()) + " s");
	}
	const std::string when = " while the recorders of " + counted(entered, "other instance") + " block";
	expect(entered == blocked && recorded, "an instance that starts records nothing" + when);
	expect(started.has_value(), "start does not return" + when);
	expectCode("start" + when, *started, ISSUER_OK);
	expectCode("stop" + when, *stopped, ISSUER_OK);
}

constexpr Check checks[] = {
	{"events-are-whole", "Every event has its kind, time and text.", Needs::stopping, false, eventsAreWhole},
	{"stop-ends-the-callbacks", "Nothing is recorded once stop has answered ISSUER_OK.", Needs::stopping, false,
		stopEndsTheCallbacks},
	{"set-recorder-is-a-barrier", "A replaced recorder is not running and never called again.", Needs::stopping, false,
		setRecorderIsABarrier},
	{"blocked-recorders-delay-no-other", "A recorder that blocks delays its own instance only.", Needs::stopping, false,
		blockedRecordersDelayNoOther},
	{"refuses-calls-from-record", "No slot may be called from inside the instance's record.", Needs::stopping, false,
		refusesCallsFromRecord},
	{"refuses-calls-from-log", "No slot may be called from inside the instance's log.", Needs::stopping, false,
		refusesCallsFromLog},
};

} // namespace

std::span<const Check> recorderChecks()
{
	return checks;
}

} // namespace issuer::conformance
