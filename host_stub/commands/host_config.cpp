#include "commands/host_config.h"

#include "commands/json_places.h"
#include "common/descriptor.h"
#include "common/duration.h"
#include "common/text.h"
#include "loader/installed.h"
#include "registry/calls.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>
#include <set>
#include <sstream>
#include <unistd.h>

namespace issuer::commands {

namespace fs = std::filesystem;
using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

namespace {

/// An error in a configuration, thrown inside the decoder; parseConfig() turns it into a value.
struct Wrong
{
	std::string text;
};

/// Checks an object and its keys. If `faults` is given, an unknown key is added to it instead of being an error.
Object::Ptr objectAt(const Var& value, const std::string& path, std::initializer_list<std::string_view> keys,
	std::vector<std::string>* faults = nullptr)
{
	if (value.type() != typeid(Object::Ptr)) {
		throw Wrong{path + ": an object is wanted"};
	}
	const auto object = value.extract<Object::Ptr>();
	for (const auto& [key, ignored] : *object) {
		if (std::ranges::find(keys, key) == keys.end()) {
			const std::string text = path + "." + printable(key) + ": there is no such key";
			if (faults == nullptr) {
				throw Wrong{text};
			}
			faults->push_back(text);
		}
	}
	return object;
}

std::string stringAt(const Object& object, const std::string& path, const std::string& key)
{
	const Var value = object.get(key);
	if (value.isEmpty()) {
		throw Wrong{path + "." + key + ": it is missing"};
	}
	if (!value.isString() || value.extract<std::string>().empty()) {
		throw Wrong{path + "." + key + ": a string is wanted"};
	}
	return value.extract<std::string>();
}

std::string sha256At(const Object& object, const std::string& path)
{
	std::string sum = stringAt(object, path, "sha256");
	std::ranges::transform(sum, sum.begin(),
		[](char digit) { return digit >= 'A' && digit <= 'F' ? static_cast<char>(digit - 'A' + 'a') : digit; });
	if (sum.size() != 64 || sum.find_first_not_of("0123456789abcdef") != std::string::npos) {
		throw Wrong{path + ".sha256: 64 hexadecimal digits are wanted, as sha256sum prints them"};
	}
	return sum;
}

/// Checks an issuer's name. It appears in logs, labels and on a page, and is typed by operators: invisible characters
/// are refused.
void checkName(const std::string& name, const std::string& path)
{
	constexpr std::size_t longest = 128;
	if (printable(name) != name) {
		throw Wrong{path + ".name: a name has no control characters"};
	}
	if (name.size() > longest) {
		throw Wrong{path + ".name: a name has at most " + std::to_string(longest) + " bytes"};
	}
	// Soft hyphen; zero-width and direction marks of U+200B to U+200F, U+202A to U+202E, U+2060 to U+206F; U+FEFF.
	for (std::size_t i = 0; i < name.size(); ++i) {
		const std::string_view rest = std::string_view(name).substr(i);
		const auto third = rest.size() > 2 ? static_cast<unsigned char>(rest[2]) : 0;
		const bool invisible =
			rest.starts_with("\xC2\xAD") || rest.starts_with("\xEF\xBB\xBF") ||
			(rest.starts_with("\xE2\x80") && ((third >= 0x8B && third <= 0x8F) || (third >= 0xAA && third <= 0xAE))) ||
			(rest.starts_with("\xE2\x81") && third >= 0xA0 && third <= 0xAF);
		if (invisible || name.front() == ' ' || name.back() == ' ') {
			throw Wrong{path + ".name: a name has no invisible characters, and no space at its ends"};
		}
	}
}

registry::IssuerSpec issuerAt(const Var& value, const std::string& path, const fs::path& folder)
{
	const Object::Ptr object = objectAt(value, path, {"name", "plugin", "sha256", "config"});
	registry::IssuerSpec spec;
	spec.name = stringAt(*object, path, "name");
	checkName(spec.name, path);
	spec.plugin = loader::pluginNamed(stringAt(*object, path, "plugin"), folder);
	if (object->has("sha256")) {
		spec.plugin.sha256 = sha256At(*object, path);
	}
	const Object::Ptr config = object->getObject("config");
	if (config.isNull()) {
		throw Wrong{path + ".config: " + (object->has("config") ? "an object is wanted" : "it is missing")};
	}
	std::ostringstream text; // in the order of the keys, so that equal configurations have equal texts
	config->stringify(text);
	spec.config = text.str();
	return spec;
}

std::chrono::milliseconds durationAt(const Object& object, const std::string& key)
{
	const Var value = object.get(key);
	const Result<std::chrono::milliseconds> duration = value.isBoolean() || !(value.isString() || value.isNumeric())
														   ? failure("a duration such as \"10s\" is wanted")
														   : parseDuration(value.toString());
	if (!duration) {
		throw Wrong{key + ": " + duration.error().text};
	}
	return *duration;
}

fs::path pathAt(const Object& object, const std::string& path, const std::string& key, const fs::path& folder)
{
	return (folder / stringAt(object, path, key)).lexically_normal();
}

bool flagAt(const Object& object, const std::string& path, const std::string& key)
{
	const Var value = object.get(key);
	if (!value.isEmpty() && !value.isBoolean()) {
		throw Wrong{path + "." + key + ": true or false is wanted"};
	}
	return !value.isEmpty() && value.convert<bool>();
}

unsigned numberAt(const Object& object, const std::string& path, const std::string& key, unsigned least, unsigned most)
{
	const Var value = object.get(key);
	const std::string wanted = "a number from " + std::to_string(least) + " to " + std::to_string(most) + " is wanted";
	if (!value.isInteger() || value.isBoolean() || value.convert<double>() < least || value.convert<double>() > most) {
		throw Wrong{path + "." + key + ": " + wanted};
	}
	return value.convert<unsigned>();
}

observe::web::Settings httpAt(const Var& value, const fs::path& folder)
{
	const Object::Ptr object = objectAt(value, "http", {"listen", "plain_public", "tls"});
	observe::web::Settings http;
	if (object->has("listen")) {
		const auto listen = observe::web::parseListenAddress(stringAt(*object, "http", "listen"));
		http.listen = listen ? *listen : throw Wrong{"http.listen: " + listen.error().text};
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
		throw Wrong{may.error().text};
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

/// Reads one part. An error in it becomes a fault, and the rest is read.
template <class Read>
void part(std::vector<std::string>& faults, const Read& read)
{
	try {
		read();
	}
	catch (const Wrong& wrong) {
		faults.push_back(wrong.text);
	}
}

HostConfig decode(const Var& json, const fs::path& folder)
{
	HostConfig config;
	const auto root = objectAt(json, "the configuration",
		{"issuers", "stop_timeout", "swap_timeout", "control", "http", "journal"}, &config.faults);
	const Array::Ptr issuers = root->getArray("issuers");
	if (issuers.isNull() || issuers->empty()) {
		config.faults.emplace_back("issuers: a list with at least one issuer is wanted");
		return config;
	}
	std::set<std::string> names;
	for (std::size_t i = 0; i < issuers->size(); ++i) {
		const std::string path = "issuers[" + std::to_string(i) + "]";
		part(config.faults, [&] {
			registry::IssuerSpec spec = issuerAt(issuers->get(static_cast<unsigned>(i)), path, folder);
			if (!names.insert(spec.name).second) {
				throw Wrong{path + ".name: \"" + spec.name + "\" is used twice"};
			}
			config.issuers.push_back(std::move(spec));
		});
	}
	const auto given = [&](const char* key, const auto& read) {
		if (root->has(key)) {
			part(config.faults, read);
		}
	};
	given("stop_timeout", [&] { config.stopTimeout = durationAt(*root, "stop_timeout"); });
	given("swap_timeout", [&] { config.swapTimeout = durationAt(*root, "swap_timeout"); });
	given("control", [&] {
		const std::string control = stringAt(*root, "the configuration", "control");
		config.control = control == "none" ? fs::path(control) : (folder / control).lexically_normal();
	});
	given("http", [&] { config.http = httpAt(root->get("http"), folder); });
	given("journal", [&] { config.journal = journalAt(root->get("journal"), folder); });
	return config;
}

/// Returns line and column of the byte at `at`, as editors count them.
std::string lineAndColumn(std::string_view json, std::size_t at)
{
	const std::string_view before = json.substr(0, at);
	const std::size_t begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
	return "line " + std::to_string(std::ranges::count(before, '\n') + 1) + ", column " +
		   std::to_string(at - begin + 1);
}

/// Refuses an object with two members of one name: a parser would silently keep the last.
void refuseDuplicates(std::string_view json, std::size_t at)
{
	JsonPlaces places(json);
	if (json[at] == '{') {
		std::set<std::string_view> keys;
		places.object(at, [&](std::string_view key, JsonPlaces::Range value) {
			if (!keys.insert(key).second) {
				throw Wrong{lineAndColumn(json, value.begin) + ": \"" + printable(key) + "\" is there twice"};
			}
			refuseDuplicates(json, value.begin);
		});
	}
	else if (json[at] == '[') {
		places.array(at, [&](JsonPlaces::Range element) { refuseDuplicates(json, element.begin); });
	}
}

std::string joined(const std::vector<std::string>& lines)
{
	std::string text;
	for (const std::string& line : lines) {
		text += (text.empty() ? "" : "\n") + line;
	}
	return text;
}

/// Returns why a file could not be read, and whether another try may succeed.
tl::unexpected<Error> readingFailed(int error)
{
	static const std::set<int> passing{EIO, ETIMEDOUT, ESTALE, EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR, EHOSTDOWN,
		EHOSTUNREACH, ENOTCONN, ENXIO, ENOLINK, EREMOTEIO};
	const std::string text = error == ENOENT   ? "there is no such file"
							 : error == EISDIR ? "it cannot be read: it is a directory"
											   : std::string("it cannot be read: ") + std::strerror(error);
	return passing.contains(error) ? passingFailure(text) : failure(text);
}

/// Reads a file. May block for as long as its file system does, or for as long as a pipe has a writer.
Result<std::string> contentOf(const fs::path& file)
{
	constexpr std::size_t longest = std::size_t{256} << 20;
	const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
	if (!descriptor.valid()) {
		return readingFailed(errno);
	}
	std::string text;
	std::array<char, 65536> block;
	for (;;) {
		const ssize_t count = ::read(descriptor.get(), block.data(), block.size());
		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count < 0) {
			return readingFailed(errno);
		}
		if (count == 0) {
			return text;
		}
		text.append(block.data(), static_cast<std::size_t>(count));
		if (text.size() > longest) {
			return failure("it is larger than 256 MiB");
		}
	}
}

Result<std::string> contentInTime(const fs::path& file)
{
	constexpr std::chrono::seconds longest{10};
	const auto content = std::make_shared<Result<std::string>>();
	const bool answered = registry::Calls::make()->run(
		[file, content] { *content = contentOf(file); }, registry::Calls::Clock::now() + longest);
	return answered ? std::move(*content)
					: passingFailure("it cannot be read: neither its file system nor a writer has answered for 10 s");
}

} // namespace

Result<HostConfig> parseConfig(std::string_view json, const fs::path& folder, Reading reading)
try {
	constexpr std::size_t deepest = 64;
	Poco::JSON::Parser parser;
	parser.setDepth(deepest);
	const Var parsed = parser.parse(std::string(json));
	refuseDuplicates(json, JsonPlaces(json).skipped(0));
	HostConfig config = decode(parsed, folder);
	if (!config.faults.empty() && (reading == Reading::strict || config.issuers.empty())) {
		return failure(joined(config.faults));
	}
	return config;
}
catch (const Wrong& wrong) {
	return failure(wrong.text);
}
catch (const Poco::Exception& error) {
	return failure("it is not JSON: " + printable(error.message()));
}

Result<HostConfig> loadConfig(const fs::path& file, Reading reading)
{
	std::error_code error;
	const fs::path path = fs::absolute(file, error);
	return contentInTime(path)
		.and_then([&](const std::string& text) { return parseConfig(text, path.parent_path(), reading); })
		.map_error([&](Error wrong) {
			wrong.text.insert(0, "configuration " + file.string() + ": ");
			return wrong;
		});
}

} // namespace issuer::commands
