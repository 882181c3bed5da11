#include "observe/fleet/fleet.h"

#include "common/text.h"
#include "observe/events/human_lines.h"
#include "observe/events/names.h"

#include <algorithm>
#include <set>

namespace issuer::observe {

using std::chrono::microseconds;
using std::chrono::milliseconds;

/// The present and the history of an issuer, and the lock of both.
struct Fleet::Issuer
{
	std::mutex mutex;
	IssuerRecord record;
	std::vector<Happening> past; ///< oldest first
};

namespace {

std::optional<UnixTime> timeOf(std::int64_t unixMs)
{
	return unixMs < 0 ? std::nullopt : std::optional(UnixTime(milliseconds(unixMs)));
}

/// Returns `text` as one printable line of at most `longestText` bytes.
std::string kept(std::string_view text)
{
	if (text.size() <= Fleet::longestText) {
		return sanitize(text);
	}
	std::size_t length = Fleet::longestText;
	while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) {
		--length; // not in the middle of a character
	}
	return sanitize(text.substr(0, length)) + "…";
}

void remember(std::vector<Happening>& past, Happening what)
{
	if (!past.empty() && past.back().isLike(what)) {
		what.first = past.back().first;
		what.times = past.back().times + 1;
		past.back() = std::move(what);
		return;
	}
	if (past.size() >= Fleet::history) {
		past.erase(past.begin());
	}
	past.push_back(std::move(what));
}

std::vector<Happening> newestFirst(std::vector<Happening> past)
{
	std::ranges::reverse(past);
	return past;
}

void count(IssuerRecord& record, const issuer_event& event)
{
	switch (event.result) {
	case ISSUER_RESULT_SUCCESS:
		++record.successes;
		record.consecutiveFailures = 0;
		record.lastSuccess = timeOf(event.unix_ms);
		break;
	case ISSUER_RESULT_FAILURE:
		++record.failures;
		++record.consecutiveFailures;
		break;
	case ISSUER_RESULT_NOT_RENEWABLE:
		++record.notRenewables;
		break;
	}
	record.lastLatency = microseconds(event.latency_us);
}

void measureLease(IssuerRecord& record, const issuer_event& event)
{
	if (event.ttl_ms <= 0) {
		return;
	}
	const milliseconds left(event.ttl_ms);
	const bool granted = event.kind != ISSUER_EVENT_STATE && event.result == ISSUER_RESULT_SUCCESS;
	record.lease = granted ? left : std::max(record.lease.value_or(left), left);
}

/// Converts `next` to the steady clock, for an event that happened `at` and is told now.
std::optional<SteadyTime> dueAt(const std::optional<UnixTime>& next, UnixTime at, SteadyTime now)
{
	return next ? std::optional(now + (*next - at)) : std::nullopt;
}

void countLogin(LoginRecord& logins, const issuer_event& event)
{
	logins.next = timeOf(event.next_unix_ms);
	if (event.result == ISSUER_RESULT_NONE) {
		return; // a forecast
	}
	const auto same = std::ranges::find_if(logins.ended,
		[&](const LoginRecord::Count& count) { return count.result == event.result && count.reason == event.reason; });
	if (same == logins.ended.end()) {
		logins.ended.push_back({event.result, event.reason, 1});
	}
	else {
		++same->times;
	}
	if (event.result == ISSUER_RESULT_SUCCESS) {
		logins.failingSince.reset();
	}
	else if (!logins.failingSince) {
		logins.failingSince = timeOf(event.unix_ms);
	}
}

/// Updates the state of the credential. A login's event that brings none says nothing of the next renewal, and why it
/// failed is no reason of the credential's state; one that brings a new credential voids the plan for the old one.
void enter(IssuerRecord& record, const issuer_event& event)
{
	const bool isNew = event.kind != ISSUER_EVENT_LOGIN || event.result == ISSUER_RESULT_SUCCESS;
	record.reason = isNew || record.state != event.state ? event.reason : record.reason;
	if (!record.since || record.state != event.state) {
		record.stateChanges += record.since ? 1U : 0U;
		record.since = timeOf(event.unix_ms);
	}
	record.told = true;
	record.state = event.state;
	record.expires = timeOf(event.expires_unix_ms);
	if (event.kind != ISSUER_EVENT_LOGIN) {
		record.next = timeOf(event.next_unix_ms);
	}
	else if (isNew) {
		record.next.reset();
	}
}

} // namespace

Fleet::Fleet(Clock now, SteadyClock steadyNow)
	: _now(std::move(now)), _steadyNow(std::move(steadyNow)), _lastEvent(_steadyNow())
{
}

Fleet::~Fleet() = default;

UnixTime Fleet::systemNow()
{
	return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

SteadyTime Fleet::steadyClockNow()
{
	return std::chrono::time_point_cast<milliseconds>(std::chrono::steady_clock::now());
}

void Fleet::event(std::string_view issuer, const issuer_event& event)
{
	if (!isKnown(event.kind)) {
		return;
	}
	const std::shared_ptr<Issuer> known = find(issuer);
	if (known == nullptr) {
		return;
	}
	const UnixTime at = timeOf(event.unix_ms).value_or(_now());
	Happening what{{}, event.kind, event.result, event.state, event.reason, HumanLines::severity(event), 1, at, at,
		kept({event.detail.ptr, event.detail.len})};
	{
		const std::lock_guard lock(known->mutex);
		if (event.kind == ISSUER_EVENT_RENEWAL) {
			count(known->record, event);
		}
		if (event.kind == ISSUER_EVENT_LOGIN) {
			countLogin(known->record.logins, event);
		}
		enter(known->record, event);
		if (event.kind != ISSUER_EVENT_LOGIN || !known->record.next) {
			known->record.due = dueAt(known->record.next, at, _steadyNow());
		}
		known->record.ends = event.state == ISSUER_STATE_EXPIRED || event.state == ISSUER_STATE_STOPPED
								 ? std::nullopt
								 : dueAt(known->record.expires, at, _steadyNow());
		measureLease(known->record, event);
		known->record.text = what.text;
		remember(known->past, std::move(what));
	}
	_lastEvent = _steadyNow();
	++_revision;
}

void Fleet::notice(const Notice& notice)
{
	const UnixTime at = _now();
	Happening what{notice.action, ISSUER_EVENT_STATE, ISSUER_RESULT_NONE, ISSUER_STATE_STOPPED, ISSUER_REASON_NONE,
		notice.level, 1, at, at, kept(notice.text)};
	if (notice.action == Action::ready || notice.action == Action::ended) {
		_ready = notice.action == Action::ready;
	}
	if (notice.issuer.empty()) {
		const std::lock_guard lock(_mutex);
		remember(_host, std::move(what));
	}
	else if (const std::shared_ptr<Issuer> known = find(notice.issuer)) {
		const std::lock_guard lock(known->mutex);
		remember(known->past, std::move(what));
	}
	++_revision;
}

void Fleet::admit(const std::vector<std::string>& names)
{
	const std::lock_guard lock(_mutex);
	for (const std::string& name : names) {
		if (std::shared_ptr<Issuer>& issuer = _issuers[name]; issuer == nullptr) {
			issuer = std::make_shared<Issuer>();
			issuer->record.name = name;
		}
	}
}

void Fleet::keepOnly(const std::vector<std::string>& names)
{
	const std::set<std::string_view> wanted(names.begin(), names.end());
	{
		const std::lock_guard lock(_mutex);
		std::erase_if(_issuers, [&](const auto& entry) { return !wanted.contains(entry.first); });
	}
	++_revision;
}

std::vector<IssuerRecord> Fleet::all() const
{
	std::vector<IssuerRecord> records;
	const auto known = allIssuers();
	records.reserve(known.size());
	for (const std::shared_ptr<Issuer>& issuer : known) {
		const std::lock_guard lock(issuer->mutex);
		records.push_back(issuer->record);
	}
	return records;
}

std::vector<Happening> Fleet::historyOf(std::string_view issuer) const
{
	const std::shared_ptr<Issuer> known = find(issuer);
	if (known == nullptr) {
		return {};
	}
	const std::lock_guard lock(known->mutex);
	return newestFirst(known->past);
}

std::vector<Happening> Fleet::hostHistory() const
{
	const std::lock_guard lock(_mutex);
	return newestFirst(_host);
}

std::shared_ptr<Fleet::Issuer> Fleet::find(std::string_view name) const
{
	const std::lock_guard lock(_mutex);
	const auto known = _issuers.find(name);
	return known == _issuers.end() ? nullptr : known->second;
}

std::vector<std::shared_ptr<Fleet::Issuer>> Fleet::allIssuers() const
{
	const std::lock_guard lock(_mutex);
	std::vector<std::shared_ptr<Issuer>> known;
	known.reserve(_issuers.size());
	for (const auto& [name, issuer] : _issuers) {
		known.push_back(issuer);
	}
	return known;
}

} // namespace issuer::observe
