#pragma once

#include "credential/secret.h"
#include "credential/text_kind.h"

#include <cstddef>
#include <string>
#include <sys/types.h>

namespace issuer::vault::credential {

/// The result of the last look at a file, without the token.
struct FileContent
{
	/// Hash of inode, size and times, which identify a content without reading it. 0: they do not, as for a file
	/// without a size (FUSE, procfs) and for one written so recently that its time stamp may not have moved on since.
	std::size_t stamp = 0;
	std::size_t digest = 0; ///< hash of the token; 0: none was read
};

/// The result of a look at a file with a secret.
struct FileLook
{
	bool unchanged = false; ///< the token is the same as before
	Secret token;           ///< the text; empty: unchanged, or none can be used
	/// The reason why none can be used: continues a sentence after the file's name, and quotes nothing of its content.
	std::string trouble;
	FileContent content; ///< of a token that can be used; otherwise empty
	dev_t device = 0;    ///< of the file with that token
};

/// Looks at the file `path`: finds whether its text differs from `before`, and if so, reads it. Blocks for as long as
/// the file system does. Opens the file rather than calling stat alone, because a network file system compares
/// its copy with the server's when a file is opened. Throws std::bad_alloc.
[[nodiscard]] FileLook lookAt(const std::string& path, const FileContent& before, TextKind kind = TextKind::token);

/// Returns whether the modes of a file and of all folders above it let every user of this machine read it. Blocks for
/// as long as the file system does.
[[nodiscard]] bool allUsersMayRead(const std::string& path);

} // namespace issuer::vault::credential
