#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace issuer::test {

/// Another program, started and in the end ended by this one; it does not outlive this process, however that ends.
/// Its stdout is read here, or goes to a file; its stderr goes where ours goes, or to the same file.
class ChildProcess
{
public:
	struct Options
	{
		std::map<std::string, std::string> environment = {}; ///< in addition to ours
		std::filesystem::path outputFile = {};               ///< empty: stdout is read by readLine
	};

	/// Throws std::system_error when it cannot be started. The thread that calls must live as long as the object.
	ChildProcess(
		const std::filesystem::path& program, const std::vector<std::string>& arguments, const Options& options);
	ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments)
		: ChildProcess(program, arguments, Options())
	{
	}
	~ChildProcess(); ///< SIGKILL, unless it has ended
	ChildProcess(const ChildProcess&) = delete;
	ChildProcess& operator=(const ChildProcess&) = delete;

	/// The next line of its stdout, without the line feed; nothing: it has closed it.
	std::optional<std::string> readLine();

	void signal(int number) const; ///< does nothing when it has been waited for
	[[nodiscard]] bool hasEnded();
	int wait(); ///< its exit code, or 128 + the signal that ended it

private:
	pid_t _pid = -1;
	int _output = -1;
	std::string _read; ///< not yet handed out
	std::optional<int> _exitCode;
};

/// The first of the names that is a program on PATH; empty: none is.
[[nodiscard]] std::filesystem::path findOnPath(const std::vector<std::string>& names);

} // namespace issuer::test
