#include "commands/commands.h"

#include "commands/exit_codes.h"
#include "common/child_process.h"
#include "common/result.h"
#include "common/text.h"
#include "conformance/runner.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <optional>
#include <sstream>

namespace issuer::commands {

namespace fs = std::filesystem;
using conformance::Check;
using conformance::CheckResult;
using conformance::Grade;

namespace {

/// `issuer-host validate PLUGIN`: checks a plugin against the promises of the contract, one by one.
class Validate final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "validate"; }
	[[nodiscard]] std::string_view summary() const override { return "check that a plugin keeps the contract"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	int list() const;

	std::optional<std::filesystem::path> _config;
	std::string _only;
	bool _json = false;
	bool _list = false;
};

/// One check in a process of its own, for Validate alone: `issuer-host validate-check NAME PLUGIN [configured]`, with
/// the configuration on its standard input.
class ValidateCheck final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "validate-check"; }
	[[nodiscard]] std::string_view summary() const override { return {}; } // internal
	[[nodiscard]] std::string_view help() const override { return "For `issuer-host validate`.\n"; }
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;
};

constexpr std::size_t mostFailures = 60; // highest number of failures in the exit code; 64 and up have other meanings

void printLine(const CheckResult& result)
{
	const bool passed = result.outcome.grade == Grade::pass;
	std::cout << conformance::gradeName(result.outcome.grade) << "  " << std::left << std::setw(33)
			  << result.check->name << (passed ? result.check->sentence : sanitize(result.outcome.text)) << std::endl;
}

std::string jsonOf(const CheckResult& result)
{
	return "{\"name\":" + jsonString(result.check->name) + ",\"sentence\":" + jsonString(result.check->sentence) +
		   ",\"verdict\":" + jsonString(conformance::gradeName(result.outcome.grade)) +
		   ",\"text\":" + jsonString(result.outcome.text) + '}';
}

std::string jsonOf(const fs::path& plugin, const std::vector<CheckResult>& results)
{
	std::string checks;
	for (const CheckResult& result : results) {
		checks += (checks.empty() ? "" : ",") + jsonOf(result);
	}
	return "{\"plugin\":" + jsonString(plugin.string()) + ",\"checks\":[" + checks + "]}";
}

std::string summaryOf(const std::vector<CheckResult>& results)
{
	std::string text;
	for (const Grade grade : {Grade::pass, Grade::warn, Grade::skip, Grade::fail}) {
		const auto count = std::ranges::count(results, grade, [](const CheckResult& r) { return r.outcome.grade; });
		text += (text.empty() ? "" : ", ") + std::to_string(count) + ' ' + conformance::gradeName(grade);
	}
	return text;
}

Result<std::string> readConfig(const fs::path& file)
{
	std::ifstream stream(file, std::ios::binary);
	std::ostringstream text;
	text << stream.rdbuf();
	if (!stream) {
		return failure("configuration " + file.string() + " cannot be read");
	}
	return text.str();
}

} // namespace

std::string_view Validate::help() const
{
	return "Usage: issuer-host validate PLUGIN [--config FILE] [--only NAME] [--json] | --list\n"
		   "\n"
		   "Asks a plugin for every promise of the contract that can be asked for, each in a process of its own: a\n"
		   "plugin that crashes or hangs fails that check and no other. For authors of plugins, and before a new\n"
		   "version goes to production.\n"
		   "\n"
		   "FILE is a configuration the plugin can start with, as JSON: what a host's configuration has under\n"
		   "\"config\". Without one the plugin is given {}; if it refuses that, what needs an instance is skipped.\n"
		   "\n"
		   "  pass  it keeps the promise          warn  allowed, and not wise\n"
		   "  fail  it does not; the text says how  skip  could not be asked; the text says why\n"
		   "\n"
		   "Examples:\n"
		   "  issuer-host validate ./vault_plugin.so --config vault.json\n"
		   "  issuer-host validate ./vault_plugin.so --config vault.json --only unloads\n"
		   "\n"
		   "Exit code: how many checks have failed, 0 for none; 64 wrong usage; 78 FILE cannot be read.\n";
}

void Validate::defineOptions(Poco::Util::OptionSet& options) const
{
	using Poco::Util::Option;
	options.addOption(Option("config", "c", "a configuration the plugin can start with").argument("FILE"));
	options.addOption(Option("only", "", "one check alone").argument("NAME"));
	options.addOption(Option("json", "", "one JSON object, for programs"));
	options.addOption(Option("list", "", "show the checks, run none"));
}

bool Validate::setOption(const std::string& name, std::string& value)
{
	if (name == "config") {
		_config = fs::absolute(value);
	}
	else if (name == "only") {
		_only = value;
	}
	_json = _json || name == "json";
	_list = _list || name == "list";
	return true;
}

int Validate::list() const
{
	for (const Check& check : conformance::allChecks()) {
		std::cout << std::left << std::setw(33) << check.name << check.sentence << '\n';
	}
	return exitOk;
}

int Validate::run(const std::vector<std::string>& arguments)
{
	if (_list) {
		return list();
	}
	if (arguments.size() != 1) {
		return usageError("validate takes one plugin", name());
	}
	const Result<std::string> config = _config ? readConfig(*_config) : Result<std::string>();
	if (!config) {
		std::cerr << "issuer-host: " << config.error().text << '\n';
		return exitConfig;
	}
	const fs::path plugin = fs::absolute(arguments.front()).lexically_normal();
	const auto runOne = [&](const Check& check) {
		std::vector<std::string> child{"validate-check", check.name, plugin};
		if (_config) {
			child.emplace_back("configured");
		}
		return conformance::runInChild(std::move(child), *config);
	};
	const auto onResult = [&](const CheckResult& result) {
		if (!_json) {
			printLine(result);
		}
	};
	const auto results = conformance::runChecks(conformance::allChecks(), _only, runOne, onResult);
	if (results.empty()) {
		return usageError("there is no check \"" + _only + "\"", name());
	}
	std::cout << (_json ? jsonOf(plugin, results) : summaryOf(results)) << '\n';
	const auto failed =
		std::ranges::count(results, Grade::fail, [](const CheckResult& result) { return result.outcome.grade; });
	return static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(failed), mostFailures));
}

int ValidateCheck::run(const std::vector<std::string>& arguments)
{
	beChild();
	const auto checks = conformance::allChecks();
	const auto check = std::ranges::find_if(
		checks, [&](const Check& candidate) { return !arguments.empty() && arguments[0] == candidate.name; });
	if (check == checks.end() || arguments.size() < 2) {
		return usageError("validate-check takes a check, a plugin and perhaps a configuration");
	}
	conformance::Subject subject{arguments[1], std::nullopt};
	if (arguments.size() > 2) {
		subject.config.emplace(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
	}
	conformance::reportOutcome(conformance::perform(*check, subject));
	return exitOk;
}

std::unique_ptr<Command> makeValidate()
{
	return std::make_unique<Validate>();
}

std::unique_ptr<Command> makeValidateCheck()
{
	return std::make_unique<ValidateCheck>();
}

} // namespace issuer::commands
