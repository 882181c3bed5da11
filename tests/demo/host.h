#pragma once

#include "child_process.h"
#include "setup.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace issuer::demo {

/// One line of the host's journal: an event that a plugin recorded (`type` "event") or an act of the host ("host").
struct Event
{
	std::string type;
	std::string issuer;
	std::int64_t unixMs = 0;
	std::string action; ///< of the host: "swapped"
	std::string text;
	std::string kind;   ///< of an event: "renewal", "state"
	std::string result; ///< "success"
	std::string state;  ///< "capped"
	std::int64_t expiresUnixMs = -1;
};
using Events = std::vector<Event>;

/// issuer-host as its users run it: its lines for operators go to the terminal as they come; the claims are checked by
/// its lines for machines, the journal file of its configuration.
class Host
{
public:
	Host(Setup& setup, const std::filesystem::path& program, const std::filesystem::path& config,
		std::filesystem::path journal);
	~Host();

	void reload() const;
	int stop(); ///< its exit code

	/// Waits until the journal shows it; throws a Failure that names `what` when it does not within a limit that only a
	/// failing demonstration reaches.
	void waitFor(const std::string& what, const std::function<bool(const Events&)>& shown);

	/// All there is so far.
	const Events& events();

private:
	void readJournal();

	Setup& _setup;
	const std::filesystem::path _journal;
	std::streamoff _readUpTo = 0;
	Events _events;
	test::ChildProcess _process;
	std::thread _echo; ///< last: it uses the process
};

} // namespace issuer::demo
