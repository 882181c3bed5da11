#pragma once

#include "base/result.h"
#include "base/wiped.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Files of certificates and keys, on disks that may not answer. Everything here may block.
namespace issuer::vault::transport {

/// Identifies the content of a file without reading it; of a missing file all is zero.
struct FileStamp
{
	std::uint64_t device = 0, inode = 0, size = 0;
	std::int64_t modifiedNs = 0, changedNs = 0;

	[[nodiscard]] static FileStamp of(const std::string& path);
	friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// The reason why files cannot be used.
struct FileError
{
	FileError(Error error) : text(std::move(error.text)) {} // NOLINT(google-explicit-constructor): failure() makes one

	std::string text;
	bool outOfDescriptors = false; ///< the process had none left: the file may be perfectly usable
};

template <class T>
using FileResult = Expected<T, FileError>;

/// Returns the content of a file. The error begins with `what` and the path: "CA file /x.pem: No such file or
/// directory".
[[nodiscard]] FileResult<WipedString> readFile(const std::string& what, const std::string& path);

/// Returns the paths of the entries of a directory that have the name of a certificate, sorted: *.pem, *.crt, *.cer,
/// and the hashed names of c_rehash (5ed36f99.0, 5ed36f99.r0). The error is as readFile()'s.
[[nodiscard]] FileResult<std::vector<std::string>> certificateFilesIn(const std::string& what, const std::string& path);

} // namespace issuer::vault::transport
