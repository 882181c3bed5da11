#include "commands/host_config.h"

#include "commands/config_reading.h"
#include "commands/exec_config.h"
#include "commands/issuer_config.h"
#include "commands/json_places.h"
#include "commands/json_text.h"
#include "common/text.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>

namespace issuer::commands {

namespace fs = std::filesystem;
using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

namespace {

observe::web::Settings httpAt(const Var& value, const fs::path& folder)
{
	const Object::Ptr object = objectAt(value, "http", {"listen", "plain_public", "tls"});
	observe::web::Settings http;
	if (object->has("listen")) {
		const auto listen = observe::web::parseListenAddress(stringAt(*object, "http", "listen"));
		http.listen = listen ? *listen : throw wrongAt("http.listen", listen.error().text);
	}
	http.plainPublic = flagAt(*object, "http", "plain_public");
	if (object->has("tls")) {
		const Object::Ptr tls = objectAt(object->get("tls"), "http.tls", {"certificate", "key", "client_ca"});
		http.tls = observe::web::TlsFiles{
			pathAt(*tls, "http.tls", "certificate", folder), pathAt(*tls, "http.tls", "key", folder), {}};
		if (tls->has("client_ca")) {
			http.tls->clientCa = pathAt(*tls, "http.tls", "client_ca", folder);
		}
	}
	if (const Result<void> may = observe::web::mayListen(http); !may) {
		throw Wrong{"http", may.error().text};
	}
	return http;
}

JournalConfig journalAt(const Var& value, const fs::path& folder)
{
	const Object::Ptr object = objectAt(value, "journal", {"file", "max_mib", "keep"});
	JournalConfig journal;
	journal.file = pathAt(*object, "journal", "file", folder);
	if (object->has("max_mib")) {
		journal.maxBytes = std::uint64_t(numberAt(*object, "journal", "max_mib", 1, 1024)) << 20;
	}
	if (object->has("keep")) {
		journal.keep = numberAt(*object, "journal", "keep", 0, 100);
	}
	return journal;
}

/// The parts that a decoder has read so far.
struct Decoding
{
	HostConfig config;
	std::set<std::string> names;
	Variables variables;

	/// Adds the faults of one file, with its `name` unless it is the configuration itself.
	void addFaults(const JsonText& text, const std::vector<Wrong>& faults, const std::string& name = {})
	{
		std::vector<std::string> paths(faults.size());
		std::ranges::transform(faults, paths.begin(), &Wrong::path);
		const std::vector<std::string> places = faults.empty() ? paths : text.placesOf(paths);
		for (std::size_t i = 0; i < faults.size(); ++i) {
			config.faults.push_back((name.empty() ? "" : name + ": ") + places[i] + ": " + faults[i].text);
		}
	}

	/// `file` is empty for the configuration itself, whose name is not known here.
	void addIssuer(registry::IssuerSpec spec, const std::string& path, const fs::path& file = {})
	{
		if (!names.insert(spec.name).second) {
			throw wrongAt(member(path, "name"), '"' + spec.name + "\" is used twice");
		}
		if (!file.empty()) {
			config.origins.emplace(spec.name, file);
		}
		config.issuers.push_back(std::move(spec));
	}

	void readIncludedFile(const fs::path& file);
	void readIncludedFolder(const fs::path& folder);
	void readIssuers(const JsonText& text, JsonPlaces::Range list, const fs::path& folder, std::vector<Wrong>& faults);
	void read(const JsonText& text, const fs::path& folder);
};

/// Parses one value of a text that is known to be right.
Var parsed(const JsonText& text, JsonPlaces::Range range)
{
	// In brackets, for a parser wants an object or a list.
	const std::string list = '[' + text.plain().substr(range.begin, range.end - range.begin) + ']';
	return Poco::JSON::Parser().parse(list).extract<Array::Ptr>()->get(0);
}

Var parsed(const JsonText& text)
{
	return parsed(text, JsonPlaces(text.plain()).document());
}

/// The members of a configuration. Its issuers may be 100,000, of which a tree would take twenty times their text: so
/// it is kept where they stand.
struct Members
{
	Object::Ptr settings; ///< all but the issuers
	std::optional<JsonPlaces::Range> issuers;
};

/// Throws Wrong.
Members membersOf(const JsonText& text)
{
	JsonPlaces places(text.plain());
	const std::size_t begin = places.document().begin;
	if (text.plain()[begin] != '{') {
		throw wrongAt("", "an object is wanted");
	}
	Members members{new Object, std::nullopt};
	places.object(begin, [&](const std::string& key, JsonPlaces::Range value) {
		if (key == "issuers") {
			members.issuers = value;
		}
		else {
			members.settings->set(key, parsed(text, value));
		}
	});
	return members;
}

/// One issuer, which has the name of its file unless it says another.
void Decoding::readIncludedFile(const fs::path& file)
{
	const Result<JsonText> text =
		contentInTime(file).and_then([](std::string read) { return JsonText::read(std::move(read)); });
	if (!text) {
		config.faults.push_back(file.string() + ": " + text.error().text);
		config.faultsPass = config.faultsPass || text.error().passes;
		return;
	}
	config.files.push_back(file);
	std::vector<Wrong> faults;
	readPart(
		faults, [&] { addIssuer(issuerAt(parsed(*text), {}, file.parent_path(), variables, file.stem()), {}, file); });
	addFaults(*text, faults, file.string());
}

void Decoding::readIncludedFolder(const fs::path& folder)
{
	const auto files = issuersInTime(folder);
	if (!files) {
		config.faultsPass = config.faultsPass || files.error().passes;
		throw wrongAt("include", files.error().text);
	}
	std::ranges::for_each(*files, [this](const fs::path& file) { readIncludedFile(file); });
}

/// Reads the list of issuers, each by itself.
void Decoding::readIssuers(
	const JsonText& text, JsonPlaces::Range list, const fs::path& folder, std::vector<Wrong>& faults)
{
	if (text.plain()[list.begin] != '[') {
		throw wrongAt("issuers", "a list is wanted");
	}
	std::size_t index = 0;
	JsonPlaces(text.plain()).array(list.begin, [&](JsonPlaces::Range element) {
		const std::string path = "issuers[" + std::to_string(index++) + "]";
		readPart(faults, [&] { addIssuer(issuerAt(parsed(text, element), path, folder, variables), path); });
	});
}

void Decoding::read(const JsonText& text, const fs::path& folder)
{
	std::vector<Wrong> faults;
	Members members;
	readPart(faults, [&] { members = membersOf(text); });
	const Object::Ptr root = members.settings;
	const auto given = [&](const char* key, const auto& read) {
		if (!root.isNull() && root->has(key)) {
			readPart(faults, read);
		}
	};
	if (!root.isNull()) {
		static_cast<void>(objectAt(root, "",
			{"issuers", "include", "environment", "stop_timeout", "swap_timeout", "control", "control_group", "http",
				"journal", "exec", "fleet"},
			&faults));
		variables = variablesAt(*root, faults);
	}
	if (members.issuers) {
		readPart(faults, [&] { readIssuers(text, *members.issuers, folder, faults); });
	}
	given("include", [&] { readIncludedFolder(pathAt(*root, "", "include", folder)); });
	given("stop_timeout", [&] { config.stopTimeout = durationAt(*root, "", "stop_timeout"); });
	given("swap_timeout", [&] { config.swapTimeout = durationAt(*root, "", "swap_timeout"); });
	given("control", [&] {
		const std::string control = stringAt(*root, "", "control");
		config.control = control == "none" ? fs::path(control) : (folder / control).lexically_normal();
	});
	given("control_group", [&] { config.controlGroup = stringAt(*root, "", "control_group"); });
	given("http", [&] { config.http = httpAt(root->get("http"), folder); });
	given("journal", [&] { config.journal = journalAt(root->get("journal"), folder); });
	given("exec", [&] { config.exec = execRules(root->get("exec")); });
	given("fleet", [&] { config.fleet = fleetAt(root->get("fleet"), folder, ownName()); });
	for (registry::IssuerSpec& issuer : config.issuers) {
		issuer.shared = issuer.shared && config.fleet;
	}
	if (config.issuers.empty() && faults.empty() && config.faults.empty()) {
		// Also where a folder is empty: it may not be mounted, which is no reason to remove every issuer.
		faults.push_back(wrongAt("issuers", "at least one issuer is wanted, here or in the folder of \"include\""));
	}
	addFaults(text, faults);
}

std::string joined(const std::vector<std::string>& lines)
{
	std::string text;
	for (const std::string& line : lines) {
		text += (text.empty() ? "" : "\n") + line;
	}
	return text;
}

} // namespace

Result<HostConfig> parseConfig(std::string json, const fs::path& folder, Reading reading)
try {
	return JsonText::read(std::move(json)).and_then([&](const JsonText& text) -> Result<HostConfig> {
		Decoding decoding;
		decoding.read(text, folder);
		HostConfig& config = decoding.config;
		if (!config.faults.empty() && (reading == Reading::strict || config.issuers.empty())) {
			return tl::unexpected(Error{joined(config.faults), config.faultsPass});
		}
		return std::move(config);
	});
}
catch (const Poco::Exception& error) {
	return failure("it is not JSON: " + sanitize(error.message()));
}

Result<HostConfig> loadConfig(const fs::path& file, Reading reading)
{
	std::error_code error;
	const fs::path path = fs::absolute(file, error);
	return contentInTime(path)
		.and_then([&](std::string text) { return parseConfig(std::move(text), path.parent_path(), reading); })
		.map([&](HostConfig config) {
			config.files.insert(config.files.begin(), path);
			return config;
		})
		.map_error([&](Error wrong) {
			const std::string place = "configuration " + file.string() + ": ";
			for (std::size_t at = wrong.text.find('\n'); at != std::string::npos; at = wrong.text.find('\n', at + 1)) {
				wrong.text.insert(at + 1, place);
			}
			wrong.text.insert(0, place);
			return wrong;
		});
}

} // namespace issuer::commands
