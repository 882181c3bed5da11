#pragma once

#include "conformance/driver.h"

namespace issuer::conformance {

/// All that one instance needs, and its end in the right order.
struct Stage
{
	explicit Stage(const Subject& subject) : library(subject), instance(library, subject, ears) {}

	/// Starts it and waits for its first event: its threads are there, and so is what it has opened.
	void run()
	{
		instance.record(&recorder);
		instance.start();
		recorder.awaitMoreThan(0);
	}

	Library library;
	HostEars ears;
	Recorder recorder;
	Instance instance;
};

} // namespace issuer::conformance
