#include "story.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

namespace issuer::demo {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const std::vector<std::string> allIssuers{"web", "mail", "build", "sign"};
const std::vector<std::string> withShortLeases{"web", "mail", "build"}; ///< of 10 s: an outage meets each renewal
constexpr auto outage = 6s;
constexpr std::int64_t forecastTolerance = 2000; ///< milliseconds
constexpr std::int64_t signsMaxTtl = 20'000;     ///< milliseconds

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

/// Returns the first successful login of this issuer after a time; null: none yet.
const Event* loginAfter(const Events& events, const std::string& issuer, std::int64_t since)
{
	const auto found = std::ranges::find_if(events, [&](const Event& event) {
		return event.type == "event" && event.issuer == issuer && event.kind == "login" && event.result == "success" &&
			   event.unixMs > since;
	});
	return found == events.end() ? nullptr : &*found;
}

/// The first event of this issuer in that state, after a time; null: none yet.
const Event* inState(const Events& events, const std::string& issuer, const std::string& state, std::int64_t since)
{
	const auto found = std::ranges::find_if(events, [&](const Event& event) {
		return event.type == "event" && event.issuer == issuer && event.state == state && event.unixMs >= since;
	});
	return found == events.end() ? nullptr : &*found;
}

/// Returns whether this is a request that every living token may make: others are refused by policies, too, such as the
/// look-up of the uses of a secret_id.
bool isForAnyToken(const Request& request)
{
	return request.call == "renew-self" || request.call == "lookup-self";
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
	_setup.title("Four issuers, four tokens");
	_setup.tell("A fake Vault with honest leases serves at " + _vault.address() + ".");
	writeSecret("web.token", _vault.createToken("web", R"("ttl":"10s")"));
	writeSecret("mail.token", _vault.createToken("mail", R"("period":"10s")"));
	_cappedToken = _vault.createToken("build", R"("ttl":"10s","explicit_max_ttl":"26s")");
	_cappedEnd = nowMs() + 26'000;
	writeSecret("build.token", _cappedToken);
	writeAppRole();
	_setup.tell("web holds a token of 10 s, mail a periodic one; build's may not live longer than 26 s, however often "
				"it is renewed.");
	_setup.tell("sign has none: it logs in by AppRole, for tokens of 16 s, and 20 s at most. An application reads them "
				"from its "
				"sink.");
	const fs::path plugin = installed(_cast.plugin, "1");
	for (const auto& issuer : allIssuers) {
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
	_host->waitFor(
		"the first login of sign", [](const Events& events) { return loginAfter(events, "sign", 0) != nullptr; });
	_host->waitFor("a token in the sink of sign", [this](const Events&) { return !sinkText().empty(); });
	_firstOfLogin = sinkText();
	_client = std::make_unique<Client>(_vault, _directory.path() / "sign.sink");
	// Not that of sign: while it is waited for, the others would grow too old for the outage.
	waitForRenewals("first", withShortLeases, 0);
	_setup.confirm("each token of 10 s has been renewed at about half of its lease");
}

void Story::surviveAnOutage()
{
	_setup.title("An outage");
	_setup.tell("The server is away for " + std::to_string(outage.count()) +
				" s, longer than any token would wait for its next renewal.");
	const std::int64_t begin = nowMs();
	_vault.beginOutage(outage);
	for (const auto& issuer : withShortLeases) {
		_host->waitFor("that " + issuer + " is retrying",
			[&](const Events& events) { return inState(events, issuer, "retrying", begin) != nullptr; });
	}
	waitForRenewals("next", withShortLeases, begin);

	const auto requests = _vault.requests();
	const auto firstAfter = std::ranges::find_if(requests, [&](const Request& r) { return r.unixMs > begin + 500; });
	require(firstAfter != requests.end() && firstAfter->unixMs - begin > 5000, "the server was not away");
	for (const auto& issuer : allIssuers) {
		expectNoRefusal(issuer, nowMs());
	}
	_setup.confirm("the server gave no answer for " + inSeconds(firstAfter->unixMs - begin) +
				   "; all four tokens live, and those that had waited were renewed when it was back");
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
	_setup.confirm("the new plugin renews web's token; the other three were not touched");
}

void Story::meetTheMaxTtl()
{
	_setup.title("A max TTL");
	_setup.tell(
		"No renewal moves the end of build's token past its 26 s, nor that of sign's past 20 s. sign can log in; of "
		"build's the host says when it will die:");
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
	_setup.confirm("the death of build's was announced " + inSeconds(death - announcedAt) + " ahead, and " +
				   inSeconds(off) + " from its true hour");
	confirmTheLogin();
}

/// Checks that the max TTL of sign's first token has passed while it and its application went on.
void Story::confirmTheLogin()
{
	const auto requests = _vault.requests();
	const auto first = std::ranges::find(requests, "auth/approle/login", &Request::call);
	require(first != requests.end(), "the server knows of no login of sign");
	const std::int64_t end = first->unixMs + signsMaxTtl;
	require(nowMs() > end, "the max TTL of sign's first token is still to come");
	const Event* next = loginAfter(_host->events(), "sign", first->unixMs + 3000);
	require(next != nullptr && next->unixMs < end, "sign did not log in before its max TTL");
	require(sinkText() != _firstOfLogin && _vault.accepts(sinkText()), "sign's sink does not hold its next token");
	for (const auto& request : requests) {
		const bool isOfSign = request.call == "auth/approle/login" || (request.who == "sign" && isForAnyToken(request));
		require(!isOfSign || request.status == 200, "the server refused sign at " + request.call);
	}
	for (const auto* state : {"capped", "expired", "denied"}) {
		require(inState(_host->events(), "sign", state, 0) == nullptr, std::string("sign was ") + state);
	}
	require(_client->refused() == 0 && _client->served() > 100, "the application had no token for each request");
	_setup.confirm("sign logged in " + inSeconds(end - next->unixMs) + " before the end of its first token, and its " +
				   "application went over to the next: " + std::to_string(_client->served()) +
				   " requests, none refused");
}

void Story::replaceTheToken()
{
	_setup.title("A new token");
	_setup.tell("A new token is put into build's file; nothing is told to the host.");
	const std::int64_t before = nowMs();
	writeSecret("build.token", _vault.createToken("build", R"("ttl":"10s")"));
	_host->waitFor("that build is alive again",
		[&](const Events& events) { return inState(events, "build", "active", before) != nullptr; });
	_setup.confirm("build is alive again");
}

void Story::end()
{
	_setup.title("The end");
	for (const std::string issuer : {"web", "mail", "sign"}) {
		expectNoRefusal(issuer, nowMs());
	}
	require(_client->refused() == 0, "the application of sign was refused");
	_client.reset();
	const auto requests = _vault.requests();
	const auto renewals =
		std::ranges::count_if(requests, [](const Request& r) { return r.call == "renew-self" && r.status == 200; });
	require(!_vault.accepts(_firstOfLogin), "sign's first token outlived its max TTL");
	const int code = _host->stop();
	require(code == 0, "issuer-host ended with exit code " + std::to_string(code));
	_setup.confirm("the server granted " + std::to_string(renewals) +
				   " renewals and never refused web, mail or sign; the host stopped everything and ended with 0");
}

/// Each version at a path of its own, as CONTRACT.md wants it.
fs::path Story::installed(const fs::path& plugin, const std::string& version) const
{
	const fs::path folder = _directory.path() / "plugins" / "vault" / version;
	fs::create_directories(folder);
	fs::copy_file(plugin, folder / "vault_plugin.so");
	return folder / "vault_plugin.so";
}

void Story::writeSecret(const std::string& name, const std::string& text) const
{
	// Written beside and renamed, as everything should be that others may be reading.
	const fs::path next = _directory.write(name + ".next", text + "\n");
	fs::permissions(next, fs::perms::owner_read | fs::perms::owner_write);
	fs::rename(next, _directory.path() / name);
}

void Story::writeAppRole()
{
	const auto role = _vault.createAppRole(
		"sign", R"("token_ttl":"16s","token_max_ttl":")" + std::to_string(signsMaxTtl / 1000) + "s\"");
	writeSecret("sign.role-id", role.roleId);
	writeSecret("sign.secret-id", role.secretId);
}

/// Returns the token in the sink of sign; empty: it is not there yet.
std::string Story::sinkText() const
{
	std::ifstream file(_directory.path() / "sign.sink");
	std::string text;
	std::getline(file, text);
	return text;
}

/// Returns the member of an issuer's configuration that says where its token comes from.
std::string Story::credentialOf(const std::string& issuer) const
{
	const auto file = [this](const std::string& name) {
		return "{\"file\": \"" + (_directory.path() / name).string() + "\"}";
	};
	if (issuer != "sign") {
		return "\"token\": " + file(issuer + ".token");
	}
	return R"("auth": {"method": "approle", "role_id": )" + file("sign.role-id") + R"(, "secret_id": )" +
		   file("sign.secret-id") + R"(, "sink": )" + file("sign.sink") + "}";
}

void Story::configure() const
{
	std::string issuers;
	for (const auto& issuer : allIssuers) {
		issuers += (issuers.empty() ? "" : ",") + std::string("\n  {\"name\": \"") + issuer + "\", \"plugin\": \"" +
				   _plugins.at(issuer).string() + "\",\n   \"config\": {\"address\": \"" + _vault.address() + "\", " +
				   credentialOf(issuer) + "}}";
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
		require(request.who != issuer || !isForAnyToken(request) || request.status != 403 || request.unixMs > until,
			"the server refused the token of " + issuer + ": it was lost");
	}
}

} // namespace issuer::demo
