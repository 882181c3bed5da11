#include "conformance/checks.h"
#include "conformance/process_view.h"
#include "conformance/trial.h"

#include <future>
#include <thread>

namespace issuer::conformance {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void starts(const Subject& subject)
{
	Trial trial(subject);
	ErrorBuffer error;
	const issuer_rc code = trial.instance.tryStart(error.get());
	if (code == ISSUER_E_UNAVAILABLE) {
		warn("its server does not answer: " + error.message() + "; the next checks need a server that does");
	}
	expect(code == ISSUER_OK, "start answers " + codeName(code) + ": " + (code == ISSUER_OK ? "" : error.message()));
}

void stops(const Subject& subject)
{
	Trial trial(subject);
	trial.instance.start();
	ErrorBuffer error;
	const issuer_rc code = trial.instance.tryStop(patience, error.get());
	expect(code == ISSUER_OK, "stop answers " + codeName(code) + ": " + (code == ISSUER_OK ? "" : error.message()));
	trial.instance.destroy();
}

void startTwiceIsOnce(const Subject& subject)
{
	Trial trial(subject);
	trial.instance.start();
	expectCode("start of a running instance", trial.instance.tryStart(), ISSUER_OK);
	trial.instance.stop();
	expectCode("destroy after one stop", trial.instance.tryDestroy(), ISSUER_OK);
}

void stopTwiceIsOnce(const Subject& subject)
{
	Trial trial(subject);
	trial.instance.start();
	trial.instance.stop();
	expectCode("stop of a stopped instance", trial.instance.tryStop(milliseconds(0)), ISSUER_OK);
}

void startsAgain(const Subject& subject)
{
	Trial trial(subject);
	for (int round = 0; round < 3; ++round) {
		trial.instance.start();
		trial.instance.stop();
	}
	expectCode("start after three stops", trial.instance.tryStart(), ISSUER_OK);
}

void destroyWhileRunningIsBusy(const Subject& subject)
{
	Trial trial(subject);
	trial.instance.start();
	ErrorBuffer error;
	const issuer_rc code = trial.library.table().destroy(trial.instance.get(), error.get());
	if (code == ISSUER_OK) {
		trial.instance.leaveAlone(); // destroyed already
	}
	expectCode("destroy of a running instance", code, ISSUER_E_BUSY);
	static_cast<void>(error.message());
	expectCode("stop after a refused destroy", trial.instance.tryStop(), ISSUER_OK);
}

void stopLeavesNoThread(const Subject& subject)
{
	Trial trial(subject);
	const auto before = threads();
	trial.instance.start();
	trial.instance.stop();
	// The kernel may list a joined thread for a moment.
	for (const auto limit = steady_clock::now() + std::chrono::seconds(2);
		 threads() != before && steady_clock::now() < limit;) {
		std::this_thread::yield();
	}
	const std::size_t left = threads().size() - before.size();
	expect(left == 0, counted(left, "thread") + " of it still there after its last instance has stopped");
}

void stopKeepsItsTime(const Subject& subject)
{
	Hold hold;
	Recorder recorder([&](const issuer_event&) { hold.block(); });
	Trial trial(subject);
	trial.instance.record(&recorder);
	// On a thread of its own: start may wait for the work that the recorder holds up.
	auto starting = std::async(std::launch::async, [&] { return trial.instance.tryStart(); });
	if (hold.await(1) == 0) {
		hold.release();
		skip("it recorded nothing for " + std::to_string(patience.count()) + " s");
	}
	// A start that does not wait ends first, so that there is something to stop.
	starting.wait_for(std::chrono::seconds(1));
	constexpr milliseconds limit{100};
	const auto begun = steady_clock::now();
	const issuer_rc code = trial.instance.tryStop(limit);
	const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begun);
	const issuer_rc again = trial.instance.tryStart();
	const issuer_rc destroyed = trial.library.table().destroy(trial.instance.get(), nullptr);
	hold.release();
	starting.wait();
	expectCode("stop while the recorder blocks", code, ISSUER_E_TIMEOUT);
	expectCode("start while a stop is unfinished", again, ISSUER_E_STATE);
	expectCode("destroy while a stop is unfinished", destroyed, ISSUER_E_BUSY);
	expectCode("stop once the recorder has returned", trial.instance.tryStop(), ISSUER_OK);
	expectCode("start after an unfinished stop has ended", trial.instance.tryStart(), ISSUER_OK);
	constexpr milliseconds promised{50};
	constexpr milliseconds bearable{1000};
	const std::string text =
		"stop took " + std::to_string(took.count()) + " ms where " + std::to_string(limit.count()) + " were given";
	expect(took <= limit + bearable, text);
	if (took > limit + promised) {
		warn(text + "; the contract allows 50 more");
	}
}

void instancesAreStrangers(const Subject& subject)
{
	Trial one(subject);
	CheckedInstance other(one.library, subject, one.host);
	one.instance.start();
	other.start();
	one.instance.stop();
	one.instance.destroy();
	const issuer_rc code = one.library.table().destroy(other.get(), nullptr);
	if (code == ISSUER_OK) {
		other.leaveAlone(); // destroyed already
		skip("destroy of a running instance is not refused");
	}
	expectCode("destroy of an instance that runs while another was stopped", code, ISSUER_E_BUSY);
	expectCode("stop of it", other.tryStop(), ISSUER_OK);
}

constexpr Check checks[] = {
	{"starts", "start succeeds with a good configuration.", Needs::instance, true, starts},
	{"stops", "stop ends all work of start, and destroy may follow.", Needs::running, true, stops},
	{"start-twice-is-once", "start has no effect on a running instance.", Needs::stopping, false, startTwiceIsOnce},
	{"stop-twice-is-once", "stop has no effect on a stopped instance.", Needs::stopping, false, stopTwiceIsOnce},
	{"starts-again", "start works again after stop, any number of times.", Needs::stopping, false, startsAgain},
	{"destroy-while-running-is-busy", "destroy refuses a running instance, which runs on.", Needs::stopping, false,
		destroyWhileRunningIsBusy},
	{"stop-leaves-no-thread", "No thread is left once the last instance has stopped.", Needs::stopping, false,
		stopLeavesNoThread},
	{"stop-keeps-its-time", "stop answers in time while a recorder blocks, and ends the work afterwards.",
		Needs::stopping, false, stopKeepsItsTime},
	{"instances-are-strangers", "Calls on one instance do not affect another.", Needs::stopping, false,
		instancesAreStrangers},
};

} // namespace

std::span<const Check> lifeChecks()
{
	return checks;
}

} // namespace issuer::conformance
