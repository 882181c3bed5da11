#include "loader/library.h"

#include <boost/dll/shared_library.hpp>
#include <csignal>
#include <dlfcn.h>

namespace issuer::loader {

namespace {

namespace dll = boost::dll;

class SignalMaskKept
{
public:
	SignalMaskKept() { ::pthread_sigmask(SIG_SETMASK, nullptr, &_mask); }
	~SignalMaskKept() { ::pthread_sigmask(SIG_SETMASK, &_mask, nullptr); }
	SignalMaskKept(const SignalMaskKept&) = delete;
	SignalMaskKept& operator=(const SignalMaskKept&) = delete;

private:
	sigset_t _mask{};
};

/// Returns the dynamic loader's message, without Boost's sentence around it, whose tail is a stale errno.
std::string loaderMessage(std::string_view what)
{
	constexpr std::string_view before = "dlerror system message: ";
	const std::size_t begin = what.find(before);
	if (begin == std::string_view::npos) {
		return std::string(what);
	}
	what.remove_prefix(begin + before.size());
	return std::string(what.substr(0, what.rfind("): ")));
}

} // namespace

Result<std::shared_ptr<const issuer_lifecycle>> loadLibrary(const std::filesystem::path& path)
{
	const SignalMaskKept maskKept;
	try {
		// now: undefined symbols are found here and not in the middle of a renewal. local: two versions do not share
		// symbols.
		const dll::shared_library library(path, dll::load_mode::rtld_now | dll::load_mode::rtld_local);
		if (!library.has(ISSUER_LIFECYCLE_SYMBOL)) {
			return failure("exports no " ISSUER_LIFECYCLE_SYMBOL "; was it linked with the version script?");
		}
		// get(), because import() became import_symbol() in Boost 1.76.
		const issuer_lifecycle& table = library.get<const issuer_lifecycle>(ISSUER_LIFECYCLE_SYMBOL);
		const auto held = std::make_shared<dll::shared_library>(library);
		return std::shared_ptr<const issuer_lifecycle>(held, &table);
	}
	catch (const std::exception& error) {
		return failure("the dynamic loader says: " + loaderMessage(error.what()));
	}
}

bool isMapped(const std::filesystem::path& path)
{
	void* const handle = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
	if (handle == nullptr) {
		return false;
	}
	::dlclose(handle); // releases the reference that the probe has taken
	return true;
}

} // namespace issuer::loader
