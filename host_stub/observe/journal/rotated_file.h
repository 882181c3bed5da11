#pragma once

#include "common/result.h"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace issuer::observe {

/// A file of lines that only ever holds whole ones: after a full disk, after SIGKILL, after a power cut. When it would
/// grow beyond its limit it becomes FILE.1, which becomes FILE.2, and so on; the oldest is removed. Another program may
/// rotate it too, as logrotate does, by moving the file or by copying and truncating it.
class RotatedFile
{
public:
	struct Settings
	{
		std::filesystem::path path;
		std::uint64_t maxBytes = 16ULL << 20;
		unsigned keep = 4; ///< number of old files that are kept
	};

	/// Opens or creates the file, and cuts off an unfinished line. The error names the file.
	[[nodiscard]] static Result<RotatedFile> open(Settings settings);
	~RotatedFile();
	RotatedFile(RotatedFile&& other) noexcept;
	RotatedFile(const RotatedFile&) = delete;
	RotatedFile& operator=(const RotatedFile&) = delete;
	RotatedFile& operator=(RotatedFile&&) = delete;

	/// Writes `lines`, each with its end, and blocks until the disk has them. All or nothing: on an error, which gives
	/// the reason, none of them is in the file.
	[[nodiscard]] Result<void> append(std::string_view lines);

private:
	RotatedFile(Settings settings, int fd, std::uint64_t size);

	Result<void> follow();
	Result<void> rotate();
	Result<void> undo();
	[[nodiscard]] tl::unexpected<Error> failed(const char* what) const;

	Settings _settings;
	int _fd;
	std::uint64_t _size; ///< bytes of the whole lines
	bool _dirty = false; ///< a failed append may have left bytes behind them
};

} // namespace issuer::observe
