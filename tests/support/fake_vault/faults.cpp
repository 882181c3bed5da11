#include "fake_vault/faults.h"

#include "fake_vault/fields.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace issuer::test {
namespace faults {
namespace {

using std::chrono::milliseconds;

constexpr const char* page = "<html><head><title>Sign in</title></head><body>This network asks you to sign in."
							 "</body></html>\n";

Fault replyFault(const std::string& name, ApiReply reply)
{
	Fault fault{.name = name};
	fault.reply = std::move(reply);
	return fault;
}

Fault wayFault(const std::string& name, Fault::Way way, milliseconds delay = milliseconds(0))
{
	return {.name = name, .way = way, .delay = delay};
}

using Maker = std::function<Fault(Fields&, milliseconds)>;

Fault errorOf(Fields& fields, milliseconds)
{
	const int status = fields.has("status") ? fields.number("status") : 503;
	const auto text = fields.text("text", "internal error");
	return fields.has("retry_after") ? retryAfter(status, text, fields.text("retry_after")) : error(status, text);
}

const std::map<std::string, Maker> makers{
	{"no-content", [](Fields&, milliseconds) { return noContent(); }},
	{"error", errorOf},
	{"token-refused", [](Fields&, milliseconds) { return tokenRefused(); }},
	{"policy-refused", [](Fields&, milliseconds) { return policyRefused(); }},
	{"past-max-ttl", [](Fields&, milliseconds) { return pastMaxTtl(); }},
	{"wrapped", [](Fields&, milliseconds) { return wrapped(); }},
	{"proxy-page",
		[](Fields& fields, milliseconds) { return proxyPage(fields.has("status") ? fields.number("status") : 200); }},
	{"hang", [](Fields&, milliseconds) { return hang(); }},
	{"close", [](Fields&, milliseconds) { return close(); }},
	{"lose", [](Fields&, milliseconds) { return lose(); }},
	{"drip", [](Fields&, milliseconds delay) { return drip(delay); }},
	{"latency", [](Fields&, milliseconds delay) { return latency(delay); }},
};

std::string knownNames()
{
	std::string names;
	for (const auto& [name, maker] : makers) {
		names += (names.empty() ? "" : ", ") + name;
	}
	return names;
}

} // namespace

Fault noContent()
{
	return replyFault("no-content", test::noContent());
}

Fault error(int status, const std::string& text)
{
	return replyFault("error", errorReply(status, text));
}

Fault retryAfter(int status, const std::string& text, const std::string& header)
{
	Fault fault = error(status, text);
	fault.reply->headers.emplace_back("Retry-After", header);
	return fault;
}

Fault tokenRefused()
{
	return replyFault("token-refused", test::tokenRefused());
}

Fault policyRefused()
{
	return replyFault("policy-refused", test::policyRefused());
}

Fault pastMaxTtl()
{
	return replyFault("past-max-ttl", errorReply(500, "1 error occurred:\n\t* past the max TTL, cannot renew\n\n"));
}

Fault wrapped()
{
	Fault fault{.name = "wrapped"};
	fault.wrap = true;
	return fault;
}

Fault proxyPage(int status)
{
	return replyFault("proxy-page", {.status = status, .headers = {{"Content-Type", "text/html"}}, .body = page});
}

Fault hang()
{
	return wayFault("hang", Fault::Way::hang);
}

Fault close()
{
	return wayFault("close", Fault::Way::close);
}

Fault lose()
{
	return wayFault("lose", Fault::Way::lose);
}

Fault drip(milliseconds pause)
{
	return wayFault("drip", Fault::Way::drip, pause);
}

Fault latency(milliseconds delay)
{
	return wayFault("latency", Fault::Way::answer, delay);
}

tl::expected<Fault, std::string> fromJson(const std::string& text)
{
	auto fields = Fields::decode(text);
	if (!fields) {
		return tl::unexpected(fields.error());
	}
	const auto name = fields->text("fault");
	const auto maker = makers.find(name);
	if (maker == makers.end()) {
		return tl::unexpected("\"fault\": unknown \"" + name + "\"; known are " + knownNames());
	}
	Fault fault = maker->second(*fields, fields->pause("delay", milliseconds(100)));
	fault.call = fields->text("call");
	fault.times = fields->number("times");
	if (fields->error()) {
		return tl::unexpected(*fields->error());
	}
	const auto unknown = fields->warnings({"fault", "call", "times", "delay", "status", "text", "retry_after"});
	if (!unknown.empty()) {
		return tl::unexpected(unknown.front());
	}
	return fault;
}

} // namespace faults

void Faults::add(Fault fault)
{
	const std::lock_guard lock(_mutex);
	_faults.push_back(std::move(fault));
}

void Faults::clear()
{
	const std::lock_guard lock(_mutex);
	_faults.clear();
	++_clearings;
}

std::optional<Faults::Strike> Faults::strike(const std::string& call)
{
	const std::lock_guard lock(_mutex);
	const auto found =
		std::ranges::find_if(_faults, [&](const Fault& fault) { return fault.call.empty() || fault.call == call; });
	if (found == _faults.end()) {
		return {};
	}
	Strike strike{*found, _clearings};
	++_strikes;
	_struck.notify_all();
	if (found->times > 0 && --found->times == 0) {
		_faults.erase(found);
	}
	return strike;
}

bool Faults::waitForStrikes(int count, std::chrono::seconds limit) const
{
	std::unique_lock lock(_mutex);
	return _struck.wait_for(lock, limit, [&] { return _strikes >= count; });
}

int Faults::clearings() const
{
	const std::lock_guard lock(_mutex);
	return _clearings;
}

} // namespace issuer::test
