#pragma once

#include <filesystem>

namespace issuer::test {

/// Makes opening a file below `folder` hang while it lives, as on a file system whose server is gone. Needs
/// hanging_files.cpp in the test's own program.
class HangingFiles
{
public:
	explicit HangingFiles(const std::filesystem::path& folder);
	/// Lets the calls that hang continue, and waits until they have returned.
	~HangingFiles();
	HangingFiles(const HangingFiles&) = delete;
	HangingFiles& operator=(const HangingFiles&) = delete;

	/// How many hang at this moment.
	[[nodiscard]] static int hanging();
	/// Returns when so many do.
	static void await(int count);
};

} // namespace issuer::test
