#include "observe/events/human_lines.h"

#include "common/duration.h"
#include "common/text.h"
#include "observe/events/names.h"

#include <array>

namespace issuer::observe {

namespace {

constexpr std::size_t whatWidth = 14; ///< width in characters of the longest, «renewal denied»

std::string dateOf(std::time_t at)
{
	std::tm local{};
	::localtime_r(&at, &local);
	std::array<char, 64> text{};
	return {text.data(), std::strftime(text.data(), text.size(), "%F %T %Z", &local)};
}

std::string padded(std::string text, std::size_t width)
{
	std::size_t characters = 0;
	for (const char byte : text) {
		characters += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
	}
	return text.append(characters < width ? width - characters : 0, ' ');
}

std::string whatHappened(const issuer_event& event)
{
	if (event.kind == ISSUER_EVENT_LOGIN) {
		switch (event.result) {
		case ISSUER_RESULT_NONE:
			return "login at risk";
		case ISSUER_RESULT_SUCCESS:
			return "logged in";
		}
		return "login failed";
	}
	if (event.kind == ISSUER_EVENT_RENEWAL) {
		switch (event.result) {
		case ISSUER_RESULT_SUCCESS:
			return "renewed";
		case ISSUER_RESULT_FAILURE:
			return "not renewed";
		case ISSUER_RESULT_NOT_RENEWABLE:
			return "not renewable";
		}
		return resultName(event.result);
	}
	switch (event.state) {
	case ISSUER_STATE_STOPPED:
		return "stopped";
	case ISSUER_STATE_STARTING:
		return "starting";
	case ISSUER_STATE_ACTIVE:
		return "alive";
	case ISSUER_STATE_RETRYING:
		return "retrying";
	case ISSUER_STATE_CAPPED:
		return "capped";
	case ISSUER_STATE_NOT_RENEWABLE:
		return "not renewable";
	case ISSUER_STATE_NO_EXPIRY:
		return "lives for ever";
	case ISSUER_STATE_DENIED:
		return "renewal denied";
	case ISSUER_STATE_EXPIRED:
		return "dead";
	}
	return "state " + stateName(event.state);
}

/// Returns whether renewing does not move the end in this state, so that the line shows the date of the end.
bool endIsFixed(issuer_state state)
{
	return state == ISSUER_STATE_CAPPED || state == ISSUER_STATE_NOT_RENEWABLE || state == ISSUER_STATE_DENIED;
}

std::string lifeLeft(const issuer_event& event)
{
	if (event.state == ISSUER_STATE_EXPIRED) {
		return event.kind == ISSUER_EVENT_LOGIN ? "the credential is dead" : "replace the credential";
	}
	if (event.ttl_ms < 0) {
		return {};
	}
	const std::string left = inWords(std::chrono::milliseconds(event.ttl_ms)) + " left";
	if (!endIsFixed(event.state) || event.expires_unix_ms < 0) {
		return left;
	}
	const std::string date = dateOf(event.expires_unix_ms / 1000);
	return (event.state == ISSUER_STATE_CAPPED ? "cannot be extended past " : "ends at ") + date + ", " + left;
}

std::string nextStep(const issuer_event& event)
{
	if (event.next_unix_ms < 0) {
		return {};
	}
	const bool trouble = event.state == ISSUER_STATE_RETRYING || event.state == ISSUER_STATE_DENIED ||
						 event.state == ISSUER_STATE_EXPIRED || event.state == ISSUER_STATE_STARTING;
	const std::string step = event.kind == ISSUER_EVENT_LOGIN ? "next login"
							 : endIsFixed(event.state)        ? "next check"
							 : trouble                        ? "next try"
															  : "next renewal";
	const std::int64_t wait = event.next_unix_ms - event.unix_ms;
	return step + (wait <= 0 ? " now" : " in " + inWords(std::chrono::milliseconds(wait)));
}

std::string joined(std::initializer_list<std::string> parts)
{
	std::string text;
	for (const std::string& part : parts) {
		text += (text.empty() || part.empty() ? "" : ", ") + part;
	}
	return text;
}

} // namespace

issuer_log_level HumanLines::severity(const issuer_event& event)
{
	switch (event.state) {
	case ISSUER_STATE_EXPIRED:
		return ISSUER_LOG_ERROR;
	case ISSUER_STATE_RETRYING:
	case ISSUER_STATE_CAPPED:
	case ISSUER_STATE_NOT_RENEWABLE:
	case ISSUER_STATE_DENIED:
		return ISSUER_LOG_WARN;
	}
	const bool atRisk = event.kind == ISSUER_EVENT_LOGIN && event.result == ISSUER_RESULT_NONE;
	return event.result == ISSUER_RESULT_FAILURE || atRisk ? ISSUER_LOG_WARN : ISSUER_LOG_INFO;
}

std::string HumanLines::event(std::string_view issuer, const issuer_event& event) const
{
	std::string rest = joined({lifeLeft(event), nextStep(event)});
	if (event.attempt > 1) {
		rest = joined({rest, "attempt " + std::to_string(event.attempt)});
	}
	if (event.detail.len > 0) {
		rest += (rest.empty() ? "" : ": ") + sanitize({event.detail.ptr, event.detail.len});
	}
	return line(event.unix_ms / 1000, issuer, severity(event), whatHappened(event), rest);
}

std::string HumanLines::log(std::time_t at, std::string_view issuer, issuer_log_level level, std::string_view component,
	std::string_view text) const
{
	return line(at, issuer, level, component, text);
}

std::string HumanLines::notice(std::time_t at, const Notice& notice) const
{
	std::string what = actionName(notice.action);
	for (char& letter : what) {
		letter = letter == '_' ? ' ' : letter;
	}
	return line(at, notice.issuer.empty() ? "host" : notice.issuer, notice.level, what, notice.text);
}

std::string HumanLines::line(
	std::time_t at, std::string_view issuer, issuer_log_level level, std::string_view what, std::string_view rest) const
{
	const char* colour = level >= ISSUER_LOG_ERROR ? "\033[31m" : level == ISSUER_LOG_WARN ? "\033[33m" : nullptr;
	std::string word = padded(sanitize(what), whatWidth);
	if (_style.colours && colour != nullptr) {
		word = colour + word + "\033[0m";
	}
	std::string text = (_style.dates ? dateOf(at) + "  " : "") + padded(sanitize(issuer), _style.nameWidth) + "  " +
					   word + "  " + sanitize(rest);
	text.erase(text.find_last_not_of(' ') + 1);
	return text;
}

} // namespace issuer::observe
