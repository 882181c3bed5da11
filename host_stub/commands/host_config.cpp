#include "commands/host_config.h"

#include "commands/exec_config.h"
#include "commands/json_text.h"
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
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <initializer_list>
#include <map>
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
	std::string path; ///< of the value: where it stands is told, too
	std::string text;
};

Wrong wrongAt(const std::string& path, const std::string& text)
{
	return {path, path.empty() ? "the configuration: " + text : path + ": " + text};
}

std::string member(const std::string& path, const std::string& key)
{
	return path.empty() ? key : path + '.' + key;
}

/// Where `faults` is given, an unknown key is one of them, and no more.
Object::Ptr objectAt(const Var& value, const std::string& path, std::initializer_list<std::string_view> keys,
	std::vector<Wrong>* faults = nullptr)
{
	if (value.type() != typeid(Object::Ptr)) {
		throw wrongAt(path, "an object is wanted");
	}
	const auto object = value.extract<Object::Ptr>();
	for (const auto& [key, ignored] : *object) {
		if (std::ranges::find(keys, key) == keys.end()) {
			const Wrong wrong = wrongAt(member(path, sanitize(key)), "there is no such key");
			if (faults == nullptr) {
				throw wrong;
			}
			faults->push_back(wrong);
		}
	}
	return object;
}

std::string stringAt(const Object& object, const std::string& path, const std::string& key)
{
	const Var value = object.get(key);
	if (value.isEmpty()) {
		throw wrongAt(member(path, key), "it is missing");
	}
	if (!value.isString() || value.extract<std::string>().empty()) {
		throw wrongAt(member(path, key), "a string is wanted");
	}
	return value.extract<std::string>();
}

std::string sha256At(const Object& object, const std::string& path)
{
	std::string sum = stringAt(object, path, "sha256");
	std::ranges::transform(sum, sum.begin(),
		[](char digit) { return digit >= 'A' && digit <= 'F' ? static_cast<char>(digit - 'A' + 'a') : digit; });
	if (sum.size() != 64 || sum.find_first_not_of("0123456789abcdef") != std::string::npos) {
		throw wrongAt(member(path, "sha256"), "64 hexadecimal digits are wanted, as sha256sum prints them");
	}
	return sum;
}

/// Checks an issuer's name. It appears in logs, labels and on a page, and is typed by operators: invisible characters
/// are refused.
void checkName(const std::string& name, const std::string& path)
{
	constexpr std::size_t longest = 128;
	if (sanitize(name) != name) {
		throw wrongAt(path, "a name has no control characters");
	}
	if (name.size() > longest) {
		throw wrongAt(path, "a name has at most " + std::to_string(longest) + " bytes");
	}
	if (!isVisible(name) || name.front() == ' ' || name.back() == ' ') {
		throw wrongAt(path, "a name has no invisible characters, and no space at its ends");
	}
}

/// The environment variables that "environment" names, and their values.
using Variables = std::map<std::string, std::string>;

/// `text` with each ${NAME} of `variables` replaced, and every other left as it is.
std::string expanded(std::string_view text, const Variables& variables)
{
	std::string result;
	for (std::size_t at = 0; at < text.size();) {
		const std::size_t end = text.substr(at).starts_with("${") ? text.find('}', at) : std::string_view::npos;
		const auto found = end == std::string_view::npos
							   ? variables.end()
							   : variables.find(std::string(text.substr(at + 2, end - at - 2)));
		if (found == variables.end()) {
			result += text[at++];
			continue;
		}
		result += found->second;
		at = end + 1;
	}
	return result;
}

/// The same in every string inside `value`.
Var expandedInside(const Var& value, const Variables& variables)
{
	if (value.type() == typeid(Object::Ptr)) {
		auto object = value.extract<Object::Ptr>();
		for (const std::string& key : object->getNames()) {
			object->set(key, expandedInside(object->get(key), variables));
		}
	}
	else if (value.type() == typeid(Array::Ptr)) {
		auto array = value.extract<Array::Ptr>();
		for (unsigned i = 0; i < array->size(); ++i) {
			array->set(i, expandedInside(array->get(i), variables));
		}
	}
	else if (value.isString()) {
		return expanded(value.extract<std::string>(), variables);
	}
	return value;
}

/// `itsName`, if not empty, is that of an issuer that does not say it.
registry::IssuerSpec issuerAt(const Var& value, const std::string& path, const fs::path& folder,
	const Variables& variables, const std::string& itsName = {})
{
	const Object::Ptr object = objectAt(value, path, {"name", "plugin", "sha256", "config"});
	registry::IssuerSpec spec;
	spec.name = itsName.empty() || object->has("name") ? stringAt(*object, path, "name") : itsName;
	checkName(spec.name, member(path, "name"));
	spec.plugin = loader::pluginNamed(stringAt(*object, path, "plugin"), folder);
	if (object->has("sha256")) {
		spec.plugin.sha256 = sha256At(*object, path);
	}
	const Object::Ptr config = object->getObject("config");
	if (config.isNull()) {
		throw wrongAt(member(path, "config"), object->has("config") ? "an object is wanted" : "it is missing");
	}
	if (!variables.empty()) {
		expandedInside(config, variables);
	}
	std::ostringstream text; // in the order of the keys, so that equal configurations have equal texts
	config->stringify(text);
	spec.config = text.str();
	return spec;
}

Variables variablesAt(const Object& root, std::vector<Wrong>& faults)
{
	Variables variables;
	const Array::Ptr names = root.getArray("environment");
	if (names.isNull()) {
		if (root.has("environment")) {
			faults.push_back(wrongAt("environment", "a list of names is wanted"));
		}
		return variables;
	}
	for (unsigned i = 0; i < names->size(); ++i) {
		const std::string path = "environment[" + std::to_string(i) + "]";
		const Var name = names->get(i);
		const char* const value = name.isString() ? std::getenv(name.extract<std::string>().c_str()) : nullptr;
		if (value == nullptr) {
			faults.push_back(
				wrongAt(path, name.isString() ? "there is no such environment variable" : "a string is wanted"));
			continue;
		}
		variables.emplace(name.extract<std::string>(), value);
	}
	return variables;
}

std::chrono::milliseconds durationAt(const Object& object, const std::string& key)
{
	const Var value = object.get(key);
	const Result<std::chrono::milliseconds> duration = value.isBoolean() || !(value.isString() || value.isNumeric())
														   ? failure("a duration such as \"10s\" is wanted")
														   : parseDuration(value.toString());
	if (!duration) {
		throw wrongAt(key, duration.error().text);
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
		throw wrongAt(member(path, key), "true or false is wanted");
	}
	return !value.isEmpty() && value.convert<bool>();
}

unsigned numberAt(const Object& object, const std::string& path, const std::string& key, unsigned least, unsigned most)
{
	const Var value = object.get(key);
	const std::string wanted = "a number from " + std::to_string(least) + " to " + std::to_string(most) + " is wanted";
	if (!value.isInteger() || value.isBoolean() || value.convert<double>() < least || value.convert<double>() > most) {
		throw wrongAt(member(path, key), wanted);
	}
	return value.convert<unsigned>();
}

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

/// Reads one part. An error in it becomes a fault, and the rest is read.
template <class Read>
void part(std::vector<Wrong>& faults, const Read& read)
{
	try {
		read();
	}
	catch (const Wrong& wrong) {
		faults.push_back(wrong);
	}
}

/// Why a file could not be read, and whether it may be another time.
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

/// Has `read` called where it can be left behind: file systems may hang, and writers of pipes never come. Ten seconds
/// are for one file, for a folder may have thousands.
template <class T>
Result<T> inTime(std::function<Result<T>()> read)
{
	constexpr std::chrono::seconds longest{10};
	static const std::shared_ptr<registry::Calls> calls = registry::Calls::make();
	const auto answer = std::make_shared<Result<T>>();
	const bool answered =
		calls->run([read = std::move(read), answer] { *answer = read(); }, registry::Calls::Clock::now() + longest);
	return answered ? std::move(*answer)
					: passingFailure("it cannot be read: neither its file system nor a writer has answered for 10 s");
}

Result<std::string> contentInTime(const fs::path& file)
{
	return inTime<std::string>([file] { return contentOf(file); });
}

/// The files of a folder that are issuers, by name.
Result<std::vector<fs::path>> issuersIn(const fs::path& folder)
{
	std::error_code error;
	std::vector<fs::path> files;
	for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
		const fs::path& file = entry->path();
		if (file.extension() == ".json" && !file.filename().string().starts_with('.')) {
			files.push_back(file);
		}
	}
	std::ranges::sort(files);
	return error ? failure(folder.string() + " cannot be read: " + error.message())
				 : Result<std::vector<fs::path>>(std::move(files));
}

/// The parts that a decoder has read so far.
struct Decoding
{
	HostConfig config;
	std::set<std::string> names;
	Variables variables;

	/// Adds what was wrong in one file, `name` if it is not the configuration itself.
	void addFaults(const JsonText& text, const std::vector<Wrong>& faults, const std::string& name = {})
	{
		for (const Wrong& wrong : faults) {
			config.faults.push_back((name.empty() ? "" : name + ": ") + text.placeOf(wrong.path) + ": " + wrong.text);
		}
	}

	void addIssuer(registry::IssuerSpec spec, const std::string& path)
	{
		if (!names.insert(spec.name).second) {
			throw wrongAt(member(path, "name"), '"' + spec.name + "\" is used twice");
		}
		config.issuers.push_back(std::move(spec));
	}

	void readIncludedFile(const fs::path& file);
	void readIncludedFolder(const fs::path& folder);
	void read(const JsonText& text, const fs::path& folder);
};

Var parsed(const JsonText& text)
{
	return Poco::JSON::Parser().parse(text.plain());
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
	part(faults, [&] { addIssuer(issuerAt(parsed(*text), {}, file.parent_path(), variables, file.stem()), {}); });
	addFaults(*text, faults, file.string());
}

void Decoding::readIncludedFolder(const fs::path& folder)
{
	const auto files = inTime<std::vector<fs::path>>([folder] { return issuersIn(folder); });
	if (!files) {
		config.faultsPass = config.faultsPass || files.error().passes;
		throw wrongAt("include", files.error().text);
	}
	std::ranges::for_each(*files, [this](const fs::path& file) { readIncludedFile(file); });
}

void Decoding::read(const JsonText& text, const fs::path& folder)
{
	std::vector<Wrong> faults;
	Object::Ptr root;
	part(faults, [&] {
		root = objectAt(parsed(text), "",
			{"issuers", "include", "environment", "stop_timeout", "swap_timeout", "control", "control_group", "http",
				"journal", "exec"},
			&faults);
	});
	const auto given = [&](const char* key, const auto& read) {
		if (!root.isNull() && root->has(key)) {
			part(faults, read);
		}
	};
	if (!root.isNull()) {
		variables = variablesAt(*root, faults);
	}
	given("issuers", [&] {
		const Array::Ptr issuers = root->getArray("issuers");
		if (issuers.isNull()) {
			throw wrongAt("issuers", "a list is wanted");
		}
		for (unsigned i = 0; i < issuers->size(); ++i) {
			const std::string path = "issuers[" + std::to_string(i) + "]";
			part(faults, [&] { addIssuer(issuerAt(issuers->get(i), path, folder, variables), path); });
		}
	});
	given("include", [&] { readIncludedFolder(pathAt(*root, "", "include", folder)); });
	given("stop_timeout", [&] { config.stopTimeout = durationAt(*root, "stop_timeout"); });
	given("swap_timeout", [&] { config.swapTimeout = durationAt(*root, "swap_timeout"); });
	given("control", [&] {
		const std::string control = stringAt(*root, "", "control");
		config.control = control == "none" ? fs::path(control) : (folder / control).lexically_normal();
	});
	given("control_group", [&] { config.controlGroup = stringAt(*root, "", "control_group"); });
	given("http", [&] { config.http = httpAt(root->get("http"), folder); });
	given("journal", [&] { config.journal = journalAt(root->get("journal"), folder); });
	given("exec", [&] {
		auto rules = execRules(root->get("exec"));
		config.exec = rules ? std::move(*rules) : throw Wrong{"exec", rules.error().text};
	});
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
