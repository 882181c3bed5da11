#include "registry/config_files.h"

#include <algorithm>
#include <sys/stat.h>

namespace issuer::registry {

std::vector<std::filesystem::path> filesNamedIn(std::string_view json)
{
	std::vector<std::filesystem::path> files;
	for (std::size_t begin = json.find('"'); begin != std::string_view::npos; begin = json.find('"', begin)) {
		std::string text;
		std::size_t end = begin + 1;
		for (; end < json.size() && json[end] != '"'; ++end) {
			end += json[end] == '\\' ? 1U : 0U; // of the escapes only \/ and \" occur in paths
			text += end < json.size() ? json[end] : '"';
		}
		if (text.starts_with('/')) {
			files.emplace_back(text);
		}
		begin = std::min(end + 1, json.size());
	}
	return files;
}

std::string stampOf(const std::vector<std::filesystem::path>& files)
{
	std::string stamp;
	for (const std::filesystem::path& file : files) {
		struct stat status
		{
		};
		if (::stat(file.c_str(), &status) == 0) {
			stamp += std::to_string(status.st_dev) + '.' + std::to_string(status.st_ino) + '.' +
					 std::to_string(status.st_size) + '.' + std::to_string(status.st_mtim.tv_sec) + '.' +
					 std::to_string(status.st_mtim.tv_nsec) + '.' + std::to_string(status.st_mode);
		}
		stamp += '\n';
	}
	return stamp;
}

} // namespace issuer::registry
