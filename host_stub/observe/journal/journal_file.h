#pragma once

#include "common/spool.h"
#include "observe/events/event_sink.h"
#include "observe/journal/rotated_file.h"
#include "observe/journal/silence_watch.h"

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace issuer::observe {

/// Writes everything that happens as JSON lines to a file that outlives the host, from a thread of its own: a slow disk
/// delays no renewal. Lines that a full disk does not take, or that wait for a file system that does not answer, are
/// kept and tried again; beyond `capacity` lines the newest are dropped, and a line says how many:
///
///   {"type":"journal","unix_ms":…,"dropped":17}
class JournalFile final : public EventSink
{
public:
	struct Patience
	{
		std::size_t capacity = 100'000;
		std::chrono::milliseconds retry{1'000};
		std::chrono::milliseconds silence{5'000}; ///< time after which a write that has not ended is a failure
	};

	/// Is told a failure once, as a warning, and its end once, as information. Called on threads of the journal's.
	using Complain = std::function<void(issuer_log_level level, const std::string& text)>;

	/// The file is opened when there is a line to write, and again and again if it cannot be.
	JournalFile(RotatedFile::Settings file, Complain complain, Patience patience);

	void event(std::string_view issuer, const issuer_event& event) override;
	void log(
		std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text) override;
	void notice(const Notice& notice) override;

	/// Writes the lines told so far if the disk takes them; later ones are dropped.
	void close() { _lines.close(); }

private:
	bool write(const std::deque<std::string>& lines, std::uint64_t dropped);
	[[nodiscard]] Result<void> append(const std::string& batch);
	void tell(bool failing, const std::string& text);

	const RotatedFile::Settings _settings;
	std::optional<RotatedFile> _file; ///< used by the writer's thread only; empty: it is to be opened
	const Complain _complain;
	std::mutex _mutex; ///< guards the next member, and orders what is told
	bool _failing = false;
	SilenceWatch _watch;
	Spool<std::string> _lines; ///< destroyed first: its thread uses the other members
};

} // namespace issuer::observe
