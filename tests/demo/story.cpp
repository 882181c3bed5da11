#include "story.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

namespace issuer::demo {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const std::vector<std::string> everybody{"web", "mail", "build"};
constexpr auto outage = 6s;
constexpr std::int64_t forecastTolerance = 2000; ///< milliseconds

std::int64_t nowMs()
{
	const auto now = std::chrono::system_clock::now().time_since_epoch();
	return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string inSeconds(std::int64_t ms)
{
	char text[32];
	std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(ms) / 1000);
	return text;
}

bool isRenewal(const Event& event)
{
	return event.type == "event" && event.kind == "renewal" && event.result == "success";
}

bool isRenewalOf(const Event& event, const std::string& issuer, std::int64_t since)
{
	return isRenewal(event) && event.issuer == issuer && event.unixMs > since;
}

bool isHostAction(const Event& event, const std::string& action, const std::string& issuer)
{
	return event.type == "host" && event.action == action && event.issuer == issuer;
}

/// The first event of this issuer in that state, after a time; null: none yet.
const Event* inState(const Events& events, const std::string& issuer, const std::string& state, std::int64_t since)
{
	const auto found = std::ranges::find_if(events, [&](const Event& event) {
		return event.type == "event" && event.issuer == issuer && event.state == state && event.unixMs >= since;
	});
	return found == events.end() ? nullptr : &*found;
}

/// Returns the part after the last blank of the line that starts with it: an address.
std::string lastWord(const std::string& text)
{
	return text.substr(text.rfind(' ') + 1);
}

void require(bool condition, const std::string& otherwise)
{
	if (!condition) {
		throw Failure(otherwise);
	}
}

} // namespace

Story::Story(Setup& setup, const Cast& cast) : _setup(setup), _cast(cast), _vault(cast.fakeVault) {}

void Story::play()
{
	introduce();
	surviveAnOutage();
	swapOne();
	meetTheMaxTtl();
	replaceTheToken();
	end();
}

void Story::introduce()
{
	_setup.title("Three issuers, three tokens");
	_setup.tell("A fake Vault with honest leases serves at " + _vault.address() + ".");
	writeToken("web", _vault.createToken("web", R"("ttl":"10s")"));
	writeToken("mail", _vault.createToken("mail", R"("period":"10s")"));
	_cappedToken = _vault.createToken("build", R"("ttl":"10s","explicit_max_ttl":"26s")");
	_cappedEnd = nowMs() + 26'000;
	writeToken("build", _cappedToken);
	_setup.tell("web holds a token of 10 s, mail a periodic one; build's may not live longer than 26 s, however often "
				"it is renewed.");
	const fs::path plugin = installed(_cast.plugin, "1");
	for (const auto& issuer : everybody) {
		_plugins[issuer] = plugin;
	}
	configure();
	_setup.tell("issuer-host run --config host.json:");
	_host = std::make_unique<Host>(
		_setup, _cast.host, _directory.path() / "host.json", _directory.path() / "journal.jsonl");

	std::string page;
	_host->waitFor("the address of the status page", [&](const Events& events) {
		const auto found = std::ranges::find(events, "serving", &Event::action);
		page = found == events.end() ? "" : lastWord(found->text);
		return !page.empty();
	});
	require(statusOf(page) == 200, "the status page at " + page + " does not answer with 200");
	_setup.confirm("a status page is at " + page + " as long as this runs");
	waitForRenewals("first", everybody, 0);
	_setup.confirm("each token has been renewed at about half of its lease");
}

void Story::surviveAnOutage()
{
	_setup.title("An outage");
	_setup.tell("The server is away for " + std::to_string(outage.count()) +
				" s, longer than any token would wait for its next renewal.");
	const std::int64_t begin = nowMs();
	_vault.beginOutage(outage);
	for (const auto& issuer : everybody) {
		_host->waitFor("that " + issuer + " is retrying",
			[&](const Events& events) { return inState(events, issuer, "retrying", begin) != nullptr; });
	}
	waitForRenewals("next", everybody, begin);

	const auto requests = _vault.requests();
	const auto firstAfter = std::ranges::find_if(requests, [&](const Request& r) { return r.unixMs > begin + 500; });
	require(firstAfter != requests.end() && firstAfter->unixMs - begin > 5000, "the server was not away");
	for (const auto& issuer : everybody) {
		expectNoRefusal(issuer, nowMs());
	}
	_setup.confirm("the server answered nobody for " + inSeconds(firstAfter->unixMs - begin) +
				   "; all three tokens live, and were renewed when it was back");
}

void Story::swapOne()
{
	_setup.title("A newer plugin for one of them, while all of them run");
	_plugins["web"] = installed(_cast.nextPlugin, "2");
	configure();
	_setup.tell("web's plugin in host.json is now another file; kill -HUP:");
	const std::int64_t before = nowMs();
	_host->reload();
	_host->waitFor("that web was swapped", [&](const Events& events) {
		return std::ranges::any_of(events, [&](const Event& e) { return isHostAction(e, "swapped", "web"); });
	});
	_host->waitFor("that the reload is over", [&](const Events& events) {
		return std::ranges::any_of(events, [&](const Event& e) { return isHostAction(e, "reloaded", ""); });
	});
	waitForRenewals("first by its new plugin", {"web"}, before);
	for (const auto& event : _host->events()) {
		require(event.type != "host" || event.unixMs < before || event.issuer.empty() || event.issuer == "web" ||
					(event.action != "stopped" && event.action != "started" && event.action != "swapped"),
			"the swap of web disturbed " + event.issuer);
	}
	expectNoRefusal("web", nowMs());
	_setup.confirm("the new plugin renews web's token; the other two were not touched");
}

void Story::meetTheMaxTtl()
{
	_setup.title("A max TTL");
	_setup.tell("No renewal moves the end of build's token past its 26 s. The host says when it will die:");
	const Event* capped = nullptr;
	_host->waitFor("that build is capped", [&](const Events& events) {
		capped = inState(events, "build", "capped", 0);
		return capped != nullptr && capped->expiresUnixMs > 0;
	});
	const std::int64_t announcedAt = capped->unixMs;
	const std::int64_t forecast = capped->expiresUnixMs;
	require(_vault.accepts(_cappedToken), "build's token was dead before its max TTL");
	std::int64_t death = 0;
	_host->waitFor("that build's token is dead", [&](const Events& events) {
		const Event* dead = inState(events, "build", "expired", announcedAt);
		death = dead == nullptr ? 0 : dead->unixMs;
		return dead != nullptr;
	});
	const auto off = std::abs(_cappedEnd - forecast);
	require(off <= forecastTolerance, "build's token ends " + inSeconds(off) + " from the time that was announced");
	expectNoRefusal("build", forecast - forecastTolerance);
	require(!_vault.accepts(_cappedToken), "the host calls build's token dead, the server accepts it");
	_setup.confirm("its death was announced " + inSeconds(death - announcedAt) + " ahead, and " + inSeconds(off) +
				   " from its true hour");
}

void Story::replaceTheToken()
{
	_setup.title("A new token");
	_setup.tell("Somebody puts a new token into build's file; nothing is told to the host.");
	const std::int64_t before = nowMs();
	writeToken("build", _vault.createToken("build", R"("ttl":"10s")"));
	_host->waitFor("that build is alive again",
		[&](const Events& events) { return inState(events, "build", "active", before) != nullptr; });
	_setup.confirm("build is alive again");
}

void Story::end()
{
	_setup.title("The end");
	for (const std::string issuer : {"web", "mail"}) {
		expectNoRefusal(issuer, nowMs());
	}
	const auto requests = _vault.requests();
	const auto renewals =
		std::ranges::count_if(requests, [](const Request& r) { return r.call == "renew-self" && r.status == 200; });
	const int code = _host->stop();
	require(code == 0, "issuer-host ended with exit code " + std::to_string(code));
	_setup.confirm("the server granted " + std::to_string(renewals) +
				   " renewals and never refused web or mail; the host stopped everything and ended with 0");
}

/// Each version at a path of its own, as CONTRACT.md wants it.
fs::path Story::installed(const fs::path& plugin, const std::string& version) const
{
	const fs::path folder = _directory.path() / "plugins" / "vault" / version;
	fs::create_directories(folder);
	fs::copy_file(plugin, folder / "vault_plugin.so");
	return folder / "vault_plugin.so";
}

void Story::writeToken(const std::string& issuer, const std::string& token) const
{
	// Written beside and renamed, as everything should be that others may be reading.
	const fs::path file = _directory.path() / (issuer + ".token");
	const fs::path next = _directory.write(issuer + ".token.next", token + "\n");
	fs::permissions(next, fs::perms::owner_read | fs::perms::owner_write);
	fs::rename(next, file);
}

void Story::configure() const
{
	std::string issuers;
	for (const auto& issuer : everybody) {
		issuers += (issuers.empty() ? "" : ",") + std::string("\n  {\"name\": \"") + issuer + "\", \"plugin\": \"" +
				   _plugins.at(issuer).string() + "\",\n   \"config\": {\"address\": \"" + _vault.address() +
				   "\", \"token\": {\"file\": \"" + (_directory.path() / (issuer + ".token")).string() + "\"}}}";
	}
	const fs::path next = _directory.write("host.json.next",
		"{\"issuers\": [" + issuers + "],\n \"http\": {\"listen\": \"127.0.0.1:0\"}, \"control\": \"none\",\n" +
			" \"journal\": {\"file\": \"" + (_directory.path() / "journal.jsonl").string() + "\"}}\n");
	fs::rename(next, _directory.path() / "host.json");
}

void Story::waitForRenewals(const std::string& occasion, const std::vector<std::string>& issuers, std::int64_t since)
{
	for (const auto& issuer : issuers) {
		_host->waitFor("the " + occasion + " renewal of " + issuer, [&](const Events& events) {
			require(inState(events, issuer, "expired", since) == nullptr, "the token of " + issuer + " was lost");
			return std::ranges::any_of(events, [&](const Event& e) { return isRenewalOf(e, issuer, since); });
		});
	}
}

void Story::expectNoRefusal(const std::string& issuer, std::int64_t until) const
{
	for (const auto& request : _vault.requests()) {
		require(request.who != issuer || request.status != 403 || request.unixMs > until,
			"the server refused the token of " + issuer + ": it was lost");
	}
}

} // namespace issuer::demo
