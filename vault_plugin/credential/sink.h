#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <sys/types.h>

namespace issuer::vault::credential {

/// A file that shows the token in use to others.
struct SinkFile
{
	std::string file; ///< absolute path
	mode_t mode = 0600;
	std::string owner; ///< name or number of a user; empty: that of the host
	std::string group; ///< name or number of a group; empty: that of the host
};

/// Returns whether the file can be written, without doing it: its directory is there, not all users may write it, and
/// nothing else is in the file's place. The error names the file. Blocks as the file system does.
[[nodiscard]] Result<void> checkSink(const SinkFile& sink);

/// Returns the mode of the file as it is; the error: there is none.
[[nodiscard]] Result<mode_t> modeOf(const SinkFile& sink);

/// Replaces the file by one with the token alone, in one step: a reader sees the old token or the new one.
/// Refuses a directory in which other users may replace it. The error names the file. Blocks as the file system does.
[[nodiscard]] Result<void> writeSink(const SinkFile& sink, std::string_view token);

} // namespace issuer::vault::credential
