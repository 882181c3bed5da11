#include "observe/exec/exec.h"

#include "common/json_object.h"
#include "common/text.h"
#include "observe/events/names.h"

#include <sys/eventfd.h>

namespace issuer::observe {

namespace {

constexpr std::size_t longestText = 2'000; ///< bytes
constexpr std::chrono::milliseconds grace{500};

std::string variable(const char* name, std::string_view value)
{
	return std::string(name) + '=' + sanitize(value);
}

} // namespace

Exec::Exec(std::vector<ExecRule> rules, std::function<void(const std::string&)> complain)
	: _rules(std::move(rules)), _complain(std::move(complain)), _ending(::eventfd(0, EFD_CLOEXEC)),
	  _jobs({mostWaiting}, [this](const auto& jobs, std::uint64_t dropped) { return runAll(jobs, dropped); })
{
}

void Exec::event(std::string_view issuer, const issuer_event& event)
{
	for (const Turn turn : _turns.at(issuer, event)) {
		for (std::size_t i = 0; i < _rules.size(); ++i) {
			if (_rules[i].on.contains(turn)) {
				_jobs.add(
					{i, std::string(turnName(turn)), std::string(issuer), commandFor(_rules[i], turn, issuer, event)});
			}
		}
	}
}

void Exec::close()
{
	::eventfd_write(_ending.get(), 1);
	_jobs.close();
}

ChildProgram Exec::commandFor(const ExecRule& rule, Turn turn, std::string_view issuer, const issuer_event& event) const
{
	const std::string text = sanitize(std::string_view(event.detail.ptr, std::min(event.detail.len, longestText)));
	ChildProgram command;
	command.limit = rule.timeout;
	command.cancel = _ending.get();
	command.grace = grace;
	command.input = JsonObject()
						.add("event", turnName(turn))
						.add("issuer", issuer)
						.add("unix_ms", event.unix_ms)
						.add("state", stateName(event.state))
						.add("reason", reasonName(event.reason))
						.add("ttl_ms", event.ttl_ms)
						.add("expires_unix_ms", event.expires_unix_ms)
						.add("text", text)
						.text() +
					'\n';
	if (!rule.url.empty()) {
		command.arguments = {thisProgram, "post-event"};
		command.environment.emplace({"ISSUER_POST_URL=" + rule.url});
		return command;
	}
	command.arguments = rule.command;
	command.environment = std::vector<std::string>{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		variable("ISSUER_EVENT", turnName(turn)), variable("ISSUER_NAME", issuer),
		variable("ISSUER_STATE", stateName(event.state)), variable("ISSUER_REASON", reasonName(event.reason)),
		"ISSUER_EXPIRES_UNIX_MS=" + std::to_string(event.expires_unix_ms), variable("ISSUER_TEXT", text)};
	return command;
}

bool Exec::runAll(const std::deque<Job>& jobs, std::uint64_t dropped)
{
	for (const Job& job : jobs) {
		if (_jobs.closing()) {
			break;
		}
		run(job);
	}
	if (dropped > 0) {
		_complain(std::to_string(dropped) + " events were dropped: the commands of exec take too long");
	}
	return true;
}

void Exec::run(const Job& job)
{
	const ExecRule& rule = _rules[job.rule];
	const Result<ChildEnd> end = runChild(job.command);
	if (const std::string trouble = end ? end->trouble() : end.error().text; !trouble.empty()) {
		const std::string name = rule.url.empty() ? rule.command.front() : "the POST to its url";
		_complain("exec[" + std::to_string(job.rule) + "], " + name + ", for issuer " + job.issuer + ", " + job.event +
				  ": " + trouble);
	}
}

} // namespace issuer::observe
