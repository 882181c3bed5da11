// The observing part of a host, without plugins: issuers whose events come from a script on stdin, on a real port.
//
//   scripted_host [ADDRESS:PORT [CERTIFICATE KEY]]
//
// Prints its URL, then reads one JSON object a line and answers each with "ok":
//
//   {"issuer": "a", "state": "active", "result": "success", "reason": "none", "ttl_s": 3600, "next_s": 1800,
//    "attempt": 1, "latency_us": 12000, "detail": "…"}       an event; with a result it is a renewal
//   {"issuer": "a", "phase": "failed", "problem": "…"}         the host's phase of it
//   {"action": "swapped", "level": "info", "issuer": "a", "text": "…"}
//   {"crowd": 10000}                                          so many issuers more, all of them alive

#include "observe/events/names.h"
#include "observe/metrics/metrics.h"
#include "observe/web/server.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <iostream>
#include <map>
#include <mutex>

namespace {

using namespace issuer;
using namespace issuer::observe;

class Script
{
public:
	Script()
		: metrics(
			  fleet, [this] { return snapshot(); }, "0.0.0-script"),
		  site(
			  fleet, [this] { return snapshot(); }, metrics)
	{
	}

	void obey(const Poco::JSON::Object& line)
	{
		if (line.has("crowd")) {
			return crowd(line.getValue<int>("crowd"));
		}
		if (line.has("action")) {
			return notice(line);
		}
		const auto name = line.getValue<std::string>("issuer");
		fleet.admit({name});
		{
			const std::lock_guard lock(_mutex);
			IssuerStatus& status = _statuses[name];
			status.name = name;
			status.pluginId = "io.issuer.vault";
			status.pluginName = "Vault";
			status.pluginVersion = line.optValue<std::string>("version", "0.1.0");
			status.pluginPath = "/usr/lib/issuer/plugins/vault/" + status.pluginVersion + "/vault_plugin.so";
			status.phase = code<Phase>(line.optValue<std::string>("phase", "running"), phaseName);
			status.problem = line.optValue<std::string>("problem", "");
			if (line.has("next_start_s")) {
				status.nextStartUnixMs = nowMs() + seconds(line, "next_start_s", 0);
			}
		}
		if (line.has("state")) {
			event(name, line);
		}
	}

	Fleet fleet;
	Metrics metrics;
	web::Site site;

private:
	static std::int64_t nowMs() { return Fleet::systemNow().time_since_epoch().count(); }

	static std::int64_t seconds(const Poco::JSON::Object& line, const std::string& key, double otherwise)
	{
		return static_cast<std::int64_t>(line.optValue<double>(key, otherwise) * 1000);
	}

	template <class Code, class Name>
	static Code code(const std::string& word, const Name& nameOf)
	{
		constexpr int most = 100;
		for (int i = 0; i < most; ++i) {
			if (nameOf(static_cast<Code>(i)) == word) {
				return static_cast<Code>(i);
			}
		}
		throw std::runtime_error("unknown word " + word);
	}

	void event(const std::string& name, const Poco::JSON::Object& line)
	{
		const auto detail = line.optValue<std::string>("detail", "");
		issuer_event event{};
		event.struct_size = sizeof event;
		event.state = code<issuer_state>(line.getValue<std::string>("state"), stateName);
		event.result = code<issuer_result>(line.optValue<std::string>("result", "none"), resultName);
		event.kind = event.result == ISSUER_RESULT_NONE ? ISSUER_EVENT_STATE : ISSUER_EVENT_RENEWAL;
		event.reason = code<issuer_reason>(line.optValue<std::string>("reason", "none"), reasonName);
		event.attempt = line.optValue<std::uint32_t>("attempt", 1);
		event.unix_ms = nowMs() - seconds(line, "ago_s", 0);
		event.ttl_ms = line.has("ttl_s") ? seconds(line, "ttl_s", 0) : -1;
		event.expires_unix_ms = event.ttl_ms < 0 ? -1 : nowMs() + event.ttl_ms;
		event.next_unix_ms = line.has("next_s") ? nowMs() + seconds(line, "next_s", 0) : -1;
		event.latency_us = line.optValue<std::uint64_t>("latency_us", 12'000);
		event.detail = {detail.data(), detail.size()};
		fleet.event(name, event);
		metrics.event(name, event);
	}

	void notice(const Poco::JSON::Object& line)
	{
		const auto issuer = line.optValue<std::string>("issuer", "");
		const auto text = line.optValue<std::string>("text", "");
		const Notice notice{code<Action>(line.getValue<std::string>("action"), actionName),
			code<issuer_log_level>(line.optValue<std::string>("level", "info"), levelName), issuer, text};
		fleet.notice(notice);
		metrics.notice(notice);
	}

	void crowd(int count)
	{
		for (int i = 0; i < count; ++i) {
			Poco::JSON::Object line;
			line.set("issuer", "customer-" + std::to_string(10'000 + i));
			line.set("state", "active");
			line.set("result", "success");
			line.set("ttl_s", 3600 + i % 3600);
			line.set("next_s", 1800 + i % 3600);
			obey(line);
		}
	}

	std::vector<IssuerStatus> snapshot()
	{
		const std::lock_guard lock(_mutex);
		std::vector<IssuerStatus> all;
		for (const auto& [name, status] : _statuses) {
			all.push_back(status);
		}
		return all;
	}

	std::mutex _mutex;
	std::map<std::string, IssuerStatus> _statuses;
};

} // namespace

int main(int argc, char** argv)
try {
	web::Settings settings;
	settings.listen = web::parseListenAddress(argc > 1 ? argv[1] : "127.0.0.1:0").value();
	if (argc > 3) {
		settings.tls = web::TlsFiles{argv[2], argv[3], {}};
	}
	Script script;
	const auto server = web::Server::start(settings, script.site);
	if (!server) {
		std::cerr << server.error().text << '\n';
		return 1;
	}
	std::cout << (*server)->url() << std::endl;
	for (std::string line; std::getline(std::cin, line);) {
		script.obey(*Poco::JSON::Parser().parse(line).extract<Poco::JSON::Object::Ptr>());
		std::cout << "ok" << std::endl;
	}
	return 0;
}
catch (const Poco::Exception& error) {
	std::cerr << error.displayText() << '\n';
	return 1;
}
catch (const std::exception& error) {
	std::cerr << error.what() << '\n';
	return 1;
}
