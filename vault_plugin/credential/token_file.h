#pragma once

#include "credential/secret.h"

#include <cstddef>
#include <string>
#include <sys/types.h>

namespace issuer::vault::credential {

/// What is remembered of the last look at a file.
struct FileContent
{
	dev_t device = 0;
	std::size_t stamp = 0;  ///< hash of what identifies a content without reading it: inode, size and times
	std::size_t digest = 0; ///< hash of the token; 0: none was read

	/// Another content would have another stamp. False for a file without a size (FUSE, procfs) and for one written so
	/// recently that its clock may not have moved on since.
	bool settled = false;
};

/// What a look at a token file has found.
struct FileLook
{
	bool unchanged = false; ///< the token is the same as before
	Secret token;           ///< empty: unchanged, or none can be used
	std::string trouble;    ///< why none can be used: goes on after the file's name, and quotes nothing of its content
	FileContent content;    ///< of a token that can be used
};

/// Looks at the token file `path`: whether it is another one than `before`, and if so, what it holds. Blocks for as
/// long as the file system does. Opens and never only stats, because a network file system compares its copy with the
/// server's when a file is opened. Throws std::bad_alloc.
[[nodiscard]] FileLook lookAt(const std::string& path, const FileContent& before);

} // namespace issuer::vault::credential
