#pragma once

#include "common/child_process.h"
#include "common/descriptor.h"
#include "common/spool.h"
#include "observe/events/event_sink.h"
#include "observe/exec/turning_points.h"

#include <functional>
#include <set>

namespace issuer::observe {

/// A command that is run, or a URL that is posted to, when something becomes of a credential.
struct ExecRule
{
	std::set<Turn> on;
	std::vector<std::string> command; ///< the first is the program's path; empty: `url` is given
	std::string url;                  ///< may hold a secret: it is shown nowhere and never an argument
	std::chrono::milliseconds timeout{10'000};

	friend bool operator==(const ExecRule&, const ExecRule&) = default;
};

/// Runs commands on turning points of credentials, one after the other on a thread of its own: no event, and so no
/// renewal, waits for one. At most `mostWaiting` events wait; beyond that the newest are dropped, and the log says how
/// many. Each command is killed after its timeout. It gets one line of JSON on its stdin,
///
///     {"event":"dead","issuer":"team-a","unix_ms":…,"state":"expired","reason":"max_ttl","ttl_ms":…,
///      "expires_unix_ms":…,"text":"…"}
///
/// the same as ISSUER_EVENT, ISSUER_NAME, ISSUER_STATE, ISSUER_REASON, ISSUER_EXPIRES_UNIX_MS and ISSUER_TEXT in its
/// environment, which beside a PATH holds nothing else: no secret of the host reaches it. A URL gets the line by POST,
/// from a child process of this program.
class Exec final : public EventSink
{
public:
	static constexpr std::size_t mostWaiting = 1'000;

	/// `complain` is told of each command that failed, and of events that were dropped. [its thread]
	Exec(std::vector<ExecRule> rules, std::function<void(const std::string&)> complain);
	~Exec() override { close(); }

	void event(std::string_view issuer, const issuer_event& event) override;
	void log(std::string_view, issuer_log_level, std::string_view, std::string_view) override {}
	void notice(const Notice&) override {}

	/// Leaves the command under way half a second, and begins no other.
	void close();

private:
	struct Job
	{
		std::size_t rule;
		std::string event;
		std::string issuer;
		ChildProgram command;
	};

	[[nodiscard]] ChildProgram commandFor(
		const ExecRule& rule, Turn turn, std::string_view issuer, const issuer_event& event) const;
	bool runAll(const std::deque<Job>& jobs, std::uint64_t dropped);
	void run(const Job& job);

	const std::vector<ExecRule> _rules;
	const std::function<void(const std::string&)> _complain;
	const Descriptor _ending; ///< an eventfd, readable once this ends
	TurningPoints _turns;
	Spool<Job> _jobs; ///< the first to go: its thread uses the others
};

} // namespace issuer::observe
