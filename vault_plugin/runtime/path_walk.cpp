#include "runtime/path_walk.h"

#include <climits>
#include <deque>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::vault::runtime {

namespace {

constexpr int maximumLinks = 40; // the kernel's limit, beyond which it says ELOOP

enum class Kind
{
	missing, ///< also: not accessible
	directory,
	link,
	other,
};

Kind look(const std::string& path)
{
	struct stat status
	{
	};
	if (::lstat(path.c_str(), &status) != 0) {
		return Kind::missing;
	}
	return S_ISDIR(status.st_mode) ? Kind::directory : S_ISLNK(status.st_mode) ? Kind::link : Kind::other;
}

std::optional<std::string> target(const std::string& link)
{
	std::string text(PATH_MAX, '\0');
	const ssize_t length = ::readlink(link.c_str(), text.data(), text.size());
	if (length < 0) {
		return std::nullopt;
	}
	text.resize(static_cast<std::size_t>(length));
	return text;
}

/// The names still to be walked, one by one, from `directory` on.
class Way
{
public:
	explicit Way(std::string_view path) { lead(path); }

	/// Puts the names of `path` before those still to be walked.
	void lead(std::string_view path)
	{
		if (path.starts_with('/')) {
			_directory.assign(1, '/');
		}
		std::deque<std::string> names;
		while (!path.empty()) {
			const std::size_t end = std::min(path.find('/'), path.size());
			if (const std::string_view name = path.substr(0, end); !name.empty() && name != ".") {
				names.emplace_back(name);
			}
			path.remove_prefix(std::min(end + 1, path.size()));
		}
		_names.insert(_names.begin(), names.begin(), names.end());
	}

	[[nodiscard]] bool ended() const { return _names.empty(); }
	[[nodiscard]] bool atLast() const { return _names.size() == 1; }
	[[nodiscard]] const std::string& directory() const { return _directory; }
	[[nodiscard]] const std::string& name() const { return _names.front(); }
	[[nodiscard]] std::string entry() const
	{
		return _directory.ends_with('/') ? _directory + name() : _directory + '/' + name();
	}
	void descend()
	{
		_directory = entry();
		_names.pop_front();
	}
	void drop() { _names.pop_front(); }

private:
	std::string _directory = "."; ///< resolved: contains no symbolic link
	std::deque<std::string> _names;
};

} // namespace

void walkPath(const std::string& path, const std::function<void(const std::string&, const std::string&)>& visit)
{
	Way way(path);
	int links = 0;
	while (!way.ended()) {
		if (!way.atLast() && look(way.entry()) == Kind::directory) {
			way.descend();
			continue;
		}
		visit(way.directory(), way.name());
		const std::string entry = way.entry();
		switch (look(entry)) {
		case Kind::link: {
			const std::optional<std::string> to = target(entry);
			if (!to || ++links > maximumLinks) {
				return;
			}
			way.drop();
			way.lead(*to);
			break;
		}
		case Kind::directory: // created since visit() was called for it
			way.descend();
			break;
		case Kind::missing:
		case Kind::other:
			return;
		}
	}
}

} // namespace issuer::vault::runtime
