#include "credential/token_mark.h"

#include <Poco/SHA2Engine.h>
#include <array>
#include <stdexcept>
#include <sys/random.h>

namespace issuer::vault::credential {
namespace {

constexpr std::size_t saltSize = 16; // characters of its hexadecimal text

std::string mark(std::string_view token, std::string_view salt)
{
	Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
	engine.update(salt.data(), salt.size());
	engine.update(token.data(), token.size());
	constexpr std::array<char, 64> block{}; // takes the place of the token in the engine, which frees it as it is
	engine.update(block.data(), block.size());
	return std::string(salt) + Poco::DigestEngine::digestToHex(engine.digest());
}

} // namespace

std::string markOf(const Secret& token)
{
	if (token.empty()) {
		return {};
	}
	Poco::DigestEngine::Digest salt(saltSize / 2);
	if (::getrandom(salt.data(), salt.size(), 0) != static_cast<ssize_t>(salt.size())) {
		throw std::runtime_error("the system gives no random bytes");
	}
	return mark(token.view(), Poco::DigestEngine::digestToHex(salt));
}

bool bearsMark(const Secret& token, std::string_view text)
{
	return !token.empty() && text.size() > saltSize && mark(token.view(), text.substr(0, saltSize)) == text;
}

} // namespace issuer::vault::credential
