/// A plugin replaced while it runs.
#pragma once

#include <issuer/kit/instance.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

namespace issuer::kit {

/// Puts `next`, created and never started, in the place of `running`, which gives it what it knows: CONTRACT.md's order
/// of a hot swap. `recorder` hears the one that runs. On ISSUER_OK `running` is the new instance and the old one is
/// gone; on any error `running` is the old one still. It runs, unless the error says that it could not be started
/// again or that its stop has timed out. [control-thread of both]
inline Answer replace(
	Instance& running, Instance next, const std::shared_ptr<Recorder>& recorder, std::chrono::milliseconds stopTimeout)
{
	if (Answer stopped = running.stop(stopTimeout); !stopped) {
		return stopped;
	}
	const auto lend = [](const Instance& from, const Instance& to) {
		if (from.canLendTo(to)) { // lent or taken nothing: the other one reads its own sources
			static_cast<void>(from.lend([&](std::string_view secrets) { static_cast<void>(to.take(secrets)); }));
		}
	};
	const auto state = running.exportState();
	lend(running, next);
	if (state) {
		static_cast<void>(next.importState(*state)); // refused: it begins with a look-up
	}
	Answer answer = running.setRecorder(nullptr);
	if (answer) {
		answer = next.setRecorder(recorder);
	}
	if (answer) {
		answer = next.start();
	}
	if (answer) {
		running = std::move(next); // the old one is destroyed
		return {};
	}
	static_cast<void>(next.setRecorder(nullptr));
	lend(next, running);
	Answer back = running.setRecorder(recorder);
	if (back) {
		back = running.start();
	}
	return back ? answer : Answer{back.code, answer.text + "; and the old one does not start again: " + back.text};
}

} // namespace issuer::kit
