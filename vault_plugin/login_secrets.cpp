#include "login_secrets.h"

#include "credential/secret_pages.h"

#include <cstring>

namespace issuer::vault {
namespace {

constexpr std::string_view begin = "issuer.vault.secrets/1\n";

/// Returns the FNV-1a hash: detects bytes that were damaged on their way.
std::uint64_t checksumOf(std::string_view bytes)
{
	std::uint64_t sum = 0xcbf29ce484222325U;
	for (const char byte : bytes) {
		sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
	}
	return sum;
}

template <class Number>
void append(WipedString& bytes, const Number& number)
{
	bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append(WipedString& bytes, const credential::Secret& secret)
{
	append(bytes, static_cast<std::uint32_t>(secret.view().size()));
	bytes.append(secret.view());
}

/// Takes a number off the bytes; false: they are too short.
template <class Number>
bool take(std::string_view& bytes, Number& number)
{
	if (bytes.size() < sizeof number) {
		return false;
	}
	std::memcpy(&number, bytes.data(), sizeof number);
	bytes.remove_prefix(sizeof number);
	return true;
}

bool take(std::string_view& bytes, credential::Secret& secret)
{
	std::uint32_t size = 0;
	if (!take(bytes, size) || size > bytes.size() || size > credential::longestSecret) {
		return false;
	}
	secret = size == 0 ? credential::Secret() : credential::Secret(bytes.substr(0, size));
	bytes.remove_prefix(size);
	return true;
}

} // namespace

WipedString toBytes(const LoginSecrets& secrets)
{
	WipedString bytes;
	bytes.reserve(begin.size() + 64 + secrets.token.view().size() + secrets.unwrapped.view().size());
	bytes.append(begin);
	append(bytes, secrets.key);
	append(bytes, secrets.fits);
	append(bytes, secrets.token);
	append(bytes, secrets.unwrapped);
	append(bytes, checksumOf(bytes));
	return bytes;
}

Result<LoginSecrets> loginSecretsFrom(std::string_view bytes)
{
	if (!bytes.starts_with(begin)) {
		return failure("secrets of a version or plugin that this plugin does not know");
	}
	LoginSecrets secrets;
	std::uint64_t sum = 0;
	auto rest = bytes.substr(begin.size());
	if (!take(rest, secrets.key) || !take(rest, secrets.fits) || !take(rest, secrets.token) ||
		!take(rest, secrets.unwrapped) || !take(rest, sum) || !rest.empty() ||
		sum != checksumOf(bytes.substr(0, bytes.size() - sizeof sum))) {
		return failure("damaged secrets: not the bytes that lend shows");
	}
	return secrets;
}

} // namespace issuer::vault
