#include "commands/saved_choice.h"

#include "commands/host_config.h"
#include "commands/json_places.h"
#include "commands/json_text.h"
#include "common/descriptor.h"
#include "common/text.h"

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

/// The text of a configuration in which the plugin of one issuer is another, and nothing else: order, spaces, comments
/// and all the rest stay as they were. None: it has no such issuer. `ownName` is given for a file that is one
/// issuer, and is its name unless it says another. The error says why it cannot be.
Result<std::optional<std::string>> withPlugin(
	std::string text, const std::string& issuer, const std::string& plugin, const std::optional<std::string>& ownName)
try {
	const std::string json = withoutComments(text); // in which all stands where it stands in the text
	JsonPlaces places(json);
	std::optional<JsonPlaces::Range> found;
	std::optional<JsonPlaces::Range> sum;
	const auto look = [&](JsonPlaces::Range element) {
		std::string name = ownName.value_or("");
		std::optional<JsonPlaces::Range> its;
		std::optional<JsonPlaces::Range> itsSum;
		places.object(element.begin, [&](const std::string& key, JsonPlaces::Range value) {
			const std::string_view content = std::string_view(json).substr(value.begin, value.end - value.begin);
			name = key == "name" ? unescaped(content) : name;
			its = key == "plugin" ? value : its;
			itsSum = key == "sha256" ? value : itsSum;
		});
		if (name == issuer && its) {
			found = its;
			sum = itsSum;
		}
	};
	const JsonPlaces::Range whole = places.document();
	if (ownName) {
		look(whole);
	}
	else {
		places.object(whole.begin, [&](const std::string& section, JsonPlaces::Range list) {
			if (section == "issuers" && json[list.begin] == '[') {
				places.array(list.begin, look);
			}
		});
	}
	if (!found) {
		return std::nullopt;
	}
	if (sum) {
		return failure("issuer " + sanitize(issuer) + " pins its plugin with \"sha256\"; change both by hand");
	}
	return text.replace(found->begin, found->end - found->begin, jsonString(plugin));
}
catch (const JsonPlaces::Malformed&) {
	return failure("it is not a configuration");
}

} // namespace

Result<void> savePlugin(const fs::path& config, const std::string& issuer, const std::string& plugin)
{
	const Result<HostConfig> loaded = loadConfig(config, Reading::lenient);
	if (!loaded) {
		return failure(loaded.error().text + "; the choice is not saved");
	}
	for (const fs::path& named : loaded->files) {
		std::error_code error;
		const fs::path file = fs::canonical(named, error); // a symbolic link stays, and its target is written
		std::ifstream stream(file, std::ios::binary);
		std::ostringstream text;
		text << stream.rdbuf();
		if (error || !stream) {
			return cannot(named, "it cannot be read");
		}
		const bool included = named != loaded->files.front();
		const auto changed =
			withPlugin(text.str(), issuer, plugin, included ? std::optional(named.stem().string()) : std::nullopt);
		if (!changed) {
			return cannot(named, changed.error().text);
		}
		if (*changed) {
			return replaceFile(file, **changed);
		}
	}
	return cannot(config, "it has no issuer " + sanitize(issuer));
}

} // namespace issuer::commands
