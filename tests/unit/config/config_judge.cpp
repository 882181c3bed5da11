// The decoder as a program, for a test that is not written in C++.
//
//     config_judge --schema    prints the JSON Schema
//     config_judge             reads configurations, one a line, and answers each with one line: the error, or a JSON
//                              object of the settings that have defaults, as they are in force
#include "base/duration_text.h"
#include "config.h"

#include <iostream>
#include <sstream>

using namespace issuer::vault;

namespace {

std::string jsonText(std::string_view text)
{
	return '"' + std::string(text) + '"';
}

std::string octal(unsigned number)
{
	std::ostringstream text;
	text << std::oct << number;
	return text.str();
}

std::string settingsOf(const Config& config)
{
	const auto withLogin = parseConfig(
		R"({"address":"http://v","auth":{"method":"approle","role_id":{"value":"r"},"sink":{"file":"/s"}}})");
	const auto& login = *withLogin->auth;
	constexpr const char* redirects[] = {"none", "verified", "any"};
	const auto& renewal = config.renewal;
	const std::pair<const char*, std::string> settings[] = {
		{"namespace", jsonText(config.vaultNamespace)},
		{"tls.insecure_skip_verify", config.transport.tls.insecureSkipVerify ? "true" : "false"},
		{"renewal.fraction", std::to_string(renewal.fraction)},
		{"renewal.jitter", std::to_string(renewal.jitter)},
		{"renewal.min_interval", jsonText(durationText(renewal.minInterval))},
		{"renewal.request_timeout", jsonText(durationText(renewal.requestTimeout))},
		{"renewal.increment", jsonText(durationText(renewal.increment))},
		{"startup", jsonText(config.startup == Config::Startup::failFast ? "fail_fast" : "background")},
		{"startup_timeout", jsonText(durationText(config.startupTimeout))},
		{"proxy", jsonText(config.transport.proxy.empty() ? "none" : config.transport.proxy)},
		// Of an issuer that logs in, one without settings of its own:
		{"token.wrapped", "false"},
		{"auth.secret_id.wrapped", "false"},
		{"auth.secret_id.remove_after_reading", login.removeAfterReading ? "true" : "false"},
		{"auth.relogin.ahead", jsonText(login.policy.ahead ? durationText(*login.policy.ahead) : "auto")},
		{"auth.relogin.rehearse", jsonText(durationText(login.policy.rehearse))},
		{"auth.revoke_old", jsonText(login.policy.revokeOld ? durationText(*login.policy.revokeOld) : "never")},
		{"auth.revoke_on_stop", login.revokeOnStop ? "true" : "false"},
		{"auth.sink.mode", jsonText("0" + octal(login.sink->mode))},
		{"follow_redirects", jsonText(redirects[static_cast<std::size_t>(config.transport.redirects)])},
	};
	std::string object;
	for (const auto& [path, value] : settings) {
		object += (object.empty() ? "{" : ",") + jsonText(path) + ":" + value;
	}
	return object + "}";
}

} // namespace

int main(int argc, char** argv)
{
	if (argc > 1 && std::string_view(argv[1]) == "--schema") {
		std::cout << configSchema;
		return 0;
	}
	for (std::string line; std::getline(std::cin, line);) {
		const auto config = parseConfig(line);
		std::cout << (config ? settingsOf(*config) : config.error().text) << '\n';
	}
	return 0;
}
