#include "conformance/process_view.h"

#include <charconv>
#include <fstream>
#include <unistd.h>

namespace issuer::conformance {

namespace fs = std::filesystem;

namespace {

/// Returns the value of a line «Key:\tvalue» of a status file; empty: there is no such line.
std::string statusValue(const fs::path& file, const std::string& key)
{
	std::ifstream status(file);
	for (std::string line; std::getline(status, line);) {
		if (line.starts_with(key + ":")) {
			return line.substr(line.find_first_not_of(" \t", key.size() + 1));
		}
	}
	return {};
}

} // namespace

std::set<pid_t> threads()
{
	std::set<pid_t> found;
	for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/task")) {
		found.insert(static_cast<pid_t>(std::stol(entry.path().filename())));
	}
	return found;
}

std::map<int, std::string> openFiles()
{
	std::map<int, std::string> found;
	// To leave out the iterator's own descriptor.
	const std::string itself = "/proc/" + std::to_string(::getpid()) + "/fd";
	for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/fd")) {
		std::error_code none;
		const std::string target = fs::read_symlink(entry.path(), none);
		if (target != itself) {
			found.emplace(std::stoi(entry.path().filename()), target);
		}
	}
	return found;
}

bool isInMaps(const fs::path& file)
{
	const std::string end = ' ' + fs::canonical(file).string();
	std::ifstream maps("/proc/self/maps");
	for (std::string line; std::getline(maps, line);) {
		if (line.ends_with(end)) {
			return true;
		}
	}
	return false;
}

std::int64_t residentKib()
{
	const std::string value = statusValue("/proc/self/status", "VmRSS");
	return value.empty() ? 0 : std::stoll(value);
}

std::uint64_t blockedSignals(pid_t thread)
{
	const std::string value = statusValue("/proc/self/task/" + std::to_string(thread) + "/status", "SigBlk");
	std::uint64_t blocked = 0;
	std::from_chars(value.data(), value.data() + value.size(), blocked, 16);
	return blocked;
}

std::string counted(std::size_t count, const std::string& what)
{
	return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

} // namespace issuer::conformance
