#include "commands/saved_choice.h"

#include "commands/json_places.h"
#include "common/descriptor.h"
#include "common/text.h"

#include <Poco/JSON/Parser.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::commands {

namespace fs = std::filesystem;

namespace {

/// Returns the content of a JSON string.
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
	Poco::JSON::Parser().parse(std::string(json)); // the positions below rely on valid JSON
	JsonPlaces places(json);
	std::optional<JsonPlaces::Range> found;
	std::optional<JsonPlaces::Range> sum;
	places.object(places.skipped(0), [&](std::string_view section, JsonPlaces::Range list) {
		if (section != "issuers" || json[list.begin] != '[') {
			return;
		}
		places.array(list.begin, [&](JsonPlaces::Range element) {
			std::string name;
			std::optional<JsonPlaces::Range> its;
			std::optional<JsonPlaces::Range> itsSum;
			places.object(element.begin, [&](std::string_view key, JsonPlaces::Range value) {
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
	const fs::path file = fs::canonical(config, error); // a symbolic link stays, and its target is written
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
