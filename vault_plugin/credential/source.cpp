#include "credential/source.h"

#include "base/descriptor.h"
#include "base/wiped.h"
#include "credential/secret_pages.h"
#include "credential/token_text.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::vault::credential {
namespace {

tl::unexpected<Error> cannotBeRead()
{
	return failure("cannot be read: " + std::generic_category().message(errno));
}

/// The error's text goes on after the file's name, as tokenIn()'s does.
Result<WipedString> readFile(const std::string& path)
{
	// Non-blocking: opening a FIFO nobody writes to would wait for ever.
	const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
	struct stat status = {};
	if (!file || ::fstat(file.get(), &status) != 0) {
		return cannotBeRead();
	}
	if (!S_ISREG(status.st_mode)) {
		return failure("is not a regular file");
	}
	if ((status.st_mode & S_IWOTH) != 0) {
		return failure("may be written by everybody on this machine: chmod o-w it");
	}

	if (status.st_size > static_cast<off_t>(longestSecret)) {
		return failure("is longer than 64 KiB; a token has at most a few hundred characters");
	}

	const auto expected = static_cast<std::size_t>(status.st_size);
	WipedString text;
	text.reserve(64);          // what is shorter than 16 would not be wiped
	text.resize(expected + 1); // room for one more, which would show that somebody is writing just now
	std::size_t size = 0;
	while (size < text.size()) {
		const auto count = ::read(file.get(), text.data() + size, text.size() - size);
		if (count < 0 && errno != EINTR) {
			return cannotBeRead();
		}
		if (count == 0) {
			break;
		}
		size += count > 0 ? static_cast<std::size_t>(count) : 0;
	}
	if (size != expected) {
		return failure("changed while it was read; write it elsewhere and rename it into place");
	}
	text.resize(size);
	return text;
}

} // namespace

Source::Source(Origin origin) : _origin(std::move(origin)) {}

Result<Source::Change> Source::refresh()
{
	const auto keep = [this](std::string_view text) -> Result<Change> {
		return tokenIn(text).map([this](std::string_view token) {
			if (_token.equals(token)) {
				return Change::none;
			}
			_token = Secret(token);
			return Change::replaced;
		});
	};
	const auto named = [this](const Error& error) { return Error{describe() + " " + error.text}; };

	switch (_origin.kind) {
	case Origin::Kind::file:
		return readFile(_origin.name).and_then(keep).map_error(named);
	case Origin::Kind::environment: {
		const char* const text = std::getenv(_origin.name.c_str());
		return (text != nullptr ? keep(text) : failure("is not set")).map_error(named);
	}
	case Origin::Kind::value: {
		if (_origin.value.empty() && !_token.empty()) {
			return Change::none;
		}
		auto change = keep(_origin.value.view()).map_error(named);
		if (change) {
			_origin.value = Secret(); // it never changes: one copy is enough
		}
		return change;
	}
	}
	std::abort(); // no other kind
}

std::optional<std::string> Source::file() const
{
	return _origin.kind == Origin::Kind::file ? std::optional(_origin.name) : std::nullopt;
}

std::string Source::describe() const
{
	switch (_origin.kind) {
	case Origin::Kind::file:
		return "token file " + _origin.name;
	case Origin::Kind::environment:
		return "environment variable " + _origin.name;
	case Origin::Kind::value:
		return "token.value of the configuration";
	}
	std::abort(); // no other kind
}

} // namespace issuer::vault::credential
