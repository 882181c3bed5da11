#include "loader/mapped_files.h"

#include <cstdio>
#include <fstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace issuer::loader {

namespace fs = std::filesystem;

namespace {

/// Parses «7f…-7f… r-xp 00002000 fe:01 1234   /path of/the.so».
void addLine(const std::string& line, MappedFiles& files)
{
	unsigned major = 0;
	unsigned minor = 0;
	unsigned long inode = 0;
	int path = 0;
	if (std::sscanf(line.c_str(), "%*s %*s %*s %x:%x %lu %n", &major, &minor, &inode, &path) == 3 && inode != 0) {
		files.inodes.emplace(gnu_dev_makedev(major, minor), inode);
		files.paths.insert(line.substr(static_cast<std::size_t>(path)));
	}
}

} // namespace

bool MappedFiles::contains(const fs::path& file) const
{
	struct stat status
	{
	};
	return paths.contains(file.string()) ||
		   (::stat(file.c_str(), &status) == 0 && inodes.contains({status.st_dev, status.st_ino}));
}

MappedFiles mappedFiles()
{
	MappedFiles files;
	std::error_code gone; // ignored: processes end meanwhile
	for (const fs::directory_entry& process : fs::directory_iterator("/proc", gone)) {
		if (process.path().filename().string().find_first_not_of("0123456789") != std::string::npos) {
			continue;
		}
		std::ifstream maps(process.path() / "maps");
		std::string line;
		bool any = false;
		while (std::getline(maps, line)) {
			any = true;
			addLine(line, files);
		}
		if (!any && !maps.is_open() && fs::exists(process.path(), gone)) {
			++files.hidden;
		}
	}
	return files;
}

} // namespace issuer::loader
