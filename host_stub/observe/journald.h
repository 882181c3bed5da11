#pragma once

#include "observe/event_sink.h"
#include "observe/human_lines.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace issuer::observe {

/// One entry of systemd's journal, as «NAME=value» each. MESSAGE is the line for people; by the other fields it is
/// found again: `journalctl ISSUER=team-a ISSUER_STATE=retrying`.
using JournaldEntry = std::vector<std::string>;

/// Everything that happens as entries of systemd's journal, from a thread of its own: journald may be slow or full.
class Journald final : public EventSink
{
public:
	using Send = std::function<void(const JournaldEntry&)>;

	explicit Journald(issuer_log_level level, Send send = toJournald);
	~Journald() override { close(); }

	void event(std::string_view issuer, const issuer_event& event) override;
	void log(
		std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text) override;
	void notice(const Notice& notice) override;

	/// Sends what was told so far, and nothing more.
	void close();

	/// Whether `fd` goes to the journal, as systemd tells its services in $JOURNAL_STREAM.
	[[nodiscard]] static bool reads(int fd, const char* journalStream);

	static void toJournald(const JournaldEntry& entry);

private:
	void add(JournaldEntry entry);
	void run();

	const issuer_log_level _level;
	const Send _send;
	const HumanLines _lines{{false, 0, false}};
	std::mutex _mutex;
	std::condition_variable _changed;
	std::deque<JournaldEntry> _entries;
	std::uint64_t _dropped = 0;
	bool _closing = false;
	std::thread _thread;
};

} // namespace issuer::observe
