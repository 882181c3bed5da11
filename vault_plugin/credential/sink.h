#pragma once

#include "base/result.h"
#include "credential/reader.h"
#include "credential/secret.h"

#include <memory>
#include <optional>
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

/// Replaces the file by one with the token alone, in one step: a reader sees the old token or the new one.
/// Refuses a directory in which other users may replace it. The error names the file. Blocks as the file system does.
[[nodiscard]] Result<void> writeSink(const SinkFile& sink, std::string_view token);

/// Writes a sink on a thread that may hang. For one thread at a time; the listener is told on another.
class SinkWriter
{
public:
	SinkWriter();
	~SinkWriter();
	SinkWriter(const SinkWriter&) = delete;
	SinkWriter& operator=(const SinkWriter&) = delete;

	/// Begins to write, unless a write is under way: returns false then, or if no thread can be had.
	[[nodiscard]] bool write(Reader& reader, const SinkFile& sink, Secret token, NewsListener& listener);

	/// Returns the result of a write that has ended since the last call: the trouble, or an empty text.
	[[nodiscard]] std::optional<std::string> ended();

	/// Ends the calls to the listener.
	void close() noexcept;

private:
	struct State;
	std::shared_ptr<State> _state; ///< shared with the write under way, which may outlive this
};

} // namespace issuer::vault::credential
