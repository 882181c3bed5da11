#pragma once

#include <filesystem>
#include <string>

namespace issuer::test {

/// Makes opening a file below `folder` hang while it lives, as on a file system whose server is gone. Needs
/// hanging_files.cpp in the test's own program. [thread-safe]
class HangingFiles
{
public:
	explicit HangingFiles(const std::filesystem::path& folder);
	/// Lets the calls that hang continue, and waits until they have returned.
	~HangingFiles();
	HangingFiles(const HangingFiles&) = delete;
	HangingFiles& operator=(const HangingFiles&) = delete;

	/// Returns how many hang at this moment.
	[[nodiscard]] int hanging() const;
	/// Blocks until so many do.
	void await(int count) const;

	/// Blocks as long as a folder that holds `path` hangs; for the program's open().
	static void pass(const char* path);

private:
	const std::string _folder; ///< ends with a slash
	int _hanging = 0;
	bool _over = false;
};

} // namespace issuer::test
