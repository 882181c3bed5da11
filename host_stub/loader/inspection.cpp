#include "loader/inspection.h"

#include "common/descriptor.h"
#include "common/text.h"
#include "loader/confinement.h"
#include "loader/contract_check.h"
#include "loader/elf_check.h"
#include "loader/file_rules.h"
#include "loader/library.h"
#include "loader/sha256.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

namespace issuer::loader {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds limit{10};
constexpr std::size_t longestReport = std::size_t{16} << 20;

/// The content of a file, in memory.
Result<Descriptor> copyToMemory(const fs::path& path)
{
	const Descriptor source(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
	Descriptor copy(::memfd_create("plugin", MFD_CLOEXEC));
	ssize_t copied = source.valid() && copy.valid() ? 1 : -1;
	while (copied > 0) {
		copied = ::sendfile(copy.get(), source.get(), nullptr, 1 << 20);
	}
	if (copied < 0) {
		return failure(std::string("it cannot be read: ") + std::strerror(errno));
	}
	return copy;
}

/// A report is strings that each end with a zero byte.
void append(std::string& report, std::string_view field)
{
	report += field;
	report += '\0';
}

/// Loads the library and asks it; in the child.
std::string ask(const std::string& library, const std::vector<std::string>& asked)
{
	std::string report;
	const auto table = loadLibrary(library);
	const auto about = table ? describe(**table) : Result<Description>(tl::unexpected(table.error()));
	if (!about) {
		append(report, "refused");
		append(report, about.error().text);
		return report;
	}
	append(report, "loaded");
	for (const std::uint32_t number : {std::uint32_t{about->abiMajor}, std::uint32_t{about->abiMinor},
			 about->structSize, about->flags, about->configSchema ? 1U : 0U}) {
		append(report, std::to_string(number));
	}
	for (const std::string& text : {about->id, about->name, about->version, about->configSchema.value_or("")}) {
		append(report, text);
	}
	for (const std::string& id : asked) {
		if ((*table)->get_extension(id.c_str()) != nullptr) {
			append(report, id);
		}
	}
	return report;
}

[[noreturn]] void beChild(int pipe, int library, const std::vector<std::string>& asked)
{
	// The descriptors come to known places, one beside the other: all others are closed.
	constexpr int reportFd = 3;
	constexpr int libraryFd = 4;
	const int movedPipe = ::fcntl(pipe, F_DUPFD, libraryFd + 1);
	const int movedLibrary = ::fcntl(library, F_DUPFD, libraryFd + 1);
	::dup2(movedPipe, reportFd);
	const Result<void> confined =
		::dup2(movedLibrary, libraryFd) == libraryFd ? confine(reportFd, libraryFd) : failure("no descriptor is left");
	std::string report;
	if (confined) {
		report = ask("/proc/self/fd/" + std::to_string(libraryFd), asked);
	}
	else {
		append(report, "refused");
		append(report, confined.error().text);
	}
	for (std::size_t sent = 0; sent < report.size();) {
		const ssize_t count = ::write(reportFd, report.data() + sent, report.size() - sent);
		if (count <= 0) {
			break;
		}
		sent += static_cast<std::size_t>(count);
	}
	::_exit(0);
}

/// Reads to the end, for a limited time. The child is killed then, if it still lives.
Result<std::string> reportOf(int pipe, pid_t child)
{
	const auto deadline = std::chrono::steady_clock::now() + limit;
	std::string report;
	std::string trouble = "it hangs while it is loaded";
	for (;;) {
		const auto left =
			std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
		pollfd event{pipe, POLLIN, 0};
		if (left.count() <= 0 || ::poll(&event, 1, static_cast<int>(left.count())) == 0) {
			break;
		}
		std::array<char, 4096> block;
		const ssize_t size = ::read(pipe, block.data(), block.size());
		if (size <= 0 && !(size < 0 && errno == EINTR)) {
			trouble.clear();
			break;
		}
		report.append(block.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
		if (report.size() > longestReport) {
			trouble = "its description is longer than 16 MiB";
			break;
		}
	}
	::kill(child, SIGKILL); // a thread of its own may keep it alive
	int status = 0;
	while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	if (trouble.empty() && report.empty()) {
		trouble = WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL
					  ? std::string("it crashes while it is loaded: SIG") + ::sigabbrev_np(WTERMSIG(status))
					  : "it ends the process while it is loaded";
	}
	return trouble.empty() ? Result<std::string>(std::move(report)) : failure(trouble);
}

/// Takes a report apart; foreign code may have written it.
Result<Inspection> decode(std::string_view report, const fs::path& path)
{
	const auto next = [&] {
		const std::string_view field = report.substr(0, report.find('\0'));
		report.remove_prefix(std::min(field.size() + 1, report.size()));
		return std::string(field);
	};
	const auto number = [&](auto& to) {
		const std::string text = next();
		return std::from_chars(text.data(), text.data() + text.size(), to).ec == std::errc();
	};
	if (!isUtf8(report)) {
		return failure("its description is not UTF-8");
	}
	if (const std::string result = next(); result != "loaded") {
		std::string why = next();
		for (std::size_t at = 0; (at = why.find("/proc/self/fd/4", at)) != std::string::npos;
			 at += path.string().size()) {
			why.replace(at, std::strlen("/proc/self/fd/4"), path.string());
		}
		return failure(result == "refused" ? why : "it ends the process while it is loaded");
	}
	Inspection inspection;
	Description& about = inspection.description;
	unsigned hasSchema = 0;
	if (!number(about.abiMajor) || !number(about.abiMinor) || !number(about.structSize) || !number(about.flags) ||
		!number(hasSchema)) {
		return failure("its description is damaged");
	}
	about.id = next();
	about.name = next();
	about.version = next();
	std::string schema = next();
	if (hasSchema == 1) {
		about.configSchema = std::move(schema);
	}
	while (!report.empty()) {
		inspection.extensions.push_back(next());
	}
	return inspection;
}

Result<Inspection> askInChild(const fs::path& path, const std::vector<std::string>& asked)
{
	const Result<Descriptor> library = copyToMemory(path);
	std::array<int, 2> ends{};
	if (!library || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
		return failure(library ? std::strerror(errno) : library.error().text);
	}
	const Descriptor reading(ends[0]);
	Descriptor writing(ends[1]);
	const pid_t child = ::fork();
	if (child == 0) {
		beChild(writing.get(), library->get(), asked);
	}
	writing = Descriptor();
	if (child < 0) {
		return failure(std::string("no process can be had to try it: ") + std::strerror(errno));
	}
	return reportOf(reading.get(), child).and_then([&](const std::string& report) { return decode(report, path); });
}

} // namespace

Result<Inspection> inspect(const PluginFile& file, const std::vector<std::string>& asked)
{
	return checkPluginPath(file.path)
		.and_then([&](const fs::path& path) -> Result<Inspection> {
			if (Result<void> elf = checkElf(path); !elf) {
				return tl::unexpected(elf.error());
			}
			const Result<std::string> sum = sha256Of(path);
			if (!sum || (file.sha256 && *file.sha256 != *sum)) {
				return failure(sum ? "its SHA-256 is " + *sum + ", wanted is " + *file.sha256 : sum.error().text);
			}
			return askInChild(path, asked).map([&](Inspection inspection) {
				inspection.description.path = path;
				inspection.description.sha256 = *sum;
				return inspection;
			});
		})
		.map_error(
			[&](const Error& reason) { return Error{"plugin " + file.path.string() + " refused: " + reason.text}; });
}

} // namespace issuer::loader
