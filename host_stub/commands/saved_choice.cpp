#include "commands/saved_choice.h"

#include "common/descriptor.h"
#include "common/text.h"

#include <Poco/JSON/Parser.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::commands {

namespace fs = std::filesystem;

namespace {

/// Walks over JSON that a parser has found to be right, and tells where things stand.
class Places
{
public:
	struct Range
	{
		std::size_t begin;
		std::size_t end;
	};

	explicit Places(std::string_view json) : _json(json) {}

	/// Calls `member` with each key of the object that begins at `at`, and where its value stands; returns its end.
	std::size_t object(std::size_t at, const std::function<void(std::string_view key, Range value)>& member)
	{
		for (at = skipped(at + 1); _json.at(at) != '}'; at = after(at)) {
			const std::size_t keyEnd = string(at);
			const std::string_view key = _json.substr(at + 1, keyEnd - at - 2);
			const std::size_t begin = skipped(skipped(keyEnd) + 1); // over the colon
			at = value(begin);
			member(key, {begin, at});
		}
		return at + 1;
	}

	/// The same for the elements of an array.
	std::size_t array(std::size_t at, const std::function<void(Range value)>& element)
	{
		for (at = skipped(at + 1); _json.at(at) != ']'; at = after(at)) {
			const std::size_t begin = at;
			at = value(begin);
			element({begin, at});
		}
		return at + 1;
	}

	[[nodiscard]] std::size_t skipped(std::size_t at) const
	{
		return std::min(_json.find_first_not_of(" \t\r\n", at), _json.size());
	}

private:
	/// Over a comma, if there is one.
	[[nodiscard]] std::size_t after(std::size_t at) const
	{
		at = skipped(at);
		return _json.at(at) == ',' ? skipped(at + 1) : at;
	}

	[[nodiscard]] std::size_t string(std::size_t at) const
	{
		for (++at; _json.at(at) != '"'; ++at) {
			at += _json.at(at) == '\\' ? 1U : 0U;
		}
		return at + 1;
	}

	std::size_t value(std::size_t at)
	{
		switch (_json.at(at)) {
		case '{':
			return object(at, [](std::string_view, Range) {});
		case '[':
			return array(at, [](Range) {});
		case '"':
			return string(at);
		}
		return std::min(_json.find_first_of(",]} \t\r\n", at), _json.size());
	}

	const std::string_view _json;
};

/// A JSON string's content.
std::string contentOf(std::string_view json)
{
	return Poco::JSON::Parser()
		.parse('[' + std::string(json) + ']')
		.extract<Poco::JSON::Array::Ptr>()
		->getElement<std::string>(0);
}

tl::unexpected<Error> cannot(const fs::path& file, const std::string& why)
{
	return failure("configuration " + file.string() + ": not saved: " + why);
}

Result<void> replaceFile(const fs::path& file, const std::string& text)
{
	struct stat status
	{
	};
	std::string next = file.string() + ".XXXXXX";
	if (::stat(file.c_str(), &status) != 0) {
		return cannot(file, std::strerror(errno));
	}
	const Descriptor descriptor(::mkostemp(next.data(), O_CLOEXEC));
	const bool written = descriptor.valid() && ::fchown(descriptor.get(), status.st_uid, status.st_gid) == 0 &&
						 ::fchmod(descriptor.get(), status.st_mode & 07777) == 0 &&
						 ::write(descriptor.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
						 ::fsync(descriptor.get()) == 0 && ::rename(next.c_str(), file.c_str()) == 0;
	if (!written) {
		const std::string why = std::strerror(errno);
		if (descriptor.valid()) {
			::unlink(next.c_str());
		}
		return cannot(file, why);
	}
	return {};
}

} // namespace

Result<std::string> withPlugin(std::string_view json, const std::string& issuer, const std::string& plugin)
try {
	Poco::JSON::Parser().parse(std::string(json)); // from here on it is known to be right
	Places places(json);
	std::optional<Places::Range> found;
	std::optional<Places::Range> sum;
	places.object(places.skipped(0), [&](std::string_view section, Places::Range list) {
		if (section != "issuers" || json[list.begin] != '[') {
			return;
		}
		places.array(list.begin, [&](Places::Range element) {
			std::string name;
			std::optional<Places::Range> its;
			std::optional<Places::Range> itsSum;
			places.object(element.begin, [&](std::string_view key, Places::Range value) {
				const std::string_view text = json.substr(value.begin, value.end - value.begin);
				name = key == "name" ? contentOf(text) : name;
				its = key == "plugin" ? value : its;
				itsSum = key == "sha256" ? value : itsSum;
			});
			if (name == issuer && its) {
				found = its;
				sum = itsSum;
			}
		});
	});
	if (!found) {
		return failure("it has no issuer " + printable(issuer));
	}
	if (sum) {
		return failure("issuer " + printable(issuer) + " pins its plugin with \"sha256\"; change both by hand");
	}
	std::string text(json);
	return text.replace(found->begin, found->end - found->begin, jsonString(plugin));
}
catch (const std::exception&) {
	return failure("it is not a configuration");
}

Result<void> savePlugin(const fs::path& config, const std::string& issuer, const std::string& plugin)
{
	std::error_code error;
	const fs::path file = fs::canonical(config, error); // what a symbolic link points to is what is written
	std::ifstream stream(file, std::ios::binary);
	std::ostringstream text;
	text << stream.rdbuf();
	if (error || !stream) {
		return cannot(config, "it cannot be read");
	}
	const Result<std::string> changed = withPlugin(text.str(), issuer, plugin);
	return changed ? replaceFile(file, *changed) : cannot(config, changed.error().text);
}

} // namespace issuer::commands
