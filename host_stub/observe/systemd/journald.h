#pragma once

#include "common/spool.h"
#include "observe/events/event_sink.h"
#include "observe/events/facts.h"
#include "observe/events/human_lines.h"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace issuer::observe {

/// One entry of systemd's journal: a list of «NAME=value». MESSAGE is the line for the operator; the other fields are
/// for searching: `journalctl ISSUER=team-a ISSUER_STATE=retrying`.
using JournaldEntry = std::vector<std::string>;

/// Writes everything that happens as entries of systemd's journal, from a thread of its own: journald may be slow or
/// full.
class Journald final : public EventSink
{
public:
	using Send = std::function<void(const JournaldEntry&)>;

	/// Entries that may wait for journald: those of ten thousand issuers that start at once, and as many again.
	static constexpr std::size_t mostWaiting = 100'000;

	explicit Journald(issuer_log_level level, Send send = toJournald);

	void event(std::string_view issuer, const issuer_event& event) override;
	void log(
		std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text) override;
	void notice(const Notice& notice) override;

	/// Drops entries below `level` from now on. [thread-safe]
	void setLevel(issuer_log_level level) { _level = level; }

	/// Sends the entries told so far; later ones are dropped.
	void close() { _entries.close(); }

	/// Returns whether `fd` leads to the journal, as systemd tells its services in $JOURNAL_STREAM.
	[[nodiscard]] static bool reads(int fd, const char* journalStream);

	static void toJournald(const JournaldEntry& entry);

private:
	bool sendAll(const std::deque<JournaldEntry>& entries, std::uint64_t dropped) const;

	std::atomic<issuer_log_level> _level;
	const Send _send;
	const HumanLines _lines{{false, 0, false}};
	Facts _facts;
	Spool<JournaldEntry> _entries; ///< destroyed first: its thread uses the other members
};

} // namespace issuer::observe
