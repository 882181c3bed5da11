#pragma once

#include "common/result.h"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace issuer::observe {

/// A file of lines that only ever holds whole ones: after a full disk, after SIGKILL, after a power cut. When it would
/// grow beyond its limit it becomes FILE.1, which becomes FILE.2, and so on; the oldest goes. Another program may
/// rotate it too, as logrotate does, by moving the file or by copying and truncating it.
class RotatedFile
{
public:
	struct Settings
	{
		std::filesystem::path path;
		std::uint64_t maxBytes = 16ULL << 20;
		unsigned keep = 4; ///< old ones
	};

	/// Opens or makes it, and cuts off a line that was left unfinished. The error names the file.
	[[nodiscard]] static Result<RotatedFile> open(Settings settings);
	~RotatedFile();
	RotatedFile(RotatedFile&& other) noexcept;
	RotatedFile(const RotatedFile&) = delete;
	RotatedFile& operator=(const RotatedFile&) = delete;
	RotatedFile& operator=(RotatedFile&&) = delete;

	/// Writes `lines`, each with its end, and waits until the disk has them. All or nothing: on an error, which says
	/// why, none of them is there.
	[[nodiscard]] Result<void> append(std::string_view lines);

private:
	RotatedFile(Settings settings, int fd, std::uint64_t size);

	Result<void> follow();
	Result<void> rotate();
	Result<void> undo();
	[[nodiscard]] tl::unexpected<Error> failed(const char* what) const;

	Settings _settings;
	int _fd;
	std::uint64_t _size; ///< of the whole lines
	bool _dirty = false; ///< something may stand behind them
};

} // namespace issuer::observe
